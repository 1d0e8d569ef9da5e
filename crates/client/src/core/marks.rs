//! Received and read marks: coalesced, and repeated on the next stream until the server shows them.

use std::collections::BTreeSet;
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Seq, limits};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{MarkRefused, Read, Received};
use parlor_wire::errors::v1::Problem;
use parlor_wire::reason::{Retry, meaning};
use rand::rngs::StdRng;

use super::conversation::Conversation;
use super::message::{Effects, Event, Mutation, Now};
use super::verdict::retry_after;
use super::{Core, backoff, say};

/// Marks are gathered this long.
const COALESCE: Duration = Duration::from_secs(1);
/// A refusal this long after the last pause is the first in a row: of marks that are taken nothing is heard.
const CALM_AFTER: Duration = Duration::from_secs(60);

/// Conversations with a mark to send.
#[derive(Debug, Default)]
pub(super) struct Marks {
    due: BTreeSet<ConversationId>,
    at: Option<Now>,
    /// The server takes none before this.
    not_before: Option<Now>,
    /// Refusals in a row that only time can mend.
    failures: u32,
}

impl Marks {
    pub fn note(&mut self, now: Now, id: ConversationId) {
        self.due.insert(id);
        self.at.get_or_insert(now + COALESCE);
    }

    pub fn leave_stream(&mut self) {
        *self = Self::default();
    }

    pub fn deadline(&self) -> Option<Now> {
        self.at.max(self.at.and(self.not_before))
    }

    /// A busy server refuses every mark it was told of at once: together they are one failure.
    fn pause(&mut self, now: Now, problem: &Problem, rng: &mut StdRng) {
        if self.not_before.is_some_and(|until| now < until) {
            return;
        }
        if self.not_before.is_some_and(|until| until + CALM_AFTER < now) {
            self.failures = 0;
        }
        self.not_before = Some(now + backoff::wait(rng, self.failures, retry_after(problem)));
        self.failures += 1;
    }
}

impl Core {
    /// Only what is held was shown. Opening takes the mark away that called the user back, also where nothing is unread.
    pub(super) fn on_mark_read(&mut self, now: Now, id: ConversationId, seq: Seq, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        let Some(range) = conversation.range else { return };
        let seq = seq.min(range.have);
        if seq.next() >= range.low && seq > conversation.read_wanted && seq > conversation.read {
            conversation.read_wanted = seq;
            fx.save.push(Mutation::ReadWanted(id, seq));
            fx.tell.push(Event::Conversation { conversation: id, new: false });
            self.marks.note(now, id);
        }
        self.clear_marked_unread(id, fx);
    }

    /// What the server does not know yet, of before this stream.
    pub(super) fn remember_marks(&mut self, now: Now) {
        for (id, conversation) in &self.conversations {
            if to_send(conversation) != (None, None) {
                self.marks.note(now, *id);
            }
        }
    }

    pub(super) fn pump_marks(&mut self, now: Now, fx: &mut Effects) {
        if self.marks.deadline().is_none_or(|at| at > now) {
            return;
        }
        self.marks.at = None;
        for id in self.marks_to_say(now) {
            let Some(conversation) = self.conversations.get_mut(&id) else { continue };
            if let (Some(seq), _) = to_send(conversation) {
                conversation.received_said = seq;
                say(fx, Kind::Received(Received { conversation_id: id.to_string(), seq: seq.0 }));
            }
            self.say_read(id, fx);
        }
    }

    /// No more at a time than a server bears with, what was read first; the others wait.
    fn marks_to_say(&mut self, now: Now) -> Vec<ConversationId> {
        let due = std::mem::take(&mut self.marks.due);
        let read = |id: &ConversationId| {
            self.conversations.get(id).is_some_and(|conversation| to_send(conversation).1.is_some())
        };
        let (mut say, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(read);
        say.extend(rest);
        let later = say.split_off(say.len().min(limits::MAX_MARKS_PER_SECOND));
        if !later.is_empty() {
            self.marks.due.extend(later);
            self.marks.at = Some(now + COALESCE);
        }
        say
    }

    /// Says the read mark now, if there is anything to say.
    pub(super) fn say_read(&mut self, id: ConversationId, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        if let (_, Some(seq)) = to_send(conversation) {
            conversation.read_said = seq;
            say(fx, Kind::Read(Read { conversation_id: id.to_string(), seq: seq.0 }));
        }
    }

    /// What only time can mend is said again. A mark that cannot be is not; the server's own stands. One frame
    /// may be about both marks, and has the higher seq then.
    pub(super) fn on_mark_refused(&mut self, now: Now, refused: &MarkRefused, fx: &mut Effects) {
        let Some(id) = ConversationId::parse(&refused.conversation_id) else { return };
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        let (seq, problem) = (Seq(refused.seq), refused.problem.clone().unwrap_or_default());
        self.wishes.forget_read(id, seq);
        if meaning(problem.reason()).1 == Retry::Same {
            (conversation.received_said, conversation.read_said) = (conversation.received, conversation.read);
            self.marks.pause(now, &problem, &mut self.rng);
            self.marks.note(now, id);
            return;
        }
        let was_told = conversation.read_wanted <= seq.min(conversation.read_said);
        if was_told && conversation.read_wanted > conversation.read {
            conversation.read_wanted = conversation.read;
            fx.save.push(Mutation::ReadWanted(id, conversation.read));
            fx.tell.push(Event::Conversation { conversation: id, new: false });
        }
    }

    /// The log has a message of ours: the server's mark is there.
    pub(super) fn raise_read(&mut self, id: ConversationId, seq: Seq, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        if seq > conversation.read {
            conversation.read = seq;
            fx.save.push(Mutation::Read(id, seq));
        }
    }
}

/// Received speaks of entries that came, so an empty range has nothing to say.
fn to_send(conversation: &Conversation) -> (Option<Seq>, Option<Seq>) {
    let held = conversation.range.filter(|range| !range.is_empty()).map(|range| range.have);
    let received = held.filter(|have| *have > conversation.received.max(conversation.received_said));
    let read = Some(conversation.read_wanted)
        .filter(|wanted| *wanted > conversation.read.max(conversation.read_said));
    (received, read)
}
