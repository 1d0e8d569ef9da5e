//! Received and read marks: coalesced, and repeated on the next stream until the server shows them.

use std::collections::BTreeSet;
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{MarkRefused, Read, Received};

use super::conversation::Conversation;
use super::message::{Effects, Mutation, Now};
use super::{Core, say};

/// Marks are gathered this long.
const COALESCE: Duration = Duration::from_secs(1);

/// Conversations with a mark to send.
#[derive(Debug, Default)]
pub(super) struct Marks {
    due: BTreeSet<ConversationId>,
    at: Option<Now>,
}

impl Marks {
    pub fn note(&mut self, now: Now, id: ConversationId) {
        self.due.insert(id);
        self.at.get_or_insert(now + COALESCE);
    }

    pub fn leave_stream(&mut self) {
        self.due.clear();
        self.at = None;
    }

    pub fn deadline(&self) -> Option<Now> {
        self.at
    }
}

impl Core {
    pub(super) fn on_mark_read(&mut self, now: Now, id: ConversationId, seq: Seq, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        let seq = seq.min(conversation.head);
        if seq > conversation.read_wanted && seq > conversation.read {
            conversation.read_wanted = seq;
            fx.save.push(Mutation::ReadWanted(id, seq));
            self.marks.note(now, id);
        }
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
        if self.marks.at.is_none_or(|at| at > now) {
            return;
        }
        self.marks.at = None;
        for id in std::mem::take(&mut self.marks.due) {
            let Some(conversation) = self.conversations.get_mut(&id) else { continue };
            let (received, read) = to_send(conversation);
            if let Some(seq) = received {
                conversation.received = seq;
                say(fx, Kind::Received(Received { conversation_id: id.to_string(), seq: seq.0 }));
            }
            if let Some(seq) = read {
                say(fx, Kind::Read(Read { conversation_id: id.to_string(), seq: seq.0 }));
            }
        }
    }

    /// A mark that cannot be is not sent again; the server's own stands.
    pub(super) fn on_mark_refused(&mut self, refused: &MarkRefused) {
        let id = ConversationId::parse(&refused.conversation_id);
        if let Some(conversation) = id.and_then(|id| self.conversations.get_mut(&id)) {
            conversation.read_wanted = conversation.read;
        }
    }
}

/// Received speaks of entries that came, so an empty range has nothing to say.
fn to_send(conversation: &Conversation) -> (Option<Seq>, Option<Seq>) {
    let held = conversation.range.filter(|range| !range.is_empty()).map(|range| range.have);
    let received = held.filter(|have| *have > conversation.received);
    let read = Some(conversation.read_wanted).filter(|wanted| *wanted > conversation.read);
    (received, read)
}
