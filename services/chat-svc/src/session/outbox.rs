//! What waits to be sent on one stream, bounded for every kind of frame (G8).
//!
//! | kind | bound |
//! | --- | --- |
//! | entries | bytes waiting, and entries and bytes unacked; beyond either, one head mark per conversation |
//! | receipts | made as rows are; a set of users per conversation until then, bounded in all, beyond which the row is owed |
//! | rows | made when nothing else waits, a few at a time; one mark per conversation until then |
//! | results of appends and fetches | the number in flight, which counts until the result has left |
//! | results of changes of preferences | made one at a time, when there is room; few wait, more are refused |
//! | typing | the latest of each person in each conversation, and not many; sent when there is room, else dropped |
//! | presence | the latest of each person watched, who are 200; sent when there is room |
//! | everything else | `MAX_NOTICES`, then dropped: only what a client repeats or need not have |

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::{Head, ServerFrame, server_frame};
use prost::Message as _;

use super::attention::Attention;
use super::ephemeral::Ephemerals;
use super::receipts::Owed;
use super::{Live, StreamLimits};

/// Notices (Pong, MarkRefused, Refused, Drain, and what is refused at once of Fetch and SetPreferences) waiting at the same
/// time.
const MAX_NOTICES: usize = 64;
/// Head marks sent in one go.
const HEADS_AT_ONCE: usize = 64;
/// Sent batches remembered apart; above it, the newest are acked together.
const MAX_SENT: usize = 1024;

/// What a frame counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    AppendResult,
    FetchResult,
    Notice,
    /// Welcome, rows, SyncDone, Checkpoint, Goodbye: made one step at a time.
    Step,
}

/// A frame that waits.
#[derive(Debug)]
struct Waiting {
    frame: Bytes,
    /// Of an entry: where it is, and which message it changes.
    entry: Option<(ConversationId, Seq, Option<Seq>)>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    batch: u64,
    entries: usize,
    bytes: usize,
}

/// A conversation with something to say that has not been said.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    head: Option<Seq>,
    row: bool,
}

/// Frames on their way to the transport.
#[derive(Debug, Clone, PartialEq)]
pub struct OutBatch {
    /// Counts from 1.
    pub batch: u64,
    /// Encoded ServerFrames.
    pub frames: Vec<Bytes>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    limits: StreamLimits,
    frames: Vec<Waiting>,
    bytes: usize,
    entries: usize,
    notices: usize,
    /// Results that have not left.
    pub(super) append_results: usize,
    pub(super) fetch_results: usize,
    marks: BTreeMap<ConversationId, Mark>,
    /// Whose marks changed, and have not been told.
    pub(super) receipts: Owed,
    sent: VecDeque<Sent>,
    unacked_entries: usize,
    unacked_bytes: usize,
    batch: u64,
    pub(super) ephemerals: Ephemerals,
    pub(super) attention: Attention,
}

impl Outbox {
    pub(super) fn new(limits: StreamLimits) -> Self {
        Self {
            limits,
            frames: Vec::new(),
            bytes: 0,
            entries: 0,
            notices: 0,
            append_results: 0,
            fetch_results: 0,
            marks: BTreeMap::new(),
            receipts: Owed::default(),
            sent: VecDeque::new(),
            unacked_entries: 0,
            unacked_bytes: 0,
            batch: 0,
            ephemerals: Ephemerals::default(),
            attention: Attention::default(),
        }
    }

    /// Whether nothing is owed: no conversation has something to say that only a mark says. Receipts are counted apart.
    pub(super) fn owes_nothing(&self) -> bool {
        self.marks.is_empty()
    }

    /// Whether there is little enough waiting to make more.
    pub(super) fn is_low(&self) -> bool {
        self.bytes < self.limits.outbox_bytes
    }

    /// An entry; it becomes a mark where there is no room.
    pub(super) fn entry(&mut self, live: &Live) {
        let room = self.window_has_room() && self.bytes + live.frame.len() <= self.limits.outbox_bytes;
        if !room || self.marks.contains_key(&live.conversation) {
            self.head(live.conversation, live.seq);
            return;
        }
        self.bytes += live.frame.len();
        self.entries += 1;
        let entry = Some((live.conversation, live.seq, live.target));
        self.frames.push(Waiting { frame: live.frame.clone(), entry });
    }

    /// A message is deleted: it and its edits do not leave any more. The client misses them when the deletion comes, and
    /// fetches what they say now.
    pub(super) fn clear_message(&mut self, conversation: ConversationId, about: Seq) {
        let (bytes, entries) = (&mut self.bytes, &mut self.entries);
        self.frames.retain(|waiting| {
            let Some((of, seq, target)) = waiting.entry else { return true };
            let gone = of == conversation && (seq == about || target == Some(about));
            if gone {
                *bytes -= waiting.frame.len();
                *entries -= 1;
            }
            !gone
        });
    }

    /// A conversation has grown to this head, which the client will be told.
    pub(super) fn head(&mut self, conversation: ConversationId, head: Seq) {
        let mark = self.marks.entry(conversation).or_default();
        mark.head = mark.head.max(Some(head));
    }

    /// A conversation's row is to be sent.
    pub(super) fn row(&mut self, conversation: ConversationId) {
        self.marks.entry(conversation).or_default().row = true;
        self.receipts.forget(conversation);
    }

    /// Whether its row is to be sent.
    pub(super) fn owes_row(&self, conversation: ConversationId) -> bool {
        self.marks.get(&conversation).is_some_and(|mark| mark.row)
    }

    /// Takes up to `most` conversations whose rows are to be sent.
    pub(super) fn take_rows(&mut self, most: usize) -> Vec<ConversationId> {
        let owed = self.marks.iter().filter(|(_, mark)| mark.row).map(|(id, _)| *id);
        let owed: Vec<ConversationId> = owed.take(most).collect();
        for id in &owed {
            self.marks.remove(id);
        }
        owed
    }

    /// A row was sent that covers everything up to `head`.
    pub(super) fn covered(&mut self, conversation: ConversationId, head: Seq) {
        if let Some(mark) = self.marks.get_mut(&conversation)
            && mark.head <= Some(head)
        {
            mark.head = None;
            if !mark.row {
                self.marks.remove(&conversation);
            }
        }
    }

    /// A frame that always finds room, but for notices above their bound.
    pub(super) fn push(&mut self, kind: server_frame::Kind, weight: Weight) {
        if weight == Weight::Notice && self.notices >= MAX_NOTICES {
            return;
        }
        let frame = ServerFrame { kind: Some(kind) };
        self.put(frame.encode_to_vec().into(), weight);
    }

    /// As [`Outbox::push`], for a frame that is encoded already.
    pub(super) fn put(&mut self, frame: Bytes, weight: Weight) {
        self.bytes += frame.len();
        match weight {
            Weight::AppendResult => self.append_results += 1,
            Weight::FetchResult => self.fetch_results += 1,
            Weight::Notice => self.notices += 1,
            Weight::Step => {}
        }
        self.frames.push(Waiting { frame, entry: None });
    }

    /// Forgets everything: the stream ends.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.marks.clear();
        self.receipts = Owed::default();
        self.ephemerals.clear();
        self.attention.clear();
        (self.bytes, self.entries, self.notices) = (0, 0, 0);
        (self.append_results, self.fetch_results) = (0, 0);
    }

    /// Everything that waits, as one batch.
    pub(super) fn take(
        &mut self,
        now: Instant,
        awaited: impl Fn(ConversationId) -> bool,
    ) -> Option<OutBatch> {
        if self.frames.is_empty() && self.window_has_room() {
            self.promote_heads(&awaited);
        }
        self.promote_ephemerals(now, &awaited);
        if self.frames.is_empty() {
            return None;
        }
        self.batch += 1;
        self.remember(Sent { batch: self.batch, entries: self.entries, bytes: self.bytes });
        (self.bytes, self.entries, self.notices) = (0, 0, 0);
        (self.append_results, self.fetch_results) = (0, 0);
        let frames = std::mem::take(&mut self.frames).into_iter().map(|waiting| waiting.frame);
        Some(OutBatch { batch: self.batch, frames: frames.collect() })
    }

    /// The client has taken in all batches up to this one; `false` if that was not sent.
    pub(super) fn ack(&mut self, batch: u64) -> bool {
        if batch > self.batch {
            return false;
        }
        while let Some(first) = self.sent.front().copied() {
            if first.batch > batch {
                break;
            }
            self.sent.pop_front();
            self.unacked_entries -= first.entries;
            self.unacked_bytes -= first.bytes;
        }
        true
    }

    fn window_has_room(&self) -> bool {
        self.unacked_entries + self.entries < self.limits.window_entries
            && self.unacked_bytes + self.bytes < self.limits.window_bytes
    }

    /// Turns marks into frames, but for conversations whose row is on its way.
    fn promote_heads(&mut self, awaited: impl Fn(ConversationId) -> bool) {
        let ready = |(id, mark): (&ConversationId, &Mark)| match mark.head {
            Some(head) if !mark.row && !awaited(*id) => Some((*id, head)),
            _ => None,
        };
        let ready: Vec<(ConversationId, Seq)> =
            self.marks.iter().filter_map(ready).take(HEADS_AT_ONCE).collect();
        for (id, head) in ready {
            self.marks.remove(&id);
            let kind = server_frame::Kind::Head(Head { conversation_id: id.to_string(), head: head.0 });
            self.push(kind, Weight::Step);
        }
    }

    /// Turns ephemerals into frames while there is room.
    fn promote_ephemerals(&mut self, now: Instant, awaited: impl Fn(ConversationId) -> bool) {
        while self.is_low() && self.window_has_room() {
            let marks = &self.marks;
            let held = |id| awaited(id) || marks.get(&id).is_some_and(|mark| mark.row);
            let next = self.attention.take().or_else(|| self.ephemerals.take(now, held));
            let Some(kind) = next else { return };
            self.push(kind, Weight::Step);
        }
    }

    /// Counters only. Of a client that acks nothing, the newest are merged: acked a little later, never lost.
    fn remember(&mut self, sent: Sent) {
        self.unacked_entries += sent.entries;
        self.unacked_bytes += sent.bytes;
        let full = self.sent.len() >= MAX_SENT;
        match self.sent.back_mut() {
            Some(last) if full => {
                *last = Sent {
                    batch: sent.batch,
                    entries: last.entries + sent.entries,
                    bytes: last.bytes + sent.bytes,
                };
            }
            _ => self.sent.push_back(sent),
        }
    }
}

#[cfg(test)]
mod tests;
