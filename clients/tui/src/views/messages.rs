//! The messages of one conversation.

mod block;
mod draw;
mod keys;
mod scroll;
mod window;

use parlor_client::core::Range;
use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{Append, Entry, Marks};

pub use block::{Block, INDENT, block, in_order};
pub use draw::{draw, draw_header};
pub use keys::{click, find, on_key};
pub use scroll::{Anchor, Placed, scroll, to_bottom, to_key, visible};
pub use window::{Page, take_in};

/// What a message is called here: its place, or its op while it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// In the log.
    At(Seq),
    /// On its way.
    Waiting(Op),
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// What it is called.
    pub op: Op,
    /// What it says.
    pub append: Append,
    /// It will never be sent, and why.
    pub failed: Option<String>,
    /// The server has it; its entry is on the way.
    pub stored: bool,
}

/// How far another member is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reader {
    /// Who.
    pub user: UserId,
    /// Since when.
    pub joined: Seq,
    /// How far.
    pub marks: Marks,
}

/// A search in the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What for; in lower case.
    pub needle: String,
    /// Where it was found last.
    pub at: Option<Seq>,
    /// Older messages are being fetched for it.
    pub fetching: bool,
}

/// The messages of the conversation that is open.
#[derive(Debug)]
pub struct Thread {
    /// Which.
    pub id: ConversationId,
    /// A part of what is held, without a hole.
    pub entries: Vec<Entry>,
    /// What is on its way.
    pub waiting: Vec<Waiting>,
    /// What is held.
    pub range: Option<Range>,
    /// There is nothing older that may be read.
    pub complete: bool,
    /// How far the others are.
    pub readers: Vec<Reader>,
    /// Up to where it was read when it was opened.
    pub read_before: Seq,
    /// Up to where it was marked as read.
    pub marked: Seq,
    /// What is at the bottom of the screen.
    pub anchor: Anchor,
    /// The message that keys are about.
    pub chosen: Option<Key>,
    /// What is searched for.
    pub search: Option<Search>,
    /// A part that was asked for and has not come.
    pub loading: bool,
    /// Older entries are being fetched from the server.
    pub fetching: bool,
    /// Where to go once it is there, and whether it is chosen then.
    pub going_to: Option<(Seq, bool)>,
}

impl Thread {
    /// Nothing of it is there yet.
    #[must_use]
    pub fn new(id: ConversationId, read_before: Seq) -> Self {
        Self {
            id,
            entries: Vec::new(),
            waiting: Vec::new(),
            range: None,
            complete: false,
            readers: Vec::new(),
            read_before,
            marked: Seq::default(),
            anchor: Anchor::Bottom,
            chosen: None,
            search: None,
            loading: false,
            fetching: false,
            going_to: None,
        }
    }

    /// Messages that are there, and those on their way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len() + self.waiting.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the message at this place is called.
    #[must_use]
    pub fn key(&self, index: usize) -> Option<Key> {
        match self.entries.get(index) {
            Some(entry) => Some(Key::At(Seq(entry.seq))),
            None => self.waiting.get(index - self.entries.len()).map(|waiting| Key::Waiting(waiting.op)),
        }
    }

    /// Where a message is.
    #[must_use]
    pub fn index(&self, key: Key) -> Option<usize> {
        (0..self.len()).find(|index| self.key(*index) == Some(key))
    }

    /// The entry at a seq, if it is there.
    #[must_use]
    pub fn entry(&self, seq: Seq) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.seq == seq.0)
    }

    /// The message that keys are about, if it is in the log.
    #[must_use]
    pub fn chosen_entry(&self) -> Option<&Entry> {
        match self.chosen? {
            Key::At(seq) => self.entry(seq),
            Key::Waiting(_) => None,
        }
    }

    /// The first seq that is there.
    #[must_use]
    pub fn first(&self) -> Option<Seq> {
        self.entries.first().map(|entry| Seq(entry.seq))
    }

    /// The last seq that is there.
    #[must_use]
    pub fn last(&self) -> Option<Seq> {
        self.entries.last().map(|entry| Seq(entry.seq))
    }

    /// Whether the newest that is held is there.
    #[must_use]
    pub fn has_newest(&self) -> bool {
        self.range.is_none_or(|range| range.is_empty() || self.last().is_some_and(|last| last >= range.have))
    }
}
