//! Runs the appenders: gathers facts, feeds them, carries out what they want.
//!
//! Writes end on the store's thread; it leaves their outcomes in a queue, and one task takes them out in the order of
//! commits, so that deliveries and the commits told to the router keep that order.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use parlor_runtime::clock::Clock;
use parlor_types::{ConversationId, Seq, StreamId, UserId, limits};
use tokio::sync::{Notify, oneshot};

use super::{Appended, Appender, Draft, Effect, Input, Rate, Rates, Refusal, Ticket};
use crate::conversation::Content;
use crate::directory::Directory;
use crate::routing::Router;
use crate::store::{AppendError, Batch, Commit, Marked, NewMarks, Store};

/// Conversations are spread over this many locks.
const SHARDS: usize = 64;
/// Idle conversations one shard keeps in memory before it forgets those unused for [`COLD_AFTER`].
const HOT_PER_SHARD: usize = 64;
/// See [`HOT_PER_SHARD`].
const COLD_AFTER: Duration = Duration::from_secs(30);

/// What an operator may set.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// Members of a group.
    pub max_members: usize,
    /// Appends of a user, over all conversations.
    pub user_rate: Rate,
    /// Appends of a user in one conversation.
    pub member_rate: Rate,
}

/// Told once what became of a draft; with a refusal, the lane number to go on with.
pub type Reply = Box<dyn FnOnce(Result<Appended, Refusal>, u32) + Send>;

/// What [`Log::gather`] found out about a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// Nothing speaks against it.
    Clear,
    /// This does, unless the draft is stored already.
    Against(Refusal),
    /// The conversation it would create is there already: the answer.
    There(Appended),
}

/// What the log stands on.
#[derive(Clone)]
pub struct StartLog {
    /// Where entries are kept.
    pub store: Arc<dyn Store>,
    /// Who delivers them.
    pub router: Arc<dyn Router>,
    /// Who knows which users there are.
    pub directory: Arc<dyn Directory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Limits.
    pub limits: LogLimits,
}

/// The log of all conversations. Clones share it.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    start: StartLog,
    shards: Vec<Mutex<HashMap<ConversationId, Slot>>>,
    hasher: RandomState,
    rates: Mutex<Rates>,
    tickets: AtomicU64,
    /// Outcomes of writes. Bounded by their number: one for each conversation with a batch in flight, and the marks.
    outcomes: Mutex<VecDeque<Outcome>>,
    arrived: Notify,
}

struct Slot {
    appender: Appender,
    replies: HashMap<Ticket, Reply>,
    used: Instant,
}

enum Outcome {
    Appended(ConversationId, Result<Commit, AppendError>),
    Marked(Marking),
}

struct Marking {
    sent: Vec<NewMarks>,
    by: Option<StreamId>,
    result: Result<Vec<Marked>, AppendError>,
    answer: oneshot::Sender<Result<Vec<Marked>, AppendError>>,
}

impl Log {
    /// Ready to append; deliveries begin with [`Log::run`].
    #[must_use]
    pub fn new(start: StartLog) -> Self {
        let rates = Rates::new(start.limits.user_rate, start.limits.member_rate);
        Self {
            inner: Arc::new(Inner {
                start,
                shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
                hasher: RandomState::new(),
                rates: Mutex::new(rates),
                tickets: AtomicU64::new(0),
                outcomes: Mutex::default(),
                arrived: Notify::new(),
            }),
        }
    }

    /// Appends and waits for the answer.
    ///
    /// # Errors
    /// Why it is not stored.
    pub async fn append(&self, draft: Draft) -> Result<Appended, Refusal> {
        let facts = if needs_facts(&draft) { self.gather(&draft).await } else { Facts::Clear };
        let (answer, answered) = oneshot::channel();
        self.enqueue(draft, facts, Box::new(move |result, _| drop(answer.send(result))));
        answered.await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Looks up what an append that brings people in depends on. That comes after dedupe: somebody may have gone since the
    /// append was stored, and its retry is answered all the same (G2).
    pub async fn gather(&self, draft: &Draft) -> Facts {
        match self.facts(draft).await {
            Ok(Some(appended)) => Facts::There(appended),
            Ok(None) => Facts::Clear,
            Err(refusal) => Facts::Against(refusal),
        }
    }

    async fn facts(&self, draft: &Draft) -> Result<Option<Appended>, Refusal> {
        let store = &self.inner.start.store;
        if let Content::Created { .. } = draft.content
            && let Some(first) = store.first(draft.conversation).await.map_err(|_| Refusal::Unavailable)?
        {
            let direct = draft.conversation == direct_of(draft);
            return match () {
                () if first.op == draft.op && first.digest != draft.digest => Err(Refusal::OpReused),
                () if direct || (first.op == draft.op && first.sender == draft.sender) => {
                    Ok(Some(first.appended(draft.conversation, true)))
                }
                () => Ok(None),
            };
        }
        let newcomers = draft.content.newcomers();
        if !self.inner.start.directory.all_exist(newcomers).await.map_err(|_| Refusal::Unavailable)? {
            return Err(Refusal::UserNotFound);
        }
        let mut users = newcomers.to_vec();
        users.push(draft.sender);
        let counts = store.memberships(users).await.map_err(|_| Refusal::Unavailable)?;
        if counts.iter().any(|count| *count >= limits::MAX_CONVERSATIONS) {
            return Err(Refusal::TooManyConversations);
        }
        Ok(None)
    }

    /// Puts a draft in line, with what [`Log::gather`] found if it [`needs_facts`]. `reply` is called once, from here or
    /// from another task.
    pub fn enqueue(&self, draft: Draft, facts: Facts, reply: Reply) {
        let ticket = Ticket(self.inner.tickets.fetch_add(1, Ordering::Relaxed));
        let conversation = draft.conversation;
        let input = match facts {
            Facts::There(appended) => return reply(Ok(appended), 0),
            Facts::Clear => Input::Append(ticket, draft),
            Facts::Against(refusal) => Input::Barred(ticket, draft, refusal),
        };
        self.feed(conversation, input, Some((ticket, reply)));
    }

    /// Raises marks, one answer each. Streams of the user other than `by` learn of what was read.
    ///
    /// # Errors
    /// The store could not; nothing is raised.
    pub async fn mark(&self, marks: Vec<NewMarks>, by: Option<StreamId>) -> Result<Vec<Marked>, AppendError> {
        let (answer, answered) = oneshot::channel();
        let (log, sent) = (self.clone(), marks.clone());
        let done = move |result| log.leave(Outcome::Marked(Marking { sent, by, result, answer }));
        self.inner.start.store.mark(marks, Box::new(done));
        answered.await.unwrap_or(Err(AppendError::Unavailable))
    }

    /// Delivers what is stored, for as long as the service lives.
    pub async fn run(&self) {
        loop {
            let outcome = lock(&self.inner.outcomes).pop_front();
            match outcome {
                None => self.inner.arrived.notified().await,
                Some(Outcome::Appended(conversation, result)) => {
                    self.feed(conversation, Input::Stored(result.map(drop)), None);
                    if let Ok(commit) = result {
                        self.reached(commit);
                    }
                }
                Some(Outcome::Marked(marking)) => self.marked(marking),
            }
        }
    }

    fn marked(&self, marking: Marking) {
        for (new, marked) in marking.sent.iter().zip(marking.result.iter().flatten()) {
            if let Marked::Now(_, Some(commit)) = marked {
                self.inner.start.router.row_changed(new.user, new.conversation, marking.by);
                self.reached(*commit);
            }
        }
        // Whoever asked may be gone; the marks are kept.
        drop(marking.answer.send(marking.result));
    }

    /// One group commit has several outcomes, and the last of them cannot be told from the others. So what is known to be
    /// delivered is the commit before the one seen.
    fn reached(&self, commit: Commit) {
        self.inner.start.router.reached(Commit(commit.0.saturating_sub(1)));
    }

    fn leave(&self, outcome: Outcome) {
        lock(&self.inner.outcomes).push_back(outcome);
        self.inner.arrived.notify_one();
    }

    fn shard(&self, conversation: ConversationId) -> MutexGuard<'_, HashMap<ConversationId, Slot>> {
        let hash = self.inner.hasher.hash_one(conversation);
        lock(&self.inner.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }

    fn feed(&self, conversation: ConversationId, input: Input, reply: Option<(Ticket, Reply)>) {
        let clock = &self.inner.start.clock;
        let (now, wall) = (clock.now(), clock.wall());
        let mut answers = Vec::new();
        let mut rest = Vec::new();
        {
            let mut shard = self.shard(conversation);
            forget_cold(&mut shard, now);
            let max_members = self.inner.start.limits.max_members;
            let slot = shard.entry(conversation).or_insert_with(|| Slot {
                appender: Appender::new(conversation, max_members),
                replies: HashMap::new(),
                used: now,
            });
            slot.used = now;
            slot.replies.extend(reply);
            let effects = slot.appender.input(now, wall, &mut lock(&self.inner.rates), input);
            for effect in effects {
                match effect {
                    Effect::Answer(ticket, result, lane) => {
                        answers.extend(slot.replies.remove(&ticket).map(|reply| (reply, result, lane)));
                    }
                    other => rest.push(other),
                }
            }
            if slot.appender.is_blank() {
                // Somebody guessed an id: nothing is kept of it.
                shard.remove(&conversation);
            }
        }
        for effect in rest {
            self.carry_out(conversation, effect);
        }
        for (reply, result, lane) in answers {
            reply(result, lane);
        }
    }

    fn carry_out(&self, conversation: ConversationId, effect: Effect) {
        match effect {
            Effect::Load(after) => drop(tokio::spawn(self.clone().load(conversation, after))),
            Effect::Submit(batch, Duration::ZERO) => self.submit(batch),
            Effect::Submit(batch, pause) => {
                let log = self.clone();
                drop(tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    log.submit(batch);
                }));
            }
            Effect::Publish(published) => self.inner.start.router.publish(published),
            Effect::Answer(..) => {}
        }
    }

    fn submit(&self, batch: Arc<Batch>) {
        let (log, conversation) = (self.clone(), batch.conversation);
        let done = move |result| log.leave(Outcome::Appended(conversation, result));
        self.inner.start.store.append(batch, Box::new(done));
    }

    async fn load(self, conversation: ConversationId, after: Seq) {
        let loaded = self.inner.start.store.load(conversation, after).await;
        self.feed(conversation, Input::Loaded(loaded.map_err(|_| Refusal::Unavailable)), None);
    }
}

/// Whether [`Log::gather`] has to be asked before [`Log::enqueue`].
#[must_use]
pub fn needs_facts(draft: &Draft) -> bool {
    matches!(draft.content, Content::Created { .. } | Content::Add(_))
}

/// The id of the direct conversation that the draft would create.
fn direct_of(draft: &Draft) -> ConversationId {
    let other: Option<&UserId> = draft.content.newcomers().first();
    ConversationId::direct(draft.sender, *other.unwrap_or(&draft.sender))
}

fn forget_cold(shard: &mut HashMap<ConversationId, Slot>, now: Instant) {
    if shard.len() >= HOT_PER_SHARD {
        shard.retain(|_, slot| {
            !slot.appender.is_idle() || now.saturating_duration_since(slot.used) < COLD_AFTER
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
