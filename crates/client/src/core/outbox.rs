//! Sending: lanes in order, and what becomes of a refusal.
//!
//! One lane per conversation. The rows in flight are always the first ones of its queue. After a refusal the lane
//! pauses until every row in flight is answered, and then goes on from its first row, so that no row is in flight twice
//! on one stream and the order of the queue is the order of the log (G4).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{AppendResult, Appended, LogPage, append_result};
use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::message::{Effects, Event, Mutation, Now, Outgoing, UploadNews};
use super::verdict::{Verdict, verdict};
use super::{Core, backoff, say};

/// What is to be sent on this stream.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The saved rows have been read since this stream became live.
    loaded: bool,
    lanes: BTreeMap<ConversationId, Lane>,
    /// Unanswered appends of this stream.
    in_flight: BTreeMap<Op, ConversationId>,
}

#[derive(Debug, Default)]
struct Lane {
    number: u32,
    queue: VecDeque<Outgoing>,
    /// So many rows of the queue's front are sent.
    sent: usize,
    /// A row was refused: answers are awaited, then all is sent again.
    refused: bool,
    not_before: Option<Now>,
    /// Refusals in a row that only time can mend.
    failures: u32,
    search: Option<Search>,
}

/// Reading the log for ops that may be in it.
#[derive(Debug)]
struct Search {
    /// The row the server would not look for.
    op: Op,
    from: Seq,
}

impl Lane {
    fn take(&mut self, op: Op) -> Option<Outgoing> {
        let at = self.queue.iter().position(|row| row.op == op)?;
        if at < self.sent {
            self.sent -= 1;
        }
        self.queue.remove(at)
    }
}

impl Outbox {
    pub fn load(&mut self, rows: Vec<Outgoing>) {
        self.loaded = true;
        for row in rows {
            self.push(row);
        }
    }

    /// Before the saved rows are read a new one waits among them.
    pub fn push(&mut self, row: Outgoing) {
        if self.loaded {
            self.lanes.entry(row.conversation).or_default().queue.push_back(row);
        }
    }

    pub fn leave_stream(&mut self) {
        *self = Self::default();
    }

    /// Lanes that wait for time alone.
    pub fn deadline(&self) -> Option<Now> {
        let waiting = self.lanes.iter().filter(|(id, lane)| lane.search.is_none() && !self.unanswered(**id));
        waiting.filter_map(|(_, lane)| lane.not_before).min()
    }

    /// Where to read on for lost ops.
    pub fn searches(&self) -> impl Iterator<Item = (ConversationId, Seq)> {
        self.lanes.iter().filter_map(|(id, lane)| Some((*id, lane.search.as_ref()?.from)))
    }

    fn unanswered(&self, id: ConversationId) -> bool {
        self.in_flight.values().any(|conversation| *conversation == id)
    }
}

impl Core {
    pub(super) fn pump_outbox(&mut self, now: Now, fx: &mut Effects) {
        let room = self.link.max_appends();
        let waiting: Vec<_> = self.outbox.lanes.keys().copied().collect();
        for id in waiting {
            let unanswered = self.outbox.unanswered(id);
            let Some(lane) = self.outbox.lanes.get_mut(&id) else { continue };
            if lane.queue.is_empty() && !unanswered && lane.number == 0 {
                self.outbox.lanes.remove(&id);
                continue;
            }
            if lane.search.is_some() || (lane.refused && unanswered) {
                continue;
            }
            if lane.refused {
                lane.refused = false;
                lane.sent = 0;
            }
            if lane.not_before.is_some_and(|at| at > now) {
                continue;
            }
            lane.not_before = None;
            while self.outbox.in_flight.len() < room
                && let Some(row) = lane.queue.get(lane.sent)
            {
                lane.sent += 1;
                self.outbox.in_flight.insert(row.op, id);
                say(fx, Kind::Append(row.to_append(lane.number)));
            }
        }
    }

    pub(super) fn on_append_result(&mut self, now: Now, result: AppendResult, fx: &mut Effects) {
        let Some(op) = Op::parse(&result.op) else { return };
        let Some(id) = self.outbox.in_flight.remove(&op) else { return };
        match result.outcome {
            Some(append_result::Outcome::Appended(appended)) => {
                if let Some(conversation) = self.conversations.get_mut(&id)
                    && Seq(appended.seq) > conversation.head
                {
                    conversation.head = Seq(appended.seq);
                    self.save_extent(id, fx);
                    self.want_acked(now, id);
                }
                if let Some(lane) = self.outbox.lanes.get_mut(&id) {
                    lane.failures = 0;
                }
                self.settle(op, Ok(appended), fx);
            }
            Some(append_result::Outcome::Problem(problem)) => {
                self.on_refused(now, (id, op), result.lane, problem, fx);
            }
            None => {}
        }
    }

    fn on_refused(
        &mut self,
        now: Now,
        (id, op): (ConversationId, Op),
        number: u32,
        problem: Problem,
        fx: &mut Effects,
    ) {
        let Some(lane) = self.outbox.lanes.get_mut(&id) else { return };
        if problem.reason() == ErrorReason::OutOfOrder {
            if !lane.refused {
                lane.pause(now, None, &mut self.rng); // nothing to resend after: a fault of the server, not a hot loop
            }
            return;
        }
        lane.number = number;
        lane.refused = true;
        match verdict(&problem) {
            Verdict::Drop => self.settle(op, Err(problem), fx),
            Verdict::Later(advice) => lane.pause(now, advice, &mut self.rng),
            Verdict::FollowOther => {}
            Verdict::UploadAgain => self.recall(op, problem, fx),
            Verdict::BaseToZero => {
                let ahead = lane.queue.iter_mut().filter(|row| row.base_seq > Seq(0));
                fx.save.extend(ahead.map(|row| {
                    row.base_seq = Seq(0);
                    Mutation::Rebase(row.op, row.base_seq)
                }));
            }
            Verdict::LookInLog => {
                let lowest = lane.queue.iter().map(|row| row.base_seq).min().unwrap_or_default();
                lane.search = Some(Search { op, from: lowest.next() });
            }
        }
    }

    /// A row goes back to those that wait for their files, if it came from there.
    fn recall(&mut self, op: Op, problem: Problem, fx: &mut Effects) {
        let mut rows = self.outbox.lanes.values().flat_map(|lane| &lane.queue);
        if !rows.any(|row| row.op == op && row.recallable) {
            return self.settle(op, Err(problem), fx);
        }
        self.outbox.lanes.values_mut().for_each(|lane| drop(lane.take(op)));
        fx.save.push(Mutation::Recall(op));
        fx.tell.push(Event::Upload { message: op, news: UploadNews::Again });
    }

    /// A row leaves the outbox, if it is there; before the saved rows are read that is not known.
    pub(super) fn settle(&mut self, op: Op, outcome: Result<Appended, Problem>, fx: &mut Effects) {
        let taken = self.outbox.lanes.values_mut().any(|lane| lane.take(op).is_some());
        if self.outbox.loaded && !taken {
            return;
        }
        fx.save.push(Mutation::Settle(op));
        fx.tell.push(Event::Settled(op, outcome));
    }

    /// A part of the log that was read for lost ops. Those in it have been settled when the whole is read; the rest
    /// may be sent with a base at its end.
    pub(super) fn on_op_page(&mut self, id: ConversationId, page: &LogPage, fx: &mut Effects) {
        for entry in &page.entries {
            self.seen_in_log(entry, fx);
        }
        let Some(lane) = self.outbox.lanes.get_mut(&id) else { return };
        let Some(search) = &mut lane.search else { return };
        if page.next_seq > search.from.0 {
            search.from = Seq(page.next_seq);
            return;
        }
        let op = search.op;
        let end = Seq(page.entries.last().map_or(page.head, |last| last.seq.max(page.head)));
        lane.search = None;
        let stays = lane.queue.iter().find(|row| row.op == op).is_some_and(|row| row.base_seq >= end);
        if stays {
            let problem = Problem { reason: ErrorReason::OpTooOld.into(), ..Problem::default() };
            self.settle(op, Err(problem), fx); // the rest of the log may not be read: nobody can tell
            return;
        }
        for row in lane.queue.iter_mut().filter(|row| row.base_seq < end) {
            row.base_seq = end;
            fx.save.push(Mutation::Rebase(row.op, end));
        }
    }

    /// The log cannot be read: the op that needed it cannot be sent.
    pub(super) fn drop_searched(&mut self, id: ConversationId, problem: Problem, fx: &mut Effects) {
        let search = self.outbox.lanes.get_mut(&id).and_then(|lane| lane.search.take());
        if let Some(search) = search {
            self.settle(search.op, Err(problem), fx);
        }
    }
}

impl Lane {
    fn pause(&mut self, now: Now, advice: Option<Duration>, rng: &mut rand::rngs::StdRng) {
        self.refused = true;
        self.not_before = Some(now + backoff::wait(rng, self.failures, advice));
        self.failures += 1;
    }
}
