//! What the core remembers of one conversation.

use parlor_types::Seq;
use parlor_wire::chat::v1::Preferences;

use super::SavedConversation;
use super::range::Range;

/// One conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The highest seq heard of.
    pub head: Seq,
    pub range: Option<Range>,
    /// `have` when the present stream said Hello: a row that knows less than that is a log that shrank.
    pub held: Seq,
    /// The same for the stream that is being opened.
    pub held_at_hello: Seq,
    /// First seq of the current readable range.
    pub floor: Seq,
    /// The server's received mark, as far as it is known.
    pub received: Seq,
    /// What this stream was told of it.
    pub received_said: Seq,
    /// The server's read mark, as far as it is known: of rows, and of messages of one's own in the log.
    pub read: Seq,
    /// What this stream was told of it.
    pub read_said: Seq,
    /// What the app asked for.
    pub read_wanted: Seq,
    /// By the row: to be come back to.
    pub marked_unread: bool,
}

impl Conversation {
    pub fn unseen() -> Self {
        Self {
            head: Seq::default(),
            range: None,
            held: Seq::default(),
            held_at_hello: Seq::default(),
            floor: Seq::FIRST,
            received: Seq::default(),
            received_said: Seq::default(),
            read: Seq::default(),
            read_said: Seq::default(),
            read_wanted: Seq::default(),
            marked_unread: false,
        }
    }

    pub fn restored(saved: &SavedConversation) -> Self {
        Self {
            head: saved.head,
            range: saved.range,
            floor: saved.floor,
            received: saved.received,
            read: saved.read,
            read_wanted: saved.read_wanted,
            marked_unread: saved.marked_unread,
            ..Self::unseen()
        }
    }

    /// Preferences that the server had when its read mark was at `read`. A mark of ours that it had not heard of then takes
    /// `marked_unread` away when it does, and tells our other devices alone.
    pub fn hear_preferences(&mut self, read: Seq, preferences: &mut Preferences) {
        preferences.marked_unread &= self.read_wanted <= read;
        self.marked_unread = preferences.marked_unread;
    }

    /// Whether entries are missing between what is held and the head.
    pub fn is_behind(&self) -> bool {
        self.range.is_some_and(|range| range.have < self.head)
    }
}
