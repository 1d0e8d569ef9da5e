//! Received and read marks: coalesced, and repeated on the next stream until the server shows them.

use std::collections::BTreeSet;
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{MarkRefused, Read, Received};

use super::conversation::Conversation;
use super::message::{Effects, Event, Mutation, Now};
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
        if self.marks.at.is_none_or(|at| at > now) {
            return;
        }
        self.marks.at = None;
        for id in std::mem::take(&mut self.marks.due) {
            let Some(conversation) = self.conversations.get_mut(&id) else { continue };
            if let (Some(seq), _) = to_send(conversation) {
                conversation.received_said = seq;
                say(fx, Kind::Received(Received { conversation_id: id.to_string(), seq: seq.0 }));
            }
            self.say_read(id, fx);
        }
    }

    /// Says the read mark now, if there is anything to say.
    pub(super) fn say_read(&mut self, id: ConversationId, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        if let (_, Some(seq)) = to_send(conversation) {
            conversation.read_said = seq;
            say(fx, Kind::Read(Read { conversation_id: id.to_string(), seq: seq.0 }));
        }
    }

    /// A mark that cannot be is not sent again; the server's own stands.
    pub(super) fn on_mark_refused(&mut self, refused: &MarkRefused, fx: &mut Effects) {
        let Some(id) = ConversationId::parse(&refused.conversation_id) else { return };
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        self.wishes.forget_read(id);
        if conversation.read_wanted > conversation.read {
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
