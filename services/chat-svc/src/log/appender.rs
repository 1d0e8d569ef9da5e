//! The appender of one conversation: a state machine without I/O.
//!
//! Drafts queue up while a batch is being written; then all that wait are judged in order and become the next batch.
//! Judging is dedupe, then lane, then authorise, then rate: a retry of a stored append gets its answer even from
//! somebody since removed. State moves ahead as drafts are accepted and is thrown away, with its batch, if the write
//! fails; so nothing is ever decided on what is not in the store (reference: the proof in ARCHITECTURE.md, "Once").

mod judge;
mod published;
mod targets;
mod writing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parlor_types::{ConversationId, Seq, UserId};

use super::{Appended, Draft, Lane, Rates, Refusal};
use crate::conversation::Target;
use crate::store::{AppendError, Batch, Snapshot, Stored};
use judge::{Hot, Verdict, lane_is_in_order};
use writing::{Making, Writing};

pub use published::Published;
pub use targets::Wanted;

/// Drafts waiting for one conversation; more are OVERLOADED.
const QUEUE: usize = 1024;
/// Messages looked up at once: no batch is about more.
const LOOKED_UP: usize = writing::BATCH_ENTRIES;
/// A write whose outcome is unknown is tried again after this, as it is, until it is known.
const RESUBMIT_AFTER: Duration = Duration::from_millis(50);

/// Names a draft until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What can happen to an appender.
#[derive(Debug)]
pub enum Input {
    /// A draft arrives.
    Append(Ticket, Draft),
    /// A draft arrives that facts from elsewhere speak against: it gets this, unless it is stored already.
    Barred(Ticket, Draft, Refusal),
    /// The answer to [`Effect::Load`].
    Loaded(Result<Option<Snapshot>, Refusal>),
    /// The answer to [`Effect::Look`], in its order.
    Looked(Result<Vec<(Wanted, Option<Target>)>, Refusal>),
    /// The answer to [`Effect::Submit`].
    Stored(Result<Stored, AppendError>),
}

/// What an appender wants done.
#[derive(Debug)]
pub enum Effect {
    /// Read the state and the ops above this seq, and more if that is cheap.
    Load(Seq),
    /// Read these messages as these users may know them, if they may change them.
    Look(Vec<Wanted>),
    /// Write this batch, after a pause if there is one.
    Submit(Arc<Batch>, Duration),
    /// Answer this draft. With a refusal goes the lane number to go on with.
    Answer(Ticket, Result<Appended, Refusal>, u32),
    /// Deliver this entry: it is stored.
    Publish(Published),
    /// Something may be stored of which nobody was told: send these users the row again.
    Retell(Vec<UserId>),
}

/// What an operator may set of all that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Members of a group.
    pub max_members: usize,
    /// How long after it was sent a message may be edited.
    pub edit_window: Duration,
}

/// See the module.
#[derive(Debug)]
pub struct Appender {
    conversation: ConversationId,
    rules: Rules,
    hot: Option<Hot>,
    /// Something is being read.
    loading: bool,
    queue: VecDeque<Pending>,
    writing: Option<Writing>,
}

#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    draft: Draft,
    barred: Option<Refusal>,
}

impl Appender {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(conversation: ConversationId, rules: Rules) -> Self {
        Self { conversation, rules, hot: None, loading: false, queue: VecDeque::new(), writing: None }
    }

    /// Whether it may be forgotten.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.writing.is_none() && !self.loading
    }

    /// Whether a batch may be stored of which nobody has been told.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.writing.as_ref().is_some_and(|writing| writing.in_doubt)
    }

    /// Whether there is nothing to remember: no such conversation, and nobody waiting.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.is_idle() && self.hot.as_ref().is_none_or(|hot| hot.state.is_none())
    }

    /// The one way in.
    pub fn input(&mut self, now: Instant, wall: SystemTime, rates: &mut Rates, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Append(ticket, draft) => {
                self.queue_up(Pending { ticket, draft, barred: None }, &mut effects);
            }
            Input::Barred(ticket, draft, refusal) => {
                self.queue_up(Pending { ticket, draft, barred: Some(refusal) }, &mut effects);
            }
            Input::Loaded(result) => {
                self.loading = false;
                match result {
                    Ok(snapshot) => self.hot = Some(Hot::new(snapshot)),
                    Err(refusal) => self.refuse_all(refusal, &mut effects),
                }
            }
            Input::Looked(result) => {
                self.loading = false;
                match (result, &mut self.hot) {
                    (Ok(found), Some(hot)) => hot.targets.learn(found),
                    (Ok(_), None) => {}
                    (Err(refusal), _) => self.refuse_all(refusal, &mut effects),
                }
            }
            Input::Stored(result) => self.stored(result, &mut effects),
        }
        self.advance(now, wall, rates, &mut effects);
        effects
    }

    fn queue_up(&mut self, pending: Pending, effects: &mut Vec<Effect>) {
        if self.queue.len() < QUEUE {
            self.queue.push_back(pending);
        } else {
            refuse(&pending, Refusal::Overloaded, effects);
        }
    }

    fn stored(&mut self, result: Result<Stored, AppendError>, effects: &mut Vec<Effect>) {
        let Some(mut writing) = self.writing.take() else { return };
        // Where there is doubt, what is certain of this attempt is not of those before it.
        let is_unknown = matches!(result, Err(AppendError::Full | AppendError::Busy)) && writing.in_doubt;
        let result = if is_unknown { Err(AppendError::Uncertain) } else { result };
        let refusal = match result {
            Ok(mut stored) => {
                for (pending, index, duplicate) in writing.answers {
                    let row = writing.batch.entries[index].row();
                    let appended = row.appended(self.conversation, duplicate);
                    effects.push(Effect::Answer(pending.ticket, Ok(appended), 0));
                }
                effects.extend(writing.published.into_iter().map(|mut published| {
                    let seq = published.entry.seq;
                    published.withheld = stored.take_withheld(seq);
                    published.not_members = stored.take_not_members(seq);
                    Effect::Publish(published)
                }));
                return;
            }
            Err(AppendError::Uncertain) => {
                effects.push(Effect::Submit(Arc::clone(&writing.batch), RESUBMIT_AFTER));
                writing.in_doubt = true;
                self.writing = Some(writing);
                return;
            }
            Err(AppendError::Conflict) => {
                // Somebody else wrote, or an earlier attempt did: fold that in and judge everything again. What turns out
                // to be stored is answered then, but from whom it is kept is known to the store alone.
                if writing.in_doubt {
                    effects.push(Effect::Retell(writing.concerned()));
                }
                self.hot = None;
                for (pending, ..) in writing.answers.into_iter().rev() {
                    self.queue.push_front(pending);
                }
                return;
            }
            Err(AppendError::Full) => Refusal::StorageFull,
            Err(AppendError::Busy) => Refusal::Overloaded,
            Err(AppendError::Unavailable) => Refusal::Unavailable,
        };
        self.hot = None;
        for (pending, ..) in &writing.answers {
            refuse_in_order(pending, refusal, effects);
        }
    }

    fn refuse_all(&mut self, refusal: Refusal, effects: &mut Vec<Effect>) {
        for pending in self.queue.drain(..) {
            refuse_in_order(&pending, refusal, effects);
        }
    }

    /// Makes the next batch of what waits, if nothing is being written.
    fn advance(&mut self, now: Instant, wall: SystemTime, rates: &mut Rates, effects: &mut Vec<Effect>) {
        if self.queue.is_empty() || self.writing.is_some() || self.loading {
            return;
        }
        let Some(hot) = &mut self.hot else {
            self.load(effects);
            return;
        };
        let mut making = Making::new(self.conversation, hot.head());
        while let Some(pending) = self.queue.pop_front() {
            match hot.judge(&pending.draft, making.after, wall, &self.rules) {
                Verdict::Stored(appended) => effects.push(Effect::Answer(pending.ticket, Ok(appended), 0)),
                Verdict::InThisBatch(seq) => making.join(pending, seq),
                Verdict::Refused(refusal) => refuse(&pending, refusal, effects),
                Verdict::Unknown => {
                    // Only the first of a batch asks for rows: what is accepted already is written first.
                    self.queue.push_front(pending);
                    if making.is_empty() {
                        self.load(effects);
                        return;
                    }
                    break;
                }
                Verdict::Unlooked => {
                    self.queue.push_front(pending);
                    if making.is_empty() {
                        self.look(effects);
                        return;
                    }
                    break;
                }
                Verdict::Accepted(content) => {
                    if let Some(refusal) = pending.barred {
                        refuse(&pending, refusal, effects);
                        continue;
                    }
                    if let Err(wait) = rates.take(now, self.conversation, pending.draft.sender) {
                        refuse(&pending, Refusal::RateLimited(wait), effects);
                        continue;
                    }
                    let (entry, published) = hot.accept(&pending.draft, content, wall);
                    making.accept(pending, entry, published);
                    if making.is_full() {
                        break;
                    }
                }
            }
        }
        if !making.is_empty() {
            let writing = making.finish();
            effects.push(Effect::Submit(Arc::clone(&writing.batch), Duration::ZERO));
            self.writing = Some(writing);
        }
    }

    /// Asks for the messages that what waits is about.
    fn look(&mut self, effects: &mut Vec<Effect>) {
        let head = self.hot.as_ref().map_or(Seq(0), Hot::head);
        let about = |pending: &Pending| Some((pending.draft.sender, pending.draft.target?));
        let about = self.queue.iter().filter_map(about).filter(|(_, seq)| *seq <= head);
        let mut wanted: Vec<Wanted> = about.take(LOOKED_UP).collect();
        wanted.sort();
        wanted.dedup();
        self.loading = true;
        effects.push(Effect::Look(wanted));
    }

    fn load(&mut self, effects: &mut Vec<Effect>) {
        let lowest = self.queue.iter().map(|pending| pending.draft.base).min().unwrap_or_default();
        self.hot = None;
        self.loading = true;
        effects.push(Effect::Load(lowest));
    }
}

/// Answers with a refusal, and breaks the lane.
fn refuse(pending: &Pending, refusal: Refusal, effects: &mut Vec<Effect>) {
    let lane = pending.draft.lane.as_ref();
    if let Some(lane) = lane {
        lane.refuse();
    }
    let number = lane.map_or(0, Lane::number);
    effects.push(Effect::Answer(pending.ticket, Err(refusal), number));
}

/// As [`refuse`], for several in their order: of a lane, the first gets the reason and the rest are out of order.
fn refuse_in_order(pending: &Pending, refusal: Refusal, effects: &mut Vec<Effect>) {
    let refusal = if lane_is_in_order(&pending.draft) { refusal } else { Refusal::OutOfOrder };
    refuse(pending, refusal, effects);
}

#[cfg(test)]
mod tests;
