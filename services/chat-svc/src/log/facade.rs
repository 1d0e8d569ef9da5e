//! Runs the appenders: gathers facts, feeds them, carries out what they want.
//!
//! Writes end on the store's thread; it leaves their outcomes in a queue, and one task takes them out in the order of
//! commits, so that deliveries and the commits told to the router keep that order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use parlor_runtime::clock::Clock;
use parlor_runtime::limiter::Rate;
use parlor_types::{ConversationId, Seq, UserId};
use tokio::sync::{Notify, oneshot};

use super::facts::{Facts, needs_facts};
use super::{Appended, Appender, Draft, Effect, Input, Published, Rates, Refusal, Rules, Ticket, Wanted};
use crate::directory::Directory;
use crate::media::Claims;
use crate::people::VisibilityWatcher;
use crate::routing::Router;
use crate::store::{AppendError, Batch, Commit, Store, Stored, whole_millis};

/// Conversations are spread over this many locks.
const SHARDS: usize = 64;
/// Idle conversations one shard keeps in memory before it forgets those unused for [`COLD_AFTER`].
const HOT_PER_SHARD: usize = 64;
/// See [`HOT_PER_SHARD`].
const COLD_AFTER: Duration = Duration::from_secs(30);
/// How often a shard looks for them.
const SWEEP: Duration = Duration::from_secs(1);

/// What an operator may set.
#[derive(Debug, Clone, Copy)]
pub struct LogLimits {
    /// What appends are judged by.
    pub rules: Rules,
    /// Appends of a user, over all conversations.
    pub user_rate: Rate,
    /// Appends of a user in one conversation.
    pub member_rate: Rate,
}

/// Told once what became of a draft; with a refusal, the lane number to go on with.
pub type Reply = Box<dyn FnOnce(Result<Appended, Refusal>, u32) + Send>;

/// Tells of something stored that is not log; gives its commit, if it has one.
pub type Turn = Box<dyn FnOnce() -> Option<Commit> + Send>;

/// What the log stands on.
#[derive(Clone)]
pub struct StartLog {
    /// Where entries are kept.
    pub store: Arc<dyn Store>,
    /// Who delivers them.
    pub router: Arc<dyn Router>,
    /// Who knows which users there are.
    pub directory: Arc<dyn Directory>,
    /// Who keeps the files that entries name.
    pub media: Arc<dyn Claims>,
    /// Who wants to know whose visibility changes: it does with memberships.
    pub watcher: Arc<dyn VisibilityWatcher>,
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
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    rates: Mutex<Rates>,
    tickets: AtomicU64,
    /// Outcomes of writes. Bounded by their number: one for each conversation with a batch in flight, and for each call
    /// and each write of marks.
    outcomes: Mutex<VecDeque<Outcome>>,
    arrived: Notify,
}

/// Conversations in memory.
#[derive(Default)]
struct Shard {
    slots: HashMap<ConversationId, Slot>,
    swept: Option<Instant>,
}

struct Slot {
    appender: Appender,
    replies: HashMap<Ticket, Reply>,
    used: Instant,
}

enum Outcome {
    Appended(ConversationId, Result<Stored, AppendError>),
    Other(Turn),
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

    pub(super) fn store(&self) -> &dyn Store {
        &*self.inner.start.store
    }

    pub(super) fn router(&self) -> &dyn Router {
        &*self.inner.start.router
    }

    /// The time, as precise as stores keep it.
    pub(super) fn wall(&self) -> SystemTime {
        whole_millis(self.inner.start.clock.wall())
    }

    pub(super) fn directory(&self) -> &dyn Directory {
        &*self.inner.start.directory
    }

    pub(super) fn media(&self) -> &dyn Claims {
        &*self.inner.start.media
    }

    /// Puts a draft in line, with what [`Log::gather`] found if it [`needs_facts`]. `reply` is called once, from here or
    /// from another task.
    pub fn enqueue(&self, draft: Draft, facts: Facts, reply: Reply) {
        let ticket = Ticket(self.inner.tickets.fetch_add(1, Ordering::Relaxed));
        let conversation = draft.conversation;
        let input = match facts {
            Facts::There(appended) => return reply(Ok(appended), 0),
            Facts::Clear => Input::Append(ticket, draft),
            Facts::Claimed(content) => Input::Append(ticket, draft.with(*content)),
            Facts::Against(refusal) => Input::Barred(ticket, draft, refusal),
        };
        self.feed(conversation, input, Some((ticket, reply)));
    }

    /// Runs `turn` in the order of commits, among the deliveries of the log: a cursor that moves beyond its commit has been
    /// preceded by what it tells. To be called from a store's [`Done`](crate::store::Done).
    pub fn in_turn(&self, turn: Turn) {
        self.leave(Outcome::Other(turn));
    }

    /// Delivers what is stored, for as long as the service lives.
    pub async fn run(&self) {
        // Conversations with something stored, perhaps, that nobody was told of: no cursor may pass over it.
        let mut in_doubt: HashSet<ConversationId> = HashSet::new();
        loop {
            let outcome = lock(&self.inner.outcomes).pop_front();
            match outcome {
                None => self.inner.arrived.notified().await,
                Some(Outcome::Appended(conversation, result)) => {
                    let told = result.as_ref().ok().cloned();
                    if self.feed(conversation, Input::Stored(result), None) {
                        in_doubt.insert(conversation);
                    } else {
                        in_doubt.remove(&conversation);
                    }
                    if let Some(Stored { commit, returned, released, .. }) = told {
                        for user in returned {
                            self.router().row_changed(user, conversation, None);
                        }
                        if in_doubt.is_empty() {
                            self.reached(commit);
                        }
                        for (op, media) in released {
                            self.media().release(conversation, op, media);
                        }
                    }
                }
                Some(Outcome::Other(turn)) => {
                    if let Some(commit) = turn()
                        && in_doubt.is_empty()
                    {
                        self.reached(commit);
                    }
                }
            }
        }
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

    fn shard(&self, conversation: ConversationId) -> MutexGuard<'_, Shard> {
        let hash = self.inner.hasher.hash_one(conversation);
        lock(&self.inner.shards[usize::try_from(hash % SHARDS as u64).unwrap_or_default()])
    }

    /// Whether the conversation is in doubt after it.
    fn feed(&self, conversation: ConversationId, input: Input, reply: Option<(Ticket, Reply)>) -> bool {
        let clock = &self.inner.start.clock;
        let (now, wall) = (clock.now(), whole_millis(clock.wall()));
        let mut answers = Vec::new();
        let mut rest = Vec::new();
        let is_in_doubt = {
            let mut shard = self.shard(conversation);
            shard.forget_cold(now);
            let rules = self.inner.start.limits.rules;
            let slot = shard.slots.entry(conversation).or_insert_with(|| Slot {
                appender: Appender::new(conversation, rules),
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
            let is_in_doubt = slot.appender.is_in_doubt();
            if slot.appender.is_blank() {
                // Somebody guessed an id: nothing is kept of it.
                shard.slots.remove(&conversation);
            }
            is_in_doubt
        };
        for effect in rest {
            self.carry_out(conversation, effect);
        }
        for (reply, result, lane) in answers {
            reply(result, lane);
        }
        is_in_doubt
    }

    fn carry_out(&self, conversation: ConversationId, effect: Effect) {
        match effect {
            Effect::Load(after) => drop(tokio::spawn(self.clone().load(conversation, after))),
            Effect::Look(wanted) => drop(tokio::spawn(self.clone().look(conversation, wanted))),
            Effect::Submit(batch, Duration::ZERO) => self.submit(batch),
            Effect::Submit(batch, pause) => {
                let log = self.clone();
                drop(tokio::spawn(async move {
                    tokio::time::sleep(pause).await;
                    log.submit(batch);
                }));
            }
            Effect::Publish(published) => self.publish(published),
            Effect::Retell(users) => self.retell(conversation, &users),
            Effect::Answer(..) => unreachable!("answers are taken out before anything is carried out"),
        }
    }

    fn publish(&self, published: Published) {
        let moved = [published.newcomers.as_slice(), &published.leavers].concat();
        self.inner.start.router.publish(published);
        if !moved.is_empty() {
            self.inner.start.watcher.changed(&moved);
        }
    }

    /// The row leads to whatever is stored, as each of them may see it.
    fn retell(&self, conversation: ConversationId, users: &[UserId]) {
        for user in users {
            self.router().row_changed(*user, conversation, None);
        }
        self.inner.start.watcher.changed(users);
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

    async fn look(self, conversation: ConversationId, wanted: Vec<Wanted>) {
        let found = self.inner.start.store.targets(conversation, wanted.clone()).await;
        let found = found.map(|found| wanted.into_iter().zip(found).collect());
        self.feed(conversation, Input::Looked(found.map_err(|_| Refusal::Unavailable)), None);
    }
}

impl Shard {
    fn forget_cold(&mut self, now: Instant) {
        let due = self.swept.is_none_or(|at| now.saturating_duration_since(at) >= SWEEP);
        if due && self.slots.len() >= HOT_PER_SHARD {
            self.swept = Some(now);
            self.slots.retain(|_, slot| {
                !slot.appender.is_idle() || now.saturating_duration_since(slot.used) < COLD_AFTER
            });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
