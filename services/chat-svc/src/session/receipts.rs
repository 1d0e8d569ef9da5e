//! Others' receipts on one stream: whose marks changed, until there is room and time to tell.
//!
//! Only who changed is remembered; how far they are is read when it is told, so that any number of changes is one frame.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parlor_types::{ConversationId, UserId};

use super::machine::{Effect, Session};
use super::outbox::Weight;
use crate::store::Commit;

/// Users remembered in all conversations of a stream together; with more, rows are owed instead.
const MAX_OWED: usize = 1024;
/// Users asked for in one go, give or take a conversation.
const USERS_AT_ONCE: usize = 256;

/// Whose marks changed since they were told.
#[derive(Debug, Default)]
pub(super) struct Owed {
    users: BTreeMap<ConversationId, BTreeSet<UserId>>,
    count: usize,
    /// All of them changed after this commit.
    after: Commit,
}

impl Owed {
    /// Up to which commit nothing is owed; `None` if nothing is at all.
    fn complete_to(&self) -> Option<Commit> {
        (!self.users.is_empty()).then_some(self.after)
    }

    /// `false`, and nothing remembered, if there is no room.
    fn add(&mut self, conversation: ConversationId, user: UserId, after: Commit) -> bool {
        if self.users.is_empty() {
            self.after = after;
        }
        if self.count >= MAX_OWED {
            return self.users.get(&conversation).is_some_and(|users| users.contains(&user));
        }
        self.count += usize::from(self.users.entry(conversation).or_default().insert(user));
        true
    }

    /// The row says it all.
    pub(super) fn forget(&mut self, conversation: ConversationId) {
        let forgotten = self.users.remove(&conversation);
        self.count -= forgotten.map_or(0, |users| users.len());
    }

    /// Takes some, but for conversations whose row is on its way.
    fn take(&mut self, awaited: impl Fn(ConversationId) -> bool) -> Vec<(ConversationId, Vec<UserId>)> {
        let mut room = USERS_AT_ONCE;
        let mut taken = Vec::new();
        for (conversation, users) in &self.users {
            if room > 0 && !awaited(*conversation) {
                room = room.saturating_sub(users.len());
                taken.push((*conversation, users.iter().copied().collect()));
            }
        }
        for (conversation, _) in &taken {
            self.forget(*conversation);
        }
        taken
    }
}

/// When a stream is told of receipts: at once, then not again for a while.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// They are being read; all of them changed after this commit.
    reading: Option<Commit>,
    /// They were told; since when that is known.
    told: Option<Option<Instant>>,
}

impl Telling {
    /// Time passes.
    pub(super) fn tick(&mut self, now: Instant, pause: Duration) {
        if let Some(since) = &mut self.told
            && now.saturating_duration_since(*since.get_or_insert(now)) >= pause
        {
            self.told = None;
        }
    }
}

impl Session {
    /// How far a member of a conversation is has changed, as the user sees it.
    pub fn receipts_changed(&mut self, conversation: ConversationId, of: UserId) {
        if self.has_ended() || of == self.identity.user {
            return;
        }
        self.news_since_checkpoint = true;
        let after = self.reached;
        if !self.out.owes_row(conversation) && !self.out.receipts.add(conversation, of, after) {
            self.out.row(conversation);
        }
    }

    /// Asks for what is to be told, if it is time.
    pub(super) fn tell_receipts(&mut self) -> Option<Effect> {
        if self.telling.reading.is_some() || self.telling.told.is_some() || !self.synced {
            return None;
        }
        let (awaited, after) = (&self.awaited, self.out.receipts.complete_to());
        let wanted = self.out.receipts.take(|id| awaited.contains(&id));
        if wanted.is_empty() {
            return None;
        }
        self.telling = Telling { reading: after, told: Some(None) };
        Some(Effect::Receipts(wanted))
    }

    /// Up to which commit all receipts were told, at most `reached`.
    pub(super) fn receipts_told(&self, reached: Commit) -> Commit {
        let open = [self.telling.reading, self.out.receipts.complete_to()];
        open.into_iter().flatten().fold(reached, Commit::min)
    }

    /// The receipts asked for, encoded.
    pub fn receipts_found(&mut self, frames: Vec<Bytes>) {
        self.telling.reading = None;
        if !self.has_ended() {
            for frame in frames {
                self.out.put(frame, Weight::Step);
            }
        }
    }
}
