//! The state.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use parlor_types::{ConversationId, UserId};

use super::seen::Seen;
use super::{Activity, EARLY, INTERVAL, SHOWN, Told};

/// Conversations of one user that are remembered at a time; more are dropped. A person types in one for each device.
const MAX_OF_USER: usize = 16;
/// All that are remembered at a time; more are dropped.
const MAX_TYPISTS: usize = 10_000;

/// A question that was asked: who may see this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Where.
    pub conversation: ConversationId,
    /// Who types.
    pub typist: UserId,
    number: u64,
}

/// What follows from what a user said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Nothing: too fast, too much, or no news.
    Nothing,
    /// The conversation is not there for the user, as was found a moment ago.
    NotThere,
    /// It is to be found out who may see it; [`Typists::found`] takes the answer.
    Ask(Ask),
    /// This is to be told.
    Tell(Told),
}

/// See the room. Bounded over all and for each user (G8).
#[derive(Debug, Default)]
pub struct Typists {
    users: HashMap<UserId, Vec<Typist>>,
    /// Of what every [`Typist`] shows.
    seen: Seen,
    count: usize,
    asked: u64,
}

/// One user in one conversation.
#[derive(Debug)]
struct Typist {
    conversation: ConversationId,
    /// When the next time is due, but for [`EARLY`].
    due: Instant,
    /// The last answer was that there is no such conversation for the user. Kept until it is due, so that guesses are
    /// looked for no more often than typing is shown.
    absent: bool,
    asking: Option<Asking>,
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Asking {
    number: u64,
    activity: Activity,
    /// Who left meanwhile; the answer may not know.
    gone: BTreeSet<UserId>,
}

#[derive(Debug)]
struct Shown {
    activity: Activity,
    until: Instant,
    audience: Arc<[UserId]>,
}

impl Typists {
    /// A user says what they do in a conversation; `None` for nothing any more.
    pub fn said(
        &mut self,
        now: Instant,
        typist: UserId,
        conversation: ConversationId,
        activity: Option<Activity>,
    ) -> Said {
        match activity {
            Some(activity) => self.start(now, typist, conversation, activity),
            None => self.stop(typist, conversation).map_or(Said::Nothing, Said::Tell),
        }
    }

    fn start(
        &mut self,
        now: Instant,
        typist: UserId,
        conversation: ConversationId,
        activity: Activity,
    ) -> Said {
        let room = self.count < MAX_TYPISTS;
        let own = self.users.entry(typist).or_default();
        let before = own.len();
        own.retain(|one| {
            one.conversation == conversation || one.is_news(now) || one.hide(typist, &mut self.seen)
        });
        self.count -= before - own.len();
        let index = own.iter().position(|one| one.conversation == conversation);
        if index.is_none() && (!room || own.len() >= MAX_OF_USER) {
            self.forget_if_empty(typist);
            return Said::Nothing;
        }
        let index = index.unwrap_or_else(|| {
            own.push(Typist { conversation, due: now, absent: false, asking: None, shown: None });
            self.count += 1;
            own.len() - 1
        });
        let one = &mut own[index];
        if one.asking.is_some() || now + EARLY < one.due {
            return if one.absent { Said::NotThere } else { Said::Nothing };
        }
        one.due = one.due.max(now) + INTERVAL;
        self.asked += 1;
        one.asking = Some(Asking { number: self.asked, activity, gone: BTreeSet::new() });
        Said::Ask(Ask { conversation, typist, number: self.asked })
    }

    fn stop(&mut self, typist: UserId, conversation: ConversationId) -> Option<Told> {
        let own = self.users.get_mut(&typist)?;
        let one = own.iter_mut().find(|one| one.conversation == conversation)?;
        one.asking = None;
        one.hide(typist, &mut self.seen);
        Some(over(typist, conversation, one.shown.take()?))
    }

    /// Who may see it; `None` if the conversation is not there for the user.
    pub fn found(&mut self, now: Instant, ask: Ask, audience: Option<Vec<UserId>>) -> Option<Told> {
        let own = self.users.get_mut(&ask.typist)?;
        let one = own.iter_mut().find(|one| one.is_asking(ask))?;
        let asking = one.asking.take()?;
        one.absent = audience.is_none();
        let mut audience = audience?;
        audience.retain(|user| !asking.gone.contains(user));
        let (activity, until, audience) = (asking.activity, now + SHOWN, Arc::<[UserId]>::from(audience));
        let (conversation, typist) = (ask.conversation, ask.typist);
        one.hide(typist, &mut self.seen);
        self.seen.add(typist, conversation, &audience);
        one.shown = Some(Shown { activity, until, audience: audience.clone() });
        Some(Told { conversation, typist, activity: Some(activity), until, audience })
    }

    /// Nobody can say who may see it.
    pub fn not_found(&mut self, ask: Ask) {
        let own = self.users.get_mut(&ask.typist);
        if let Some(one) = own.and_then(|own| own.iter_mut().find(|one| one.is_asking(ask))) {
            one.asking = None;
        }
    }

    /// A message of theirs is stored, which ends it. Those to whom it was told, if any: what has not reached them yet must
    /// not come after the message.
    pub fn wrote(&mut self, typist: UserId, conversation: ConversationId) -> Option<Arc<[UserId]>> {
        self.take(typist, conversation)?.shown.map(|shown| shown.audience)
    }

    /// Somebody has become a member: what was found of them before is no more.
    pub fn joined(&mut self, user: UserId, conversation: ConversationId) {
        drop(self.take(user, conversation));
    }

    /// Somebody is no longer a member: they see nothing more of it, and nobody of them.
    pub fn left(&mut self, user: UserId, conversation: ConversationId) -> Option<Told> {
        for (typist, own) in &mut self.users {
            for one in own.iter_mut().filter(|one| one.conversation == conversation) {
                one.withhold(*typist, user, &mut self.seen);
            }
        }
        let shown = self.take(user, conversation)?.shown?;
        Some(over(user, conversation, shown))
    }

    /// Two users no longer see what the other does: who types, and whom to tell that it is over.
    pub fn parted(&mut self, one: UserId, other: UserId) -> Vec<Told> {
        let mut ended = self.hide(one, other);
        ended.extend(self.hide(other, one));
        ended
    }

    /// Hides what a user does from one of those who see it.
    fn hide(&mut self, typist: UserId, from: UserId) -> Vec<Told> {
        let mut ended = Vec::new();
        for slot in self.users.get_mut(&typist).into_iter().flatten() {
            if let Some(until) = slot.withhold(typist, from, &mut self.seen) {
                let (conversation, audience) = (slot.conversation, [from].into());
                ended.push(Told { conversation, typist, activity: None, until, audience });
            }
        }
        ended
    }

    /// What a user may see just now.
    #[must_use]
    pub fn seen_by(&self, now: Instant, user: UserId) -> Vec<Told> {
        let shown = self.seen.by(user).filter_map(|(typist, conversation)| {
            let one = self.users.get(&typist)?.iter().find(|one| one.conversation == conversation)?;
            let shown = one.shown.as_ref().filter(|shown| shown.until > now)?;
            let (activity, audience) = (Some(shown.activity), shown.audience.clone());
            Some(Told { conversation, typist, activity, until: shown.until, audience })
        });
        shown.collect()
    }

    /// Forgets what is over.
    pub fn expire(&mut self, now: Instant) {
        self.users.retain(|typist, own| {
            own.retain(|one| one.is_news(now) || one.hide(*typist, &mut self.seen));
            !own.is_empty()
        });
        self.count = self.users.values().map(Vec::len).sum();
    }

    fn take(&mut self, typist: UserId, conversation: ConversationId) -> Option<Typist> {
        let own = self.users.get_mut(&typist)?;
        let index = own.iter().position(|one| one.conversation == conversation)?;
        let taken = own.swap_remove(index);
        taken.hide(typist, &mut self.seen);
        self.count -= 1;
        self.forget_if_empty(typist);
        Some(taken)
    }

    fn forget_if_empty(&mut self, typist: UserId) {
        if self.users.get(&typist).is_some_and(Vec::is_empty) {
            self.users.remove(&typist);
        }
    }
}

impl Typist {
    fn is_news(&self, now: Instant) -> bool {
        self.asking.is_some() || self.due > now || self.shown.as_ref().is_some_and(|shown| shown.until > now)
    }

    fn is_asking(&self, ask: Ask) -> bool {
        let number = self.asking.as_ref().map(|asking| asking.number);
        self.conversation == ask.conversation && number == Some(ask.number)
    }

    /// What is shown is seen no more; `false`, as it is not worth keeping.
    fn hide(&self, typist: UserId, seen: &mut Seen) -> bool {
        if let Some(shown) = &self.shown {
            seen.remove(typist, self.conversation, &shown.audience);
        }
        false
    }

    /// One of those who see it, or will, does so no more. Until when it was shown to them, if it was.
    fn withhold(&mut self, typist: UserId, from: UserId, seen: &mut Seen) -> Option<Instant> {
        if let Some(asking) = &mut self.asking {
            asking.gone.insert(from);
        }
        let shown = self.shown.as_mut().filter(|shown| shown.audience.contains(&from))?;
        shown.audience = shown.audience.iter().copied().filter(|user| *user != from).collect();
        seen.remove(typist, self.conversation, &[from]);
        Some(shown.until)
    }
}

fn over(typist: UserId, conversation: ConversationId, shown: Shown) -> Told {
    // No longer than it would have been shown: then everybody has ended it by themselves.
    Told { conversation, typist, activity: None, until: shown.until, audience: shown.audience }
}

#[cfg(test)]
impl Typists {
    /// Entries of the map, and what it counts.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.users.values().map(Vec::len).sum(), self.count)
    }

    /// How many see how many.
    pub(super) fn seen(&self) -> (usize, usize) {
        self.seen.sizes()
    }
}
