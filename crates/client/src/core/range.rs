//! The part of a log that is held: consecutive seqs `[low, have]`.

use parlor_types::Seq;

/// The seqs `low..=have` of one conversation, all of them saved. Empty when `low` is one above `have`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Lowest seq held.
    pub low: Seq,
    /// Highest seq held.
    pub have: Seq,
}

/// Where a seq stands to a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Held already, or below what is held.
    Known,
    /// The next one.
    Next,
    /// Others are missing before it.
    Ahead,
}

impl Range {
    /// Holds nothing; what follows `have` is next.
    #[must_use]
    pub fn empty_at(have: Seq) -> Self {
        Self { low: have.next(), have }
    }

    /// Holds nothing; `first` is next.
    #[must_use]
    pub fn starting_at(first: Seq) -> Self {
        Self::empty_at(first.previous())
    }

    /// Whether nothing is held.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.low > self.have
    }

    pub(crate) fn place(self, seq: Seq) -> Place {
        match seq.0.checked_sub(self.have.0) {
            None | Some(0) => Place::Known,
            Some(1) => Place::Next,
            Some(_) => Place::Ahead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_range_waits_for_its_first() {
        let range = Range::starting_at(Seq(9));
        assert!(range.is_empty());
        assert_eq!(range, Range::empty_at(Seq(8)));
        assert_eq!(range.place(Seq(8)), Place::Known);
        assert_eq!(range.place(Seq(9)), Place::Next);
        assert_eq!(range.place(Seq(10)), Place::Ahead);
        assert!(!Range { low: Seq(9), have: Seq(9) }.is_empty());
    }
}
