//! Filling a page, the same in every backend.

use parlor_types::Seq;

use super::{Order, Page, Slice};
use crate::conversation::{Piece, Ranges};
use crate::log::Entry;

/// A page being filled.
#[derive(Debug)]
pub(super) struct Filling {
    slice: Slice,
    head: Seq,
    entries: Vec<Entry>,
    bytes: usize,
    pieces: usize,
    next: Option<Seq>,
}

impl Slice {
    /// What may be read of it, in reading order.
    pub(super) fn pieces(&self, ranges: &Ranges, head: Seq) -> Vec<Piece> {
        let mut pieces = ranges.pieces(Piece { from: self.from, to: self.to }, head);
        if self.order == Order::Descending {
            pieces.reverse();
        }
        pieces
    }

    /// An empty page; `head` is the highest readable entry.
    pub(super) fn page(self, head: Seq) -> Filling {
        Filling { slice: self, head, entries: Vec::new(), bytes: 0, pieces: 0, next: None }
    }
}

impl Filling {
    /// Whether to go on with this piece; if not, the page ends before it.
    pub(super) fn begins(&mut self, piece: Piece) -> bool {
        if self.next.is_some() {
            return false;
        }
        let first = if self.slice.order == Order::Ascending { piece.from } else { piece.to };
        self.pieces += 1;
        (self.pieces == 1 || self.slice.across_gaps) && self.takes(first) || {
            self.next = Some(first);
            false
        }
    }

    /// Whether the entry at `seq` still fits; if not, the next page begins there.
    pub(super) fn takes(&mut self, seq: Seq) -> bool {
        let fits = self.entries.len() < self.slice.max_entries && self.bytes < self.slice.max_bytes;
        if !fits {
            self.next = Some(seq);
        }
        fits
    }

    /// Adds an entry whose content takes `bytes`.
    pub(super) fn push(&mut self, entry: Entry, bytes: usize) {
        self.bytes += bytes;
        self.entries.push(entry);
    }

    pub(super) fn done(self) -> Page {
        Page { entries: self.entries, next: self.next, head: self.head }
    }
}
