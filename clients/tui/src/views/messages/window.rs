//! Which part of the log is there: it grows as the reader scrolls, and what is far away is let go of.

use parlor_client::core::Range;
use parlor_types::{ConversationId, Op, Seq};
use parlor_wire::chat::v1::Entry;

use super::{Anchor, Key, Reader, Thread, Waiting};
use crate::effect::Part;

/// Entries that are there at once, at most.
const MAX_WINDOW: usize = 800;

/// A part of a log as it was read from the store, and what is shown beside it.
#[derive(Debug, Clone)]
pub struct Page {
    /// Whose.
    pub conversation: ConversationId,
    /// What was asked for.
    pub part: Part,
    /// The entries, lowest first, without a hole.
    pub entries: Vec<Entry>,
    /// What is held.
    pub range: Option<Range>,
    /// The first seq that may be read.
    pub floor: Seq,
    /// What is on its way.
    pub waiting: Vec<Waiting>,
    /// How far the others are.
    pub readers: Vec<Reader>,
}

/// Takes in what was read. What does not join what is there any more is of no use.
pub fn take_in(thread: &mut Thread, page: Page) {
    let Page { part, entries, range, floor, waiting, readers, .. } = page;
    thread.range = range;
    thread.readers = readers;
    thread.complete |= range.is_some_and(|range| range.low <= floor);
    match part {
        Part::Newest => thread.entries = entries,
        Part::Around(_) => {
            thread.entries = entries;
            thread.anchor = Anchor::Bottom;
        }
        Part::Before(seq) => {
            thread.fetching = false;
            if thread.first() == Some(seq) && joins(&entries, seq) {
                thread.entries.splice(0..0, entries);
            }
        }
        Part::After(seq) => {
            let fits = thread.last().map_or(Seq::default(), |last| last) == seq;
            if fits && entries.first().is_none_or(|first| seq == Seq::default() || first.seq == seq.0 + 1) {
                thread.entries.extend(entries);
            } else if fits {
                thread.entries = entries; // a log that goes on further up: what was left out is not for us
            }
        }
        Part::Again(..) => replace(&mut thread.entries, entries),
    }
    trim(thread);
    keep_stored(thread, waiting);
    if !matches!(part, Part::Again(..)) {
        thread.loading = false;
    }
    if thread.chosen.is_some_and(|key| thread.index(key).is_none()) {
        thread.chosen = None;
    }
}

fn joins(entries: &[Entry], above: Seq) -> bool {
    entries.last().is_some_and(|last| last.seq + 1 == above.0)
}

fn replace(held: &mut [Entry], again: Vec<Entry>) {
    for entry in again {
        if let Some(place) = held.iter_mut().find(|known| known.seq == entry.seq) {
            *place = entry;
        }
    }
}

/// What the server has stored stays on the screen until its entry comes.
fn keep_stored(thread: &mut Thread, waiting: Vec<Waiting>) {
    let before = std::mem::replace(&mut thread.waiting, waiting);
    let came = |op: Op| thread.entries.iter().rev().any(|entry| entry.op == op.to_string());
    let stored: Vec<_> = before.into_iter().filter(|known| known.stored && !came(known.op)).collect();
    thread.waiting.retain(|waiting| !stored.iter().any(|known| known.op == waiting.op));
    thread.waiting.splice(0..0, stored);
    let came: Vec<_> = thread.waiting.iter().map(|waiting| waiting.op).filter(|op| came(*op)).collect();
    thread.waiting.retain(|waiting| !came.contains(&waiting.op));
}

/// Lets go of what is far from the reader, on the side that is further away.
fn trim(thread: &mut Thread) {
    let surplus = thread.entries.len().saturating_sub(MAX_WINDOW);
    if surplus == 0 {
        return;
    }
    let at = match thread.anchor {
        Anchor::Bottom => thread.entries.len(),
        Anchor::Above(key, _) => thread.index(key).unwrap_or(thread.entries.len()),
    };
    if at * 2 > thread.entries.len() {
        thread.entries.drain(..surplus);
        thread.complete = false;
    } else {
        thread.entries.truncate(MAX_WINDOW);
    }
}

impl Thread {
    /// The server has stored what was on its way.
    pub fn settle(&mut self, op: Op) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.op == op) {
            waiting.stored = true;
        }
    }

    /// Whether a message is one's own and in the log, not deleted.
    #[must_use]
    pub fn place(&self, key: Key) -> Option<&Entry> {
        match key {
            Key::At(seq) => self.entry(seq),
            Key::Waiting(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::Append;

    use super::*;

    fn entries(seqs: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
        seqs.map(|seq| Entry { seq, ..Entry::default() }).collect()
    }

    fn page(part: Part, seqs: std::ops::RangeInclusive<u64>) -> Page {
        Page {
            conversation: ConversationId::from_bytes([1; 16]),
            part,
            entries: entries(seqs),
            range: Some(Range { low: Seq(1), have: Seq(2000) }),
            floor: Seq(1),
            waiting: Vec::new(),
            readers: Vec::new(),
        }
    }

    fn thread(seqs: std::ops::RangeInclusive<u64>) -> Thread {
        let mut thread = Thread::new(ConversationId::from_bytes([1; 16]), Seq(0));
        take_in(&mut thread, page(Part::Newest, seqs));
        thread
    }

    fn ends(thread: &Thread) -> (u64, u64) {
        (thread.first().unwrap().0, thread.last().unwrap().0)
    }

    use parlor_types::Id as _;

    #[test]
    fn pages_join_without_a_hole_or_are_dropped() {
        let mut thread = thread(50..=60);
        take_in(&mut thread, page(Part::Before(Seq(50)), 40..=49));
        take_in(&mut thread, page(Part::After(Seq(60)), 61..=70));
        assert_eq!(ends(&thread), (40, 70));
        take_in(&mut thread, page(Part::Before(Seq(50)), 40..=49));
        take_in(&mut thread, page(Part::After(Seq(60)), 61..=70));
        assert_eq!(thread.entries.len(), 31, "what came late is not taken in twice");
    }

    #[test]
    fn what_is_far_away_is_let_go_of() {
        let mut thread = thread(1000..=1700);
        thread.anchor = Anchor::Above(Key::At(Seq(1001)), 0);
        take_in(&mut thread, page(Part::Before(Seq(1000)), 800..=999));
        assert_eq!(ends(&thread), (800, 1599), "whoever reads at the top keeps the top");
        thread.anchor = Anchor::Above(Key::At(Seq(1590)), 0);
        take_in(&mut thread, page(Part::After(Seq(1599)), 1600..=1799));
        assert_eq!(ends(&thread), (1000, 1799));
    }

    #[test]
    fn a_stored_message_stays_until_its_entry_is_there() {
        let mut thread = thread(1..=5);
        let op = Op::new();
        thread.waiting = vec![Waiting { op, append: Append::default(), failed: None, stored: false }];
        thread.settle(op);
        take_in(&mut thread, page(Part::Again(Seq(1), Seq(1)), 1..=1));
        assert_eq!(thread.waiting.len(), 1, "it does not vanish between outbox and log");
        let mut came = page(Part::After(Seq(5)), 6..=6);
        came.entries[0].op = op.to_string();
        take_in(&mut thread, came);
        assert!(thread.waiting.is_empty());
    }
}
