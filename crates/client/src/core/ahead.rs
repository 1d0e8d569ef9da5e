//! Entries that came before those below them, kept until their turn comes. What there is no room for is fetched when it does.

use std::collections::BTreeMap;

use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::Entry;

/// Entries kept of one conversation.
const MAX_OF_ONE: usize = 64;
/// Entries kept of all conversations (G8).
const MAX_OF_ALL: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ahead(BTreeMap<(ConversationId, Seq), Entry>);

impl Ahead {
    /// Keeps an entry for later, as far as there is room. The lowest are the most useful.
    pub fn keep(&mut self, id: ConversationId, entry: Entry) {
        self.0.insert((id, Seq(entry.seq)), entry);
        if self.0.len() > MAX_OF_ALL || self.of(id).count() > MAX_OF_ONE {
            let highest = self.of(id).next_back().expect("it has the one that was just kept");
            self.0.remove(&(id, highest));
        }
    }

    /// The lowest entry kept of a conversation.
    pub fn lowest(&self, id: ConversationId) -> Option<Seq> {
        self.of(id).next()
    }

    /// The lowest entry kept of a conversation, if it is exactly `seq`; lower ones are dropped.
    pub fn take(&mut self, id: ConversationId, seq: Seq) -> Option<Entry> {
        while let Some(lowest) = self.lowest(id).filter(|lowest| *lowest < seq) {
            self.0.remove(&(id, lowest));
        }
        self.0.remove(&(id, seq))
    }

    /// Drops all of a conversation.
    pub fn forget(&mut self, id: ConversationId) {
        while let Some(lowest) = self.lowest(id) {
            self.0.remove(&(id, lowest));
        }
    }

    fn of(&self, id: ConversationId) -> impl DoubleEndedIterator<Item = Seq> + '_ {
        self.0.range((id, Seq::default())..=(id, Seq(u64::MAX))).map(|((_, seq), _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;

    fn id(number: usize) -> ConversationId {
        ConversationId::from_bytes((number as u128).to_be_bytes())
    }

    fn kept(ahead: &mut Ahead, number: usize, seqs: impl IntoIterator<Item = u64>) {
        seqs.into_iter().for_each(|seq| ahead.keep(id(number), Entry { seq, ..Entry::default() }));
    }

    #[test]
    fn the_next_one_is_taken_and_lower_ones_are_dropped() {
        let mut ahead = Ahead::default();
        kept(&mut ahead, 1, [9, 5, 7]);
        kept(&mut ahead, 2, [3]);
        assert_eq!(ahead.lowest(id(1)), Some(Seq(5)));
        assert_eq!(ahead.take(id(1), Seq(4)), None);
        assert_eq!(ahead.take(id(1), Seq(7)).map(|entry| entry.seq), Some(7));
        assert_eq!((ahead.lowest(id(1)), ahead.lowest(id(2))), (Some(Seq(9)), Some(Seq(3))));
        ahead.forget(id(1));
        assert_eq!((ahead.lowest(id(1)), ahead.lowest(id(2))), (None, Some(Seq(3))));
    }

    #[test]
    fn g8_of_one_conversation_and_of_all_so_many_are_kept_the_lowest_first() {
        let mut ahead = Ahead::default();
        kept(&mut ahead, 0, (2..500).rev());
        assert_eq!(ahead.of(id(0)).map(|seq| seq.0).collect::<Vec<_>>(), (2..66).collect::<Vec<_>>());
        for number in 1..1000 {
            kept(&mut ahead, number, 2..10);
        }
        assert_eq!(ahead.0.len(), MAX_OF_ALL, "G8: a server fills a client");
        assert_eq!(ahead.lowest(id(0)), Some(Seq(2)), "what was kept before stays");
    }
}
