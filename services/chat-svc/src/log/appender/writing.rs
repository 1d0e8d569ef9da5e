//! A batch, while it is made and while it is written.

use std::sync::Arc;

use parlor_types::{ConversationId, Seq, UserId};

use super::{Pending, Published};
use crate::conversation::Content;
use crate::store::{Batch, NewEntry};

/// Entries in one batch.
pub(super) const BATCH_ENTRIES: usize = 64;
/// Content bytes in one batch.
const BATCH_BYTES: usize = 256 * 1024;

/// A batch that is being written, and whom it answers.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) batch: Arc<Batch>,
    /// Which entry of the batch answers whom; a retry that met its own op in the batch is a duplicate of it.
    pub(super) answers: Vec<(Pending, usize, bool)>,
    pub(super) published: Vec<Published>,
    /// The outcome of an earlier attempt is unknown: it may be stored.
    pub(super) in_doubt: bool,
}

impl Writing {
    /// Everybody whom it concerns.
    pub(super) fn concerned(&self) -> Vec<UserId> {
        let all = self.published.iter().flat_map(|published| {
            published.receivers.iter().chain(&published.newcomers).chain(&published.leavers)
        });
        let mut all: Vec<UserId> = all.copied().collect();
        all.sort();
        all.dedup();
        all
    }
}

/// The next batch, as drafts are accepted for it.
pub(super) struct Making {
    conversation: ConversationId,
    pub(super) after: Seq,
    entries: Vec<NewEntry>,
    bytes: usize,
    answers: Vec<(Pending, usize, bool)>,
    published: Vec<Published>,
}

impl Making {
    pub(super) fn new(conversation: ConversationId, after: Seq) -> Self {
        Self {
            conversation,
            after,
            entries: Vec::new(),
            bytes: 0,
            answers: Vec::new(),
            published: Vec::new(),
        }
    }

    pub(super) fn accept(&mut self, pending: Pending, entry: NewEntry, published: Published) {
        self.bytes += pending.draft.bytes;
        if entry.entry.content == Content::Delete {
            self.clear(&entry);
        }
        self.answers.push((pending, self.entries.len(), false));
        self.entries.push(entry);
        self.published.push(published);
    }

    /// What is deleted is not stored first, and told to nobody.
    fn clear(&mut self, delete: &NewEntry) {
        let about = delete.entry.target;
        let edits = self.entries.iter_mut().zip(&mut self.published);
        for (edit, published) in edits.filter(|(edit, _)| edit.entry.target == about) {
            edit.entry.clear(&delete.entry);
            published.entry.clear(&delete.entry);
        }
    }

    pub(super) fn join(&mut self, pending: Pending, seq: Seq) {
        let index = self.entries.iter().position(|new| new.entry.seq == seq);
        self.answers.push((pending, index.expect("a row above the stored head is in the batch"), true));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_ENTRIES || self.bytes >= BATCH_BYTES
    }

    pub(super) fn finish(self) -> Writing {
        let batch = Batch { conversation: self.conversation, after: self.after, entries: self.entries };
        Writing { batch: Arc::new(batch), answers: self.answers, published: self.published, in_doubt: false }
    }
}
