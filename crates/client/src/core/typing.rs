//! Who does what just now, and what we do ourselves. Nothing of it is saved.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{Activity, Entry, SetTyping, Typing};

use super::message::{Effects, Event, Now};
use super::unread::Weight;
use super::{Core, say, verdict};

/// Nothing is shown longer than this without being told again.
const SHOWN_FOR: Duration = Duration::from_secs(6);
/// The same is said again after this, while it lasts.
const SAID_EVERY: Duration = Duration::from_secs(3);
/// People shown at once, over all conversations; further ones are not (G8).
const MAX_SHOWN: usize = 1024;

/// What others do, and what the server was told of us.
#[derive(Debug, Default)]
pub(super) struct Doings {
    shown: BTreeMap<(ConversationId, UserId), (Activity, Now)>,
    own: BTreeMap<ConversationId, Own>,
}

/// What the user does in one conversation.
#[derive(Debug)]
struct Own {
    /// To be said when its time comes.
    wanted: Option<Activity>,
    /// What others are shown.
    said: Activity,
    /// When it may be said again.
    next_at: Now,
}

impl Doings {
    pub fn shown(&self, conversation: ConversationId) -> Vec<(UserId, Activity)> {
        let first = (conversation, UserId::from_bytes([0; 16]));
        let here = self.shown.range(first..).take_while(|((id, _), _)| *id == conversation);
        here.map(|((_, user), (activity, _))| (*user, *activity)).collect()
    }

    pub fn deadline(&self) -> Option<Now> {
        self.shown.values().map(|(_, until)| *until).min()
    }

    /// When something of our own is to be said.
    pub fn own_deadline(&self) -> Option<Now> {
        self.own.values().filter(|own| own.wanted.is_some()).map(|own| own.next_at).min()
    }

    pub fn leave_stream(&mut self, fx: &mut Effects) {
        self.own.clear();
        for ((conversation, user), _) in std::mem::take(&mut self.shown) {
            fx.tell.push(stopped(conversation, user));
        }
    }

    /// A message of the user's ends it, for the others too.
    pub fn sent(&mut self, conversation: ConversationId) {
        if let Some(own) = self.own.get_mut(&conversation) {
            own.wanted = None;
            own.said = Activity::Unspecified;
        }
    }
}

impl Core {
    pub(super) fn on_typing(&mut self, now: Now, typing: &Typing, fx: &mut Effects) {
        let (Some(conversation), Some(user)) =
            (ConversationId::parse(&typing.conversation_id), UserId::parse(&typing.user_id))
        else {
            return;
        };
        let activity = typing.activity();
        let key = (conversation, user);
        if activity == Activity::Unspecified {
            if self.doings.shown.remove(&key).is_some() {
                fx.tell.push(stopped(conversation, user));
            }
            return;
        }
        if self.doings.shown.len() >= MAX_SHOWN && !self.doings.shown.contains_key(&key) {
            return;
        }
        let lasts = typing.expires_after.and_then(verdict::said);
        let until = now + lasts.unwrap_or(SHOWN_FOR).min(SHOWN_FOR);
        let before = self.doings.shown.insert(key, (activity, until));
        if before.is_none_or(|(before, _)| before != activity) {
            fx.tell.push(Event::Typing { conversation, user, activity });
        }
    }

    /// A message ends what its sender did.
    pub(super) fn typing_ended_by(&mut self, conversation: ConversationId, entry: &Entry, fx: &mut Effects) {
        let Some(user) = UserId::parse(&entry.sender_id) else { return };
        if Weight::of(entry, self.me) > Weight::Nothing
            && self.doings.shown.remove(&(conversation, user)).is_some()
        {
            fx.tell.push(stopped(conversation, user));
        }
    }

    pub(super) fn expire_typing(&mut self, now: Now, fx: &mut Effects) {
        let ended = self.doings.shown.extract_if(.., |_, (_, until)| *until <= now);
        fx.tell.extend(ended.map(|((conversation, user), _)| stopped(conversation, user)));
    }

    pub(super) fn on_set_typing(&mut self, now: Now, id: ConversationId, activity: Activity) {
        if !self.link.is_live() {
            return; // nobody could be told in time
        }
        let nothing_yet = Own { wanted: None, said: Activity::Unspecified, next_at: now };
        self.doings.own.entry(id).or_insert(nothing_yet).wanted = Some(activity);
    }

    /// A stop is said at once, and only if there is something to stop.
    pub(super) fn pump_typing(&mut self, now: Now, fx: &mut Effects) {
        for (id, own) in &mut self.doings.own {
            let Some(wanted) = own.wanted else { continue };
            let stop = wanted == Activity::Unspecified;
            if stop && own.said == Activity::Unspecified {
                own.wanted = None;
            } else if stop || own.next_at <= now {
                own.wanted = None;
                own.said = wanted;
                if !stop {
                    own.next_at = now + SAID_EVERY;
                }
                let typing = SetTyping { conversation_id: id.to_string(), activity: wanted.into() };
                say(fx, Kind::SetTyping(typing));
            }
        }
        self.doings.own.retain(|_, own| own.wanted.is_some() || own.next_at + SHOWN_FOR > now);
    }
}

fn stopped(conversation: ConversationId, user: UserId) -> Event {
    Event::Typing { conversation, user, activity: Activity::Unspecified }
}
