//! What is told and not kept: typing. The latest of each is all there is, it is sent when there is room for more, and it
//! holds up nothing: no cursor waits for it.

use std::collections::BTreeMap;
use std::time::Instant;

use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::Problem;
use parlor_wire::{Invalid, id};

use super::machine::{Effect, Session};
use super::outbox::Weight;
use crate::edge;
use crate::typing::{Activity, Told};

/// People typing of whom a stream has not been told yet; more are dropped.
const MAX_TYPING: usize = 64;

/// What waits for room.
#[derive(Debug, Default)]
pub(super) struct Ephemerals {
    typing: BTreeMap<(ConversationId, UserId), (Option<Activity>, Instant)>,
}

impl Ephemerals {
    fn typing(&mut self, told: &Told) {
        let key = (told.conversation, told.typist);
        if self.typing.len() < MAX_TYPING || self.typing.contains_key(&key) {
            self.typing.insert(key, (told.activity, told.until));
        }
    }

    fn typing_over(&mut self, conversation: ConversationId, typist: Option<UserId>) {
        match typist {
            Some(typist) => drop(self.typing.remove(&(conversation, typist))),
            None => self.typing.retain(|(place, _), _| *place != conversation),
        }
    }

    pub(super) fn clear(&mut self) {
        self.typing.clear();
    }

    /// Takes one that may be sent now; `held`: conversations whose row has to come first.
    pub(super) fn take(&mut self, now: Instant, held: impl Fn(ConversationId) -> bool) -> Option<Out> {
        self.typing.retain(|_, (_, until)| *until > now);
        let key = self.typing.keys().find(|(conversation, _)| !held(*conversation)).copied()?;
        let (activity, until) = self.typing.remove(&key)?;
        let left = until.saturating_duration_since(now);
        Some(Out::Typing(edge::typing(key.0, key.1, activity, left)))
    }
}

impl Session {
    /// What the user does. Not answered unless it is refused.
    pub(super) fn set_typing(&mut self, frame: &wire::SetTyping) -> Vec<Effect> {
        let conversation = id::<ConversationId>("conversation_id", &frame.conversation_id);
        let said = conversation.and_then(|place| Ok((place, edge::activity("activity", frame.activity)?)));
        match said {
            Ok((conversation, activity)) => vec![Effect::Typing(conversation, activity)],
            Err(invalid) => self.refuse_frame("set_typing", invalid),
        }
    }

    fn refuse_frame(&mut self, frame: &'static str, invalid: Invalid) -> Vec<Effect> {
        self.refused(frame, invalid.into());
        Vec::new()
    }

    /// A frame that has no answer of its own was refused.
    pub fn refused(&mut self, frame: &'static str, problem: Problem) {
        if !self.has_ended() {
            let refused = wire::Refused { frame: frame.to_owned(), problem: Some(problem) };
            self.out.push(Out::Refused(refused), Weight::Notice);
        }
    }

    /// Somebody types, or no longer does.
    pub fn typing(&mut self, now: Instant, told: &Told) {
        if !self.has_ended() {
            self.now = now;
            self.out.ephemerals.typing(told);
        }
    }

    /// What has not been told of it is no news any more; without a typist: of the whole conversation.
    pub fn typing_over(&mut self, conversation: ConversationId, typist: Option<UserId>) {
        self.out.ephemerals.typing_over(conversation, typist);
    }
}

#[cfg(test)]
mod tests;
