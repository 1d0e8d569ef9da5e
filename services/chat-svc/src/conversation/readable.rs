//! Which parts of a log somebody may read.

use parlor_types::Seq;

/// A readable part, both ends included; open while the membership lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First readable entry.
    pub from: Seq,
    /// Last readable entry, `None` while the membership lasts.
    pub to: Option<Seq>,
}

/// All that somebody may read of a conversation, in order; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

/// A part of a log to read, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// First entry.
    pub from: Seq,
    /// Last entry.
    pub to: Seq,
}

impl Ranges {
    /// From the rows of a store, in any order; `None` if there are none: the conversation is not there for them.
    #[must_use]
    pub fn new(mut ranges: Vec<Range>) -> Option<Self> {
        ranges.sort_by_key(|range| range.from);
        (!ranges.is_empty()).then_some(Self(ranges))
    }

    /// The ranges, in order.
    #[must_use]
    pub fn all(&self) -> &[Range] {
        &self.0
    }

    /// The highest entry they may read of a log with this head.
    #[must_use]
    pub fn head(&self, head: Seq) -> Seq {
        self.0.iter().map(|range| range.to.unwrap_or(head)).max().unwrap_or_default()
    }

    /// Whether this entry may be read.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        self.0.iter().any(|range| range.from <= seq && range.to.is_none_or(|to| seq <= to))
    }

    /// Whether an entry in them may be read with what it says: if it changes another (`target`), that has to be readable
    /// too, and if it was changed, the latest change (`rev`, 0 for none). So nobody gets words from a time when they were
    /// no member, neither those of an earlier message nor those that a message was given later.
    #[must_use]
    pub fn shows(&self, target: Option<Seq>, rev: Seq) -> bool {
        target.is_none_or(|target| self.contains(target)) && (rev == Seq(0) || self.contains(rev))
    }

    /// What may be read of `wanted` in a log with this head: ascending, without overlap; ranges that touch are one
    /// piece.
    #[must_use]
    pub fn pieces(&self, wanted: Piece, head: Seq) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for range in &self.0 {
            let from = range.from.max(wanted.from);
            let to = range.to.unwrap_or(head).min(wanted.to).min(head);
            if from > to {
                continue;
            }
            match pieces.last_mut() {
                Some(last) if from <= last.to.next() => last.to = last.to.max(to),
                _ => pieces.push(Piece { from, to }),
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(u64, Option<u64>)]) -> Ranges {
        let list = list.iter().map(|(from, to)| Range { from: Seq(*from), to: to.map(Seq) });
        Ranges::new(list.collect()).unwrap()
    }

    fn pieces(list: &[(u64, Option<u64>)], from: u64, to: u64, head: u64) -> Vec<(u64, u64)> {
        let wanted = Piece { from: Seq(from), to: Seq(to) };
        ranges(list).pieces(wanted, Seq(head)).iter().map(|piece| (piece.from.0, piece.to.0)).collect()
    }

    #[test]
    fn only_what_is_inside_a_range_is_read() {
        assert_eq!(pieces(&[(3, Some(7)), (10, None)], 1, 99, 12), [(3, 7), (10, 12)]);
        assert_eq!(pieces(&[(3, Some(7)), (10, None)], 5, 10, 12), [(5, 7), (10, 10)]);
        assert_eq!(pieces(&[(3, Some(7))], 8, 99, 12), []);
        assert_eq!(pieces(&[(3, None)], 13, 99, 12), []);
    }

    #[test]
    fn ranges_that_touch_or_overlap_are_one_piece() {
        assert_eq!(pieces(&[(3, Some(7)), (8, None)], 1, 99, 12), [(3, 12)]);
        // Removed at 7, added again at 9 when all history had become visible.
        assert_eq!(pieces(&[(3, Some(7)), (1, None)], 1, 99, 12), [(1, 12)]);
    }

    #[test]
    fn what_a_change_says_is_for_those_who_may_read_both_ends() {
        let reader = ranges(&[(3, Some(7)), (10, None)]);
        assert!(reader.shows(None, Seq(0)));
        for (place, readable) in [(1, false), (3, true), (8, false), (12, true)] {
            assert_eq!(reader.shows(Some(Seq(place)), Seq(0)), readable, "a change of {place}");
            assert_eq!(reader.shows(None, Seq(place)), readable, "changed at {place}");
        }
        assert!(!reader.shows(Some(Seq(4)), Seq(8)));
    }

    #[test]
    fn an_ex_member_sees_no_head_beyond_the_removal() {
        assert_eq!(ranges(&[(1, Some(7))]).head(Seq(12)), Seq(7));
        assert_eq!(ranges(&[(1, Some(7)), (9, None)]).head(Seq(12)), Seq(12));
    }
}
