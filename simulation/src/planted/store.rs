//! A store that tells something else than it holds.

use std::sync::atomic::{AtomicU64, Ordering};

use chat_svc::receipts::TimedMarks;
use chat_svc::store::{Commit, Receipts, Row, Snapshot};
use parlor_types::{Id as _, Op, Seq};

use super::Planted;

/// With [`Planted::CursorAhead`]: commits that no one was told of.
const AHEAD: u64 = 4;

/// What becomes of what was read.
#[derive(Debug)]
pub struct Telling {
    planted: Option<Planted>,
    told: AtomicU64,
}

impl Telling {
    /// With this fault, if any.
    pub fn new(planted: Option<Planted>) -> Self {
        Self { planted, told: AtomicU64::new(0) }
    }

    /// Of a conversation that is loaded.
    pub fn loaded(&self, mut snapshot: Snapshot) -> Snapshot {
        if self.planted == Some(Planted::ForgetsOps) {
            snapshot.rows.iter_mut().for_each(|row| row.op = Op::from_bytes([0x66; 16]));
        }
        snapshot
    }

    /// Of where a sync ends.
    pub fn synced(&self, commit: Commit) -> Commit {
        if self.planted == Some(Planted::CursorAhead) { Commit(commit.0 + AHEAD) } else { commit }
    }

    /// Of rows.
    pub fn rows(&self, mut rows: Vec<Row>) -> Vec<Row> {
        if self.is_early() {
            rows.iter_mut().flat_map(|row| &mut row.members).for_each(|member| lower(&mut member.marks));
        }
        rows
    }

    /// Of the marks of others.
    pub fn receipts(&self, mut receipts: Vec<Receipts>) -> Vec<Receipts> {
        if self.is_early() {
            receipts.iter_mut().flat_map(|of| &mut of.members).for_each(|(_, marks)| lower(marks));
        }
        receipts
    }

    fn is_early(&self) -> bool {
        self.planted == Some(Planted::MarksGoBack)
            && self.told.fetch_add(1, Ordering::Relaxed).is_multiple_of(3)
    }
}

fn lower(marks: &mut TimedMarks) {
    marks.marks.received = Seq(marks.marks.received.0 / 2);
    marks.marks.read = Seq(marks.marks.read.0 / 2);
}
