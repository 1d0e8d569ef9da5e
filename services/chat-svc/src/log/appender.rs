//! The appender of one conversation: a state machine without I/O.
//!
//! Drafts queue up while a batch is being written; then all that wait are judged in order and become the next batch.
//! Judging is dedupe, then lane, then authorise, then rate: a retry of a stored append gets its answer even from
//! somebody since removed. State moves ahead as drafts are accepted and is thrown away, with its batch, if the write
//! fails; so nothing is ever decided on what is not in the store (reference: the proof in ARCHITECTURE.md, "Once").

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use parlor_types::{ConversationId, Seq, UserId, limits};

use super::recent::Recent;
use super::{Appended, Draft, Entry, OpRow, Rates, Refusal};
use crate::conversation::{Change, Content, Forbidden, Kind, State};
use crate::store::{AppendError, Batch, NewEntry, Snapshot};

/// Entries in one batch.
const BATCH_ENTRIES: usize = 64;
/// Content bytes in one batch.
const BATCH_BYTES: usize = 256 * 1024;
/// Drafts waiting for one conversation; more are OVERLOADED.
const QUEUE: usize = 1024;
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
    /// The answer to [`Effect::Load`].
    Loaded(Result<Option<Snapshot>, Refusal>),
    /// The answer to [`Effect::Submit`].
    Stored(Result<(), AppendError>),
}

/// What an appender wants done.
#[derive(Debug)]
pub enum Effect {
    /// Read the state and the ops above this seq, and more if that is cheap.
    Load(Seq),
    /// Write this batch, after a pause if there is one.
    Submit(Arc<Batch>, Duration),
    /// Answer this draft. With a refusal goes the lane number to go on with.
    Answer(Ticket, Result<Appended, Refusal>, u32),
    /// Deliver this entry: it is stored.
    Publish(Published),
}

/// A stored entry on its way to those who may see it.
#[derive(Debug, Clone)]
pub struct Published {
    /// The entry.
    pub entry: Entry,
    /// Who gets it.
    pub receivers: Arc<[UserId]>,
    /// To whom the conversation appears with it: they need its row, not this entry.
    pub newcomers: Vec<UserId>,
    /// Whom it removes: their row changes with it.
    pub leavers: Vec<UserId>,
}

/// See the module.
#[derive(Debug)]
pub struct Appender {
    conversation: ConversationId,
    max_members: usize,
    hot: Option<Hot>,
    loading: bool,
    queue: VecDeque<Pending>,
    writing: Option<Writing>,
}

#[derive(Debug)]
struct Hot {
    /// `None` before the first entry.
    state: Option<State>,
    recent: Recent,
}

#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    draft: Draft,
}

#[derive(Debug)]
struct Writing {
    batch: Arc<Batch>,
    /// Which entry of the batch answers whom; a retry that met its own op in the batch is a duplicate of it.
    answers: Vec<(Pending, usize, bool)>,
    published: Vec<Published>,
}

enum Verdict {
    Stored(Appended),
    InThisBatch(Seq),
    Refused(Refusal),
    /// Dedupe needs rows that are not here.
    Unknown,
    Accepted(Content),
}

impl Appender {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(conversation: ConversationId, max_members: usize) -> Self {
        Self { conversation, max_members, hot: None, loading: false, queue: VecDeque::new(), writing: None }
    }

    /// Whether it may be forgotten.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.writing.is_none() && !self.loading
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
                let pending = Pending { ticket, draft };
                if self.queue.len() < QUEUE {
                    self.queue.push_back(pending);
                } else {
                    refuse(&pending, Refusal::Overloaded, &mut effects);
                }
            }
            Input::Loaded(result) => {
                self.loading = false;
                match result {
                    Ok(snapshot) => self.hot = Some(Hot::new(snapshot)),
                    Err(refusal) => self.refuse_all(refusal, &mut effects),
                }
            }
            Input::Stored(result) => self.stored(result, &mut effects),
        }
        self.advance(now, wall, rates, &mut effects);
        effects
    }

    fn stored(&mut self, result: Result<(), AppendError>, effects: &mut Vec<Effect>) {
        let Some(writing) = self.writing.take() else { return };
        let refusal = match result {
            Ok(()) => {
                for (pending, index, duplicate) in writing.answers {
                    let row = writing.batch.entries[index].row();
                    let appended = row.appended(self.conversation, duplicate);
                    effects.push(Effect::Answer(pending.ticket, Ok(appended), 0));
                }
                effects.extend(writing.published.into_iter().map(Effect::Publish));
                return;
            }
            Err(AppendError::Uncertain) => {
                effects.push(Effect::Submit(Arc::clone(&writing.batch), RESUBMIT_AFTER));
                self.writing = Some(writing);
                return;
            }
            Err(AppendError::Conflict) => {
                // Somebody else wrote: fold that in and judge everything again.
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
        let mut writing = WritingBuilder::new(self.conversation, hot.head());
        while let Some(pending) = self.queue.pop_front() {
            match hot.judge(&pending.draft, writing.after, self.max_members) {
                Verdict::Stored(appended) => effects.push(Effect::Answer(pending.ticket, Ok(appended), 0)),
                Verdict::InThisBatch(seq) => writing.join(pending, seq),
                Verdict::Refused(refusal) => refuse(&pending, refusal, effects),
                Verdict::Unknown => {
                    // Only the first of a batch asks for rows: what is accepted already is written first.
                    self.queue.push_front(pending);
                    if writing.is_empty() {
                        self.load(effects);
                        return;
                    }
                    break;
                }
                Verdict::Accepted(content) => {
                    if let Err(wait) = rates.take(now, self.conversation, pending.draft.sender) {
                        refuse(&pending, Refusal::RateLimited(wait), effects);
                        continue;
                    }
                    let (entry, published) = hot.accept(&pending.draft, content, wall);
                    writing.accept(pending, entry, published);
                    if writing.is_full() {
                        break;
                    }
                }
            }
        }
        if !writing.is_empty() {
            let writing = writing.finish();
            effects.push(Effect::Submit(Arc::clone(&writing.batch), Duration::ZERO));
            self.writing = Some(writing);
        }
    }

    fn load(&mut self, effects: &mut Vec<Effect>) {
        let lowest = self.queue.iter().map(|pending| pending.draft.base).min().unwrap_or_default();
        self.hot = None;
        self.loading = true;
        effects.push(Effect::Load(lowest));
    }
}

impl Hot {
    fn new(snapshot: Option<Snapshot>) -> Self {
        match snapshot {
            Some(snapshot) => {
                Self { state: Some(snapshot.state), recent: Recent::new(snapshot.before, snapshot.rows) }
            }
            None => Self { state: None, recent: Recent::default() },
        }
    }

    fn head(&self) -> Seq {
        self.state.as_ref().map_or(Seq(0), |state| state.head)
    }

    /// `stored`: up to here the log is in the store; above it lies the batch being made.
    fn judge(&self, draft: &Draft, stored: Seq, max_members: usize) -> Verdict {
        if let Some(verdict) = self.find(draft, stored) {
            return verdict;
        }
        let head = self.head();
        let Some(state) = &self.state else { return judge_first(draft, max_members) };
        if !state.members.contains_key(&draft.sender) {
            // Of a stranger's append there can be no earlier copy; of an ex-member's there can.
            let known = draft.base >= self.recent.before() || self.recent.before() == Seq(0);
            return if known || draft.base > head || head.0 - draft.base.0 > limits::MAX_DEDUPE_SPAN {
                Verdict::Refused(Refusal::NotFound)
            } else {
                Verdict::Unknown
            };
        }
        if draft.base > head {
            return Verdict::Refused(Refusal::BaseAhead);
        }
        if matches!(draft.content, Content::Created { .. }) {
            return Verdict::Refused(Refusal::Forbidden(Forbidden::Exists));
        }
        if head.0 - draft.base.0 > limits::MAX_DEDUPE_SPAN {
            return Verdict::Refused(Refusal::TooOld);
        }
        if draft.base < self.recent.before() {
            return Verdict::Unknown;
        }
        if !lane_is_in_order(draft) {
            return Verdict::Refused(Refusal::OutOfOrder);
        }
        match authorise(state, draft, max_members) {
            Ok(content) => Verdict::Accepted(content),
            Err(refusal) => Verdict::Refused(refusal),
        }
    }

    /// The append this is a repetition of, if it is one.
    fn find(&self, draft: &Draft, stored: Seq) -> Option<Verdict> {
        let same_pair = |row: &OpRow| {
            let direct = matches!(draft.content, Content::Created { kind: Kind::Direct, .. });
            let member = self.state.as_ref().is_some_and(|state| state.members.contains_key(&draft.sender));
            (direct && member).then_some(row.clone())
        };
        let row = match self.recent.find(draft.sender, draft.op) {
            Some(row) if row.digest != draft.digest => return Some(Verdict::Refused(Refusal::OpReused)),
            Some(row) => row.clone(),
            None => self.recent.first().and_then(same_pair)?,
        };
        Some(if row.seq > stored {
            Verdict::InThisBatch(row.seq)
        } else {
            Verdict::Stored(row.appended(draft.conversation, true))
        })
    }

    /// Moves the state ahead by one entry.
    fn accept(&mut self, draft: &Draft, content: Content, wall: SystemTime) -> (NewEntry, Published) {
        let (changes, receivers) = match (&mut self.state, &content) {
            (Some(state), content) => {
                let changes = state.apply(draft.sender, content, wall.max(state.time));
                let receivers = state.receivers(&changes);
                (changes, receivers)
            }
            (empty, Content::Created { kind, name, members, settings }) => {
                let (state, changes) =
                    State::created(draft.sender, *kind, name.clone(), members, *settings, wall);
                let receivers = state.audience();
                *empty = Some(state);
                (changes, receivers)
            }
            (None, _) => unreachable_first(),
        };
        let (seq, number, time) =
            self.state.as_ref().map_or((Seq::FIRST, 0, wall), |state| (state.head, state.number, state.time));
        let entry = Entry {
            conversation: draft.conversation,
            seq,
            number,
            op: draft.op,
            sender: draft.sender,
            time,
            target: None,
            rev: Seq(0),
            reply_to: draft.reply_to,
            thread_root: None,
            mentions: draft.mentions.clone(),
            labels: draft.labels.clone(),
            content,
        };
        let published = Published::new(entry.clone(), receivers, &changes);
        let new = NewEntry { entry, digest: draft.digest, changes };
        self.recent.push(new.row());
        (new, published)
    }
}

impl Published {
    fn new(entry: Entry, receivers: Arc<[UserId]>, changes: &[Change]) -> Self {
        let pick = |wanted: fn(&Change) -> Option<UserId>| changes.iter().filter_map(wanted).collect();
        let newcomers = pick(|change| match change {
            Change::Opened { user, .. } => Some(*user),
            _ => None,
        });
        let leavers = pick(|change| match change {
            Change::Closed { user } => Some(*user),
            _ => None,
        });
        Self { entry, receivers, newcomers, leavers }
    }
}

/// What a conversation that is not there yet makes of a draft.
fn judge_first(draft: &Draft, max_members: usize) -> Verdict {
    let Content::Created { kind, name, members, settings } = &draft.content else {
        return Verdict::Refused(Refusal::NotFound);
    };
    if draft.base > Seq(0) {
        return Verdict::Refused(Refusal::BaseAhead);
    }
    if !lane_is_in_order(draft) {
        return Verdict::Refused(Refusal::OutOfOrder);
    }
    let mut all = vec![draft.sender];
    for user in members {
        if !all.contains(user) {
            all.push(*user);
        }
    }
    if *kind == Kind::Group && all.len() > max_members {
        return Verdict::Refused(Refusal::Forbidden(Forbidden::Full));
    }
    if draft.mentions.iter().any(|user| !all.contains(user)) {
        return Verdict::Refused(Refusal::MentionNotFound);
    }
    if draft.reply_to.is_some() {
        return Verdict::Refused(Refusal::ReplyNotFound);
    }
    Verdict::Accepted(Content::Created { kind: *kind, name: name.clone(), members: all, settings: *settings })
}

fn authorise(state: &State, draft: &Draft, max_members: usize) -> Result<Content, Refusal> {
    let content = state.propose(draft.sender, &draft.content, max_members).map_err(Refusal::Forbidden)?;
    if draft.reply_to.is_some_and(|seq| seq > state.head) {
        return Err(Refusal::ReplyNotFound);
    }
    if !state.has_members(&draft.mentions) {
        return Err(Refusal::MentionNotFound);
    }
    Ok(content)
}

fn lane_is_in_order(draft: &Draft) -> bool {
    draft.lane.as_ref().is_none_or(super::Lane::is_in_order)
}

fn unreachable_first() -> ! {
    unreachable!("judge_first accepts only Created, and judge nothing else without a state")
}

/// Answers with a refusal, and breaks the lane.
fn refuse(pending: &Pending, refusal: Refusal, effects: &mut Vec<Effect>) {
    let lane = pending.draft.lane.as_ref();
    if let Some(lane) = lane {
        lane.refuse();
    }
    let number = lane.map_or(0, super::Lane::number);
    effects.push(Effect::Answer(pending.ticket, Err(refusal), number));
}

/// As [`refuse`], for several in their order: of a lane, the first gets the reason and the rest are out of order.
fn refuse_in_order(pending: &Pending, refusal: Refusal, effects: &mut Vec<Effect>) {
    let refusal = if lane_is_in_order(&pending.draft) { refusal } else { Refusal::OutOfOrder };
    refuse(pending, refusal, effects);
}

struct WritingBuilder {
    conversation: ConversationId,
    after: Seq,
    entries: Vec<NewEntry>,
    bytes: usize,
    answers: Vec<(Pending, usize, bool)>,
    published: Vec<Published>,
}

impl WritingBuilder {
    fn new(conversation: ConversationId, after: Seq) -> Self {
        Self {
            conversation,
            after,
            entries: Vec::new(),
            bytes: 0,
            answers: Vec::new(),
            published: Vec::new(),
        }
    }

    fn accept(&mut self, pending: Pending, entry: NewEntry, published: Published) {
        self.bytes += pending.draft.bytes;
        self.answers.push((pending, self.entries.len(), false));
        self.entries.push(entry);
        self.published.push(published);
    }

    fn join(&mut self, pending: Pending, seq: Seq) {
        let index = self.entries.iter().position(|new| new.entry.seq == seq);
        self.answers.push((pending, index.expect("a row above the stored head is in the batch"), true));
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_ENTRIES || self.bytes >= BATCH_BYTES
    }

    fn finish(self) -> Writing {
        let batch = Batch { conversation: self.conversation, after: self.after, entries: self.entries };
        Writing { batch: Arc::new(batch), answers: self.answers, published: self.published }
    }
}

#[cfg(test)]
mod tests;
