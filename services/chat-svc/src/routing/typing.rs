//! Typing, delivered: the state of the room `typing/`, and the streams of those who may see it.
//!
//! What is told is told under the lock of the state, so that nothing of a conversation comes after its removal.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

use parlor_types::{ConversationId, UserId};

use super::LocalRouter;
use crate::log::Published;
use crate::session::Stream;
use crate::typing::{Activity, Ask, Said, Told, Typists};

impl LocalRouter {
    /// A user says what they do in a conversation. With [`Said::Ask`], it is to be found out who may see it, and said to
    /// [`LocalRouter::audience_found`]. What was to be told has been told.
    pub fn typing(
        &self,
        now: Instant,
        typist: UserId,
        conversation: ConversationId,
        activity: Option<Activity>,
    ) -> Said {
        let mut typists = self.typists();
        let said = typists.said(now, typist, conversation, activity);
        if let Said::Tell(told) = &said {
            self.tell(told);
        }
        said
    }

    /// Who may see it; `None` if the conversation is not there for the user.
    pub fn audience_found(&self, now: Instant, ask: Ask, audience: Option<Vec<UserId>>) {
        let mut typists = self.typists();
        if let Some(told) = typists.found(now, ask, audience) {
            self.tell(&told);
        }
    }

    /// It could not be found out who may see it.
    pub fn audience_unknown(&self, ask: Ask) {
        self.typists().not_found(ask);
    }

    /// Forgets what nobody shows any more.
    pub fn forget_typing(&self, now: Instant) {
        self.typists().expire(now);
    }

    /// What goes on just now, for a stream that has just been registered.
    pub(super) fn tell_typing(&self, stream: &Arc<Stream>) {
        let typists = self.typists();
        for told in typists.seen_by(stream.now(), stream.user()) {
            stream.typing(&told);
        }
    }

    /// What an entry ends, before it is delivered.
    pub(super) fn end_typing(&self, published: &Published) {
        let entry = &published.entry;
        if entry.content.is_message() {
            let mut typists = self.typists();
            let audience = typists.wrote(entry.sender, entry.conversation);
            for user in audience.iter().flat_map(|audience| audience.iter()) {
                self.each(*user, |stream| stream.typing_over(entry.conversation, Some(entry.sender)));
            }
        }
        if !published.newcomers.is_empty() {
            let mut typists = self.typists();
            for user in &published.newcomers {
                typists.joined(*user, entry.conversation);
            }
        }
        if !published.leavers.is_empty() {
            let mut typists = self.typists();
            for user in &published.leavers {
                if let Some(told) = typists.left(*user, entry.conversation) {
                    self.tell(&told);
                }
                self.each(*user, |stream| stream.typing_over(entry.conversation, None));
            }
        }
    }

    /// Ends what two users see of each other.
    pub(super) fn part_typing(&self, one: UserId, other: UserId) {
        let mut typists = self.typists();
        for told in typists.parted(one, other) {
            self.tell(&told);
        }
    }

    fn tell(&self, told: &Told) {
        for user in told.audience.iter() {
            self.each(*user, |stream| stream.typing(told));
        }
    }

    fn typists(&self) -> MutexGuard<'_, Typists> {
        self.typists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
