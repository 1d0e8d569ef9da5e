//! Questions to chat-svc: what viewers may see. One at a time for each viewer, some at once in all.
//!
//! A question that became moot, or whose answer may be old by the time it comes, is noticed: what is wanted again while
//! it is being asked stays wanted.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use parlor_types::UserId;
use parlor_types::limits::MAX_WATCHED;

use crate::time::Now;

/// Questions under way.
const MAX_AT_ONCE: usize = 16;
/// After a first failure nothing is asked for this long; after each further one for twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// At most for this long.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    number: u64,
    /// Who looks.
    pub viewer: UserId,
    /// At whom; 1 to 200.
    pub users: Vec<UserId>,
}

/// chat-svc cannot be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

/// See the module.
#[derive(Debug)]
pub(super) struct Asks {
    recheck: Duration,
    wanted: HashMap<UserId, BTreeSet<UserId>>,
    /// Viewers with something wanted, each once. Those whose wants have gone meanwhile are passed over.
    queue: VecDeque<UserId>,
    queued: HashSet<UserId>,
    /// The number of the question under way for each viewer.
    asking: HashMap<UserId, u64>,
    under_way: usize,
    last_number: u64,
    failures: u32,
    paused_until: Option<Instant>,
    rechecks: BTreeSet<(Instant, UserId)>,
    armed: HashMap<UserId, Instant>,
}

impl Asks {
    pub(super) fn new(recheck: Duration) -> Self {
        Self {
            recheck,
            wanted: HashMap::new(),
            queue: VecDeque::new(),
            queued: HashSet::new(),
            asking: HashMap::new(),
            under_way: 0,
            last_number: 0,
            failures: 0,
            paused_until: None,
            rechecks: BTreeSet::new(),
            armed: HashMap::new(),
        }
    }

    pub(super) fn want(&mut self, viewer: UserId, users: impl IntoIterator<Item = UserId>) {
        let mut users = users.into_iter().peekable();
        if users.peek().is_some() {
            self.wanted.entry(viewer).or_default().extend(users);
            self.enqueue(viewer);
        }
    }

    pub(super) fn wants(&self, viewer: UserId, user: UserId) -> bool {
        self.wanted.get(&viewer).is_some_and(|users| users.contains(&user))
    }

    pub(super) fn want_no_more(&mut self, viewer: UserId, user: UserId) {
        if let Some(users) = self.wanted.get_mut(&viewer) {
            users.remove(&user);
            if users.is_empty() {
                self.wanted.remove(&viewer);
            }
        }
    }

    /// All that is wanted, by viewer.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (&UserId, &BTreeSet<UserId>)> {
        self.wanted.iter()
    }

    /// Begins to count the time until the viewer's next recheck, unless it is being counted.
    pub(super) fn arm(&mut self, now: Now, viewer: UserId) {
        if !self.armed.contains_key(&viewer) {
            let at = now.instant + self.recheck;
            self.armed.insert(viewer, at);
            self.rechecks.insert((at, viewer));
        }
    }

    /// Viewers of whom everything is to be asked again.
    pub(super) fn due(&mut self, now: Now) -> Vec<UserId> {
        let mut due = Vec::new();
        while let Some(first) = self.rechecks.first().copied().filter(|(at, _)| *at <= now.instant) {
            self.rechecks.remove(&first);
            self.armed.remove(&first.1);
            due.push(first.1);
        }
        due.iter().for_each(|viewer| self.arm(now, *viewer));
        due
    }

    pub(super) fn forget(&mut self, viewer: UserId) {
        self.wanted.remove(&viewer);
        self.asking.remove(&viewer);
        if let Some(at) = self.armed.remove(&viewer) {
            self.rechecks.remove(&(at, viewer));
        }
    }

    /// Whether [`Asks::take`] may give something.
    pub(super) fn may_take(&self, now: Now) -> bool {
        let paused = self.paused_until.is_some_and(|until| now.instant < until);
        !self.queue.is_empty() && !paused && self.under_way < MAX_AT_ONCE
    }

    pub(super) fn take(&mut self, now: Now) -> Option<Ask> {
        if !self.may_take(now) {
            return None;
        }
        while let Some(viewer) = self.queue.pop_front() {
            self.queued.remove(&viewer);
            if self.asking.contains_key(&viewer) {
                continue;
            }
            let Some(mut first) = self.wanted.remove(&viewer) else { continue };
            if let Some(next) = first.iter().nth(MAX_WATCHED).copied() {
                self.wanted.insert(viewer, first.split_off(&next));
            }
            self.last_number += 1;
            self.under_way += 1;
            self.asking.insert(viewer, self.last_number);
            return Some(Ask { number: self.last_number, viewer, users: first.into_iter().collect() });
        }
        None
    }

    /// A question is no longer under way; whether its answer still counts.
    pub(super) fn done(&mut self, now: Now, ask: &Ask, answered: bool) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        if answered {
            (self.failures, self.paused_until) = (0, None);
        } else if self.paused_until.is_none_or(|until| until <= now.instant) {
            let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
            self.failures = self.failures.saturating_add(1);
            self.paused_until = Some(now.instant + pause);
        }
        let counts = self.asking.get(&ask.viewer) == Some(&ask.number);
        if counts {
            self.asking.remove(&ask.viewer);
            if self.wanted.contains_key(&ask.viewer) {
                self.enqueue(ask.viewer);
            }
        }
        counts
    }

    fn enqueue(&mut self, viewer: UserId) {
        if self.queued.insert(viewer) {
            self.queue.push_back(viewer);
        }
    }
}
