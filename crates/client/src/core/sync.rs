//! Rows, entries and heads: how what the server says becomes ranges.

use std::collections::BTreeMap;

use parlor_types::limits::MAX_CONVERSATIONS;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::{Appended, Conversation as Row, Entry, Head};
use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::Core;
use super::conversation::Conversation;
use super::message::{Effects, Event, Mutation, Now};
use super::range::{Place, Range};
use super::unread::Weight;

/// Conversations that are known at most (G8). A user is in fewer at once by far, but those that were left stay.
pub(super) const MAX_KNOWN: usize = 20 * MAX_CONVERSATIONS;

type All = BTreeMap<ConversationId, Conversation>;

/// What is known of a conversation that the server names; none if it is a new one and there is no room for it.
fn named(all: &mut All, id: ConversationId) -> Option<&mut Conversation> {
    if all.len() >= MAX_KNOWN && !all.contains_key(&id) {
        return None;
    }
    Some(all.entry(id).or_insert_with(Conversation::unseen))
}

impl Core {
    /// No server names so many that keeps its own limits. To leave some out would be to hold a part for the whole, so it is not
    /// listened to any more.
    fn too_many(&mut self, now: Now, fx: &mut Effects) {
        let Some(conn) = self.link.current_conn() else { return };
        let message = format!("the server names more than {MAX_KNOWN} conversations");
        let reason = ErrorReason::TooManyConversations.into();
        fx.close.push(conn);
        self.ended(now, conn, Some(Problem { reason, message, ..Problem::default() }), false, fx);
    }

    /// A row of the chat list. Its first sight starts an empty range at its head.
    pub(super) fn on_row(&mut self, now: Now, row: Option<Row>, fx: &mut Effects) {
        let Some(mut row) = row else { return };
        let Some(id) = ConversationId::parse(&row.id) else { return };
        let head = Seq(row.head);
        let Some(conversation) = named(&mut self.conversations, id) else {
            return self.too_many(now, fx);
        };
        let new = conversation.range.is_none();
        conversation.floor = row.readable.last().map_or(Seq::FIRST, |range| Seq(range.from_seq.max(1)));
        if head < conversation.held {
            fx.save.push(Mutation::Forget(id));
            fx.tell.push(Event::Regressed(id));
            *conversation = Conversation { floor: conversation.floor, ..Conversation::unseen() };
            self.ahead.forget(id);
        }
        let range = conversation.range.get_or_insert(Range::empty_at(head));
        if conversation.floor > range.have.next() {
            *range = Range::starting_at(conversation.floor); // joined again, and what lies between is not for us
        }
        conversation.head = conversation.head.max(head);
        let marks = row.marks.unwrap_or_default();
        conversation.received = conversation.received.max(Seq(marks.received));
        conversation.read = conversation.read.max(Seq(marks.read));
        if let Some(preferences) = &mut row.preferences {
            conversation.hear_preferences(Seq(marks.read), preferences);
        }
        fx.save.push(Mutation::Row(id, Box::new(row)));
        fx.tell.push(Event::Conversation { conversation: id, new });
        self.advance(now, id, Vec::new(), fx);
    }

    pub(super) fn on_head(&mut self, now: Now, head: &Head, fx: &mut Effects) {
        let Some(id) = ConversationId::parse(&head.conversation_id) else { return };
        let Some(conversation) = named(&mut self.conversations, id) else {
            return self.too_many(now, fx);
        };
        let head = Seq(head.head);
        conversation.range.get_or_insert(Range::empty_at(head));
        if head > conversation.head {
            conversation.head = head;
            self.save_extent(id, fx);
            self.want_newer(id);
        }
    }

    /// A live entry.
    pub(super) fn on_entry(&mut self, now: Now, entry: Option<Entry>, fx: &mut Effects) {
        let Some(entry) = entry.filter(|entry| entry.seq > 0) else { return };
        let Some(id) = ConversationId::parse(&entry.conversation_id) else { return };
        let seq = Seq(entry.seq);
        self.seen_in_log(&entry, fx);
        self.typing_ended_by(id, &entry, fx);
        let Some(conversation) = named(&mut self.conversations, id) else {
            return self.too_many(now, fx);
        };
        let range = *conversation.range.get_or_insert(Range::starting_at(seq));
        let grew = seq > conversation.head;
        conversation.head = conversation.head.max(seq);
        match range.place(seq) {
            Place::Known => {}
            Place::Next => {
                self.advance(now, id, vec![entry], fx);
            }
            Place::Ahead => {
                self.ahead.keep(id, entry);
                self.want_newer(id);
                if grew {
                    self.save_extent(id, fx); // the gap survives a crash
                }
            }
        }
    }

    /// Moves `have` over every entry that is next, of `page` and of those kept, and saves.
    pub(super) fn advance(&mut self, now: Now, id: ConversationId, page: Vec<Entry>, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        let Some(mut range) = conversation.range else { return };
        let from = range.have.next();
        let mut next = Vec::new();
        for entry in page {
            if range.place(Seq(entry.seq)) == Place::Next {
                range.have = Seq(entry.seq);
                next.push(entry);
            }
        }
        while let Some(entry) = self.ahead.take(id, range.have.next()) {
            range.have = Seq(entry.seq);
            next.push(entry);
        }
        conversation.range = Some(range);
        conversation.head = conversation.head.max(range.have);
        for entry in next {
            self.save_entry(id, entry, fx);
        }
        self.save_extent(id, fx);
        if range.have >= from {
            self.marks.note(now, id);
            fx.tell.push(Event::Entries { conversation: id, from, to: range.have });
        }
        self.want_newer(id);
    }

    pub(super) fn save_entry(&mut self, id: ConversationId, entry: Entry, fx: &mut Effects) {
        let weight = Weight::of(&entry, self.me);
        if weight > Weight::Nothing && UserId::parse(&entry.sender_id) == Some(self.me) {
            self.raise_read(id, Seq(entry.seq), fx);
        }
        let message = Seq(entry.target);
        fx.save.push(Mutation::Entry(id, Box::new(entry), weight));
        if message > Seq::default() {
            fx.tell.push(Event::Changed { conversation: id, message });
        }
    }

    pub(super) fn save_extent(&mut self, id: ConversationId, fx: &mut Effects) {
        if let Some(conversation) = self.conversations.get(&id)
            && let Some(range) = conversation.range
        {
            fx.save.push(Mutation::Extent(id, range, conversation.head));
        }
    }

    /// Whatever has our op is our message: it has arrived.
    pub(super) fn seen_in_log(&mut self, entry: &Entry, fx: &mut Effects) {
        if entry.sender_id != self.me.to_string() {
            return;
        }
        let Some(op) = parlor_types::Op::parse(&entry.op) else { return };
        let appended = Appended {
            conversation_id: entry.conversation_id.clone(),
            seq: entry.seq,
            message_number: entry.message_number,
            time: entry.time,
            duplicate: true,
        };
        self.settle(op, Ok(appended), fx);
    }
}
