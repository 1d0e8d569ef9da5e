//! What the core remembers of one conversation.

use std::collections::BTreeMap;

use parlor_types::Seq;
use parlor_wire::chat::v1::Entry;

use super::SavedConversation;
use super::range::Range;

/// Entries kept of one conversation until those before them come; others are fetched when their turn comes.
const MAX_AHEAD: usize = 64;

/// One conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The highest seq heard of.
    pub head: Seq,
    pub range: Option<Range>,
    /// `have` when the present stream said Hello: a row that knows less than that is a log that shrank.
    pub held: Seq,
    /// First seq of the current readable range.
    pub floor: Seq,
    /// Entries that came before those below them.
    pub ahead: BTreeMap<Seq, Entry>,
    pub received: Seq,
    pub read: Seq,
    pub read_wanted: Seq,
}

impl Conversation {
    pub fn unseen() -> Self {
        Self {
            head: Seq::default(),
            range: None,
            held: Seq::default(),
            floor: Seq::FIRST,
            ahead: BTreeMap::new(),
            received: Seq::default(),
            read: Seq::default(),
            read_wanted: Seq::default(),
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
            ..Self::unseen()
        }
    }

    /// Whether entries are missing between what is held and the head.
    pub fn is_behind(&self) -> bool {
        self.range.is_some_and(|range| range.have < self.head)
    }

    /// Keeps an entry for later, as far as there is room. The lowest are the most useful.
    pub fn keep_ahead(&mut self, entry: Entry) {
        self.ahead.insert(Seq(entry.seq), entry);
        if self.ahead.len() > MAX_AHEAD {
            self.ahead.pop_last();
        }
    }

    /// The lowest kept entry, if it is exactly `seq`; lower ones are dropped.
    pub fn take_ahead(&mut self, seq: Seq) -> Option<Entry> {
        while let Some(first) = self.ahead.first_entry() {
            match first.key().cmp(&seq) {
                std::cmp::Ordering::Less => drop(first.remove()),
                std::cmp::Ordering::Equal => return Some(first.remove()),
                std::cmp::Ordering::Greater => return None,
            }
        }
        None
    }
}
