//! Filling ranges: upwards when something is missing, downwards on demand, and looking for old ops.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parlor_types::{ConversationId, Seq};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{Entry, Fetch, FetchResult, LogPage, fetch_result};
use parlor_wire::errors::v1::Problem;

use super::conversation::Conversation;
use super::message::{Effects, Event, Mutation, Now};
use super::range::Range;
use super::verdict::{Verdict, retry_after, verdict};
use super::{Core, backoff, say};

/// Entries asked for at once when going down.
const OLDER_STEP: u64 = 200;
/// How long an entry may be on its way after the ack that told of it, before it is fetched.
const ACK_GRACE: Duration = Duration::from_secs(1);

/// What is being fetched, and what is to be.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    last_request: u64,
    in_flight: BTreeMap<u64, Request>,
    newer: BTreeSet<ConversationId>,
    older: BTreeMap<ConversationId, Older>,
    /// Conversations whose head is known from an ack alone.
    acked: BTreeMap<ConversationId, Now>,
    not_before: Option<Now>,
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Request {
    what: What,
    conversation: ConversationId,
    from: Seq,
    /// 0: the head.
    to: Seq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Newer,
    Older,
    Op,
}

/// A way down. Pages come lowest first, so they wait until they reach up to what is held.
#[derive(Debug)]
struct Older {
    down_to: Seq,
    step: Option<Step>,
}

#[derive(Debug)]
struct Step {
    from: Seq,
    next: Seq,
    pages: Vec<Entry>,
}

impl Fetches {
    pub fn leave_stream(&mut self) {
        self.in_flight.clear();
        self.newer.clear();
        self.acked.clear();
        self.not_before = None;
        for older in self.older.values_mut() {
            older.step = None;
        }
    }

    pub fn deadline(&self) -> Option<Now> {
        [self.not_before, self.acked.values().min().copied()].into_iter().flatten().min()
    }

    /// Everything is to come anew.
    pub fn reset(&mut self) {
        self.older.clear();
    }

    fn busy(&self, what: What, id: ConversationId) -> bool {
        self.in_flight.values().any(|request| request.what == what && request.conversation == id)
    }
}

impl Core {
    /// Fetches what is missing, if anything is.
    pub(super) fn want_newer(&mut self, id: ConversationId) {
        if self.conversations.get(&id).is_some_and(Conversation::is_behind) {
            self.fetches.newer.insert(id);
        }
    }

    /// The entry of an ack is probably on its way: it is given some time.
    pub(super) fn want_acked(&mut self, now: Now, id: ConversationId) {
        self.fetches.acked.entry(id).or_insert(now + ACK_GRACE);
    }

    pub(super) fn want_what_is_behind(&mut self) {
        let behind = self.conversations.iter().filter(|(_, conversation)| conversation.is_behind());
        self.fetches.newer.extend(behind.map(|(id, _)| *id));
    }

    pub(super) fn on_fetch_older(&mut self, id: ConversationId, down_to: Seq, fx: &mut Effects) {
        let Some(conversation) = self.conversations.get(&id) else { return };
        let Some(range) = conversation.range else { return };
        let wanted = down_to.max(conversation.floor);
        if range.low <= wanted {
            let complete = range.low <= conversation.floor;
            fx.tell.push(Event::Older { conversation: id, low: range.low, complete });
            return;
        }
        let older = self.fetches.older.entry(id).or_insert(Older { down_to, step: None });
        older.down_to = older.down_to.min(down_to);
    }

    pub(super) fn pump_fetches(&mut self, now: Now, fx: &mut Effects) {
        let due: Vec<_> =
            self.fetches.acked.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id).collect();
        for id in due {
            self.fetches.acked.remove(&id);
            self.want_newer(id);
        }
        if self.fetches.not_before.is_some_and(|at| at > now) {
            return;
        }
        self.fetches.not_before = None;
        while self.fetches.in_flight.len() < self.link.max_fetches() {
            let next = self.next_op_request().or_else(|| self.next_newer()).or_else(|| self.next_older());
            let Some(request) = next else { return };
            self.fetches.last_request += 1;
            self.fetches.in_flight.insert(self.fetches.last_request, request);
            let fetch = Fetch {
                request_id: self.fetches.last_request,
                conversation_id: request.conversation.to_string(),
                from_seq: request.from.0,
                to_seq: request.to.0,
            };
            say(fx, Kind::Fetch(fetch));
        }
    }

    fn next_op_request(&self) -> Option<Request> {
        let (conversation, from) =
            self.outbox.searches().find(|(id, _)| !self.fetches.busy(What::Op, *id))?;
        Some(Request { what: What::Op, conversation, from, to: Seq::default() })
    }

    /// Up to the entry that came ahead, or the head.
    fn next_newer(&mut self) -> Option<Request> {
        let behind = |id: &ConversationId| self.conversations.get(id).is_some_and(Conversation::is_behind);
        self.fetches.newer.retain(behind);
        let mut wanted = self.fetches.newer.iter();
        let id = *wanted.find(|id| !self.fetches.busy(What::Newer, **id))?;
        self.fetches.newer.remove(&id);
        let conversation = self.conversations.get(&id)?;
        let to = self.ahead.lowest(id).map_or(conversation.head, |ahead| ahead.previous());
        Some(Request { what: What::Newer, conversation: id, from: conversation.range?.have.next(), to })
    }

    fn next_older(&mut self) -> Option<Request> {
        let mut wanted = self.fetches.older.iter();
        let (id, older) = wanted.find(|(id, _)| !self.fetches.busy(What::Older, **id))?;
        let conversation = self.conversations.get(id)?;
        let range = conversation.range?;
        let lowest = Seq(range.low.0.saturating_sub(OLDER_STEP)).max(older.down_to).max(conversation.floor);
        let from = older.step.as_ref().map_or(lowest, |step| step.next);
        Some(Request { what: What::Older, conversation: *id, from, to: range.low.previous() })
    }

    pub(super) fn on_fetch_result(&mut self, now: Now, result: FetchResult, fx: &mut Effects) {
        let Some(request) = self.fetches.in_flight.remove(&result.request_id) else { return };
        match result.outcome {
            Some(fetch_result::Outcome::Page(page)) => {
                self.fetches.failures = 0;
                match request.what {
                    What::Newer => self.on_newer_page(now, request, page, fx),
                    What::Older => self.on_older_page(now, request, page, fx),
                    What::Op => self.on_op_page(request.conversation, &page, fx),
                }
            }
            Some(fetch_result::Outcome::Problem(problem)) => self.on_fetch_problem(now, request, problem, fx),
            None => {}
        }
    }

    /// The first entry of a page is the lowest that may be read: what lies between is not for us. The same holds where a
    /// page is empty below an entry that was sent to us.
    fn on_newer_page(&mut self, now: Now, request: Request, page: LogPage, fx: &mut Effects) {
        let id = request.conversation;
        for entry in &page.entries {
            self.seen_in_log(entry, fx);
        }
        let Some(conversation) = self.conversations.get_mut(&id) else { return };
        let Some(range) = &mut conversation.range else { return };
        let first = page.entries.first().map(|entry| Seq(entry.seq));
        match first.or_else(|| self.ahead.lowest(id)) {
            Some(next) if next > request.from && next > range.have.next() => {
                *range = Range::starting_at(next)
            }
            Some(_) => {}
            None if conversation.head <= request.to => {
                conversation.head = range.have;
                fx.save.push(Mutation::Head(id, range.have));
            }
            None => {}
        }
        self.advance(now, id, page.entries, fx);
    }

    fn on_older_page(&mut self, now: Now, request: Request, page: LogPage, fx: &mut Effects) {
        let id = request.conversation;
        for entry in &page.entries {
            self.seen_in_log(entry, fx);
        }
        let (Some(conversation), Some(older)) =
            (self.conversations.get_mut(&id), self.fetches.older.get_mut(&id))
        else {
            return;
        };
        let Some(range) = &mut conversation.range else { return };
        let mut step =
            older.step.take().unwrap_or(Step { from: request.from, next: request.from, pages: Vec::new() });
        step.pages.extend(page.entries);
        let next = Some(Seq(page.next_seq)).filter(|next| *next > Seq::default() && *next < range.low);
        if !are_consecutive(&step.pages, range.low) || next.is_some_and(|next| next <= step.next) {
            // No server answers so that keeps the protocol. What it says is not gathered, and it is not asked at once.
            return self.fetch_later(now, None);
        }
        if let Some(next) = next {
            step.next = next;
            older.step = Some(step);
            return;
        }
        let low = step.pages.first().map_or(range.low, |first| Seq(first.seq));
        if step.pages.last().is_some_and(|last| Seq(last.seq).next() != range.low) {
            return; // the range has moved meanwhile: what was fetched does not join it, and is fetched again
        }
        if low > step.from {
            conversation.floor = conversation.floor.max(low); // fewer than asked for: no others may be read
        }
        let was_empty = range.is_empty();
        range.low = low;
        let complete = low <= conversation.floor;
        if complete || low <= older.down_to {
            self.fetches.older.remove(&id);
        }
        for entry in step.pages {
            self.save_entry(id, entry, fx);
        }
        fx.tell.push(Event::Older { conversation: id, low, complete });
        self.save_extent(id, fx);
        if was_empty {
            self.marks.note(now, id); // the first entries that came: there was nothing to have received before
        }
    }

    fn on_fetch_problem(&mut self, now: Now, request: Request, problem: Problem, fx: &mut Effects) {
        let id = request.conversation;
        let for_good = verdict(&problem) == Verdict::Drop;
        match request.what {
            What::Op if for_good => self.drop_searched(id, problem, fx),
            What::Newer if for_good => {
                if let Some(conversation) = self.conversations.get_mut(&id)
                    && let Some(range) = conversation.range
                {
                    conversation.head = range.have;
                    fx.save.push(Mutation::Head(id, range.have));
                }
            }
            What::Older if for_good => {
                self.fetches.older.remove(&id);
                let low = self.conversations.get(&id).and_then(|known| known.range).map(|range| range.low);
                let low = low.unwrap_or(Seq::FIRST);
                fx.tell.push(Event::Older { conversation: id, low, complete: true });
            }
            _ => {
                self.want_newer(id);
                self.fetch_later(now, retry_after(&problem));
            }
        }
    }

    fn fetch_later(&mut self, now: Now, advice: Option<Duration>) {
        let wait = backoff::wait(&mut self.rng, self.fetches.failures, advice);
        self.fetches.failures += 1;
        self.fetches.not_before = Some(now + wait);
    }
}

/// Whether these follow each other, and end below a seq: so there are never more than were asked for.
fn are_consecutive(entries: &[Entry], below: Seq) -> bool {
    let follow = entries.windows(2).all(|pair| pair[0].seq.checked_add(1) == Some(pair[1].seq));
    follow && entries.last().is_none_or(|last| Seq(last.seq) < below)
}
