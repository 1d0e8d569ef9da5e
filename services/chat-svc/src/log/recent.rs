//! The newest ops of a conversation, for dedupe without a read.

use std::collections::{HashMap, VecDeque};

use parlor_types::{Op, Seq, UserId, limits};

use super::OpRow;

/// Rows kept: the dedupe span and some more, so that one old `base_seq` costs one read and not one for each append.
const CAPACITY: usize = limits::MAX_DEDUPE_SPAN as usize + 1024;

/// The ops of the rows from some seq up to the head.
#[derive(Debug, Default)]
pub(super) struct Recent {
    rows: VecDeque<OpRow>,
    index: HashMap<(UserId, Op), Seq>,
    before: Seq,
}

impl Recent {
    /// From consecutive rows that end at the head, the first of which follows `before`.
    pub(super) fn new(before: Seq, rows: Vec<OpRow>) -> Self {
        let index = rows.iter().map(|row| ((row.sender, row.op), row.seq)).collect();
        Self { rows: rows.into(), index, before }
    }

    /// Every row above this seq is here.
    pub(super) fn before(&self) -> Seq {
        self.before
    }

    /// The row of this op, if it is here.
    pub(super) fn find(&self, sender: UserId, op: Op) -> Option<&OpRow> {
        let seq = self.index.get(&(sender, op))?;
        let place = usize::try_from(seq.0 - self.before.0 - 1).ok()?;
        self.rows.get(place)
    }

    /// The first entry of the conversation, if it is here.
    pub(super) fn first(&self) -> Option<&OpRow> {
        self.rows.front().filter(|row| row.seq == Seq::FIRST)
    }

    /// The row after the last.
    pub(super) fn push(&mut self, row: OpRow) {
        self.index.insert((row.sender, row.op), row.seq);
        self.rows.push_back(row);
        if self.rows.len() > CAPACITY
            && let Some(oldest) = self.rows.pop_front()
        {
            self.before = oldest.seq;
            let key = (oldest.sender, oldest.op);
            if self.index.get(&key) == Some(&oldest.seq) {
                self.index.remove(&key);
            }
        }
    }
}
