//! The rooms put together: what one learns, the others are told.
//!
//! A state machine without a clock or I/O. After each call, [`Machine::take_due`] says what is to be done about it.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use parlor_types::{NodeId, SessionId, StreamId, UserId};

use crate::presence::{Needed, People, Presence, Record, Shown, Sight};
use crate::registry::{Graces, Located, Opened, OutletId, Registry};
use crate::status::Status;
use crate::time::{Minute, Now};
use crate::watching::{Ask, Ending, Pull, Unanswered, Watching};

/// What the machine goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long lost streams count on.
    pub graces: Graces,
    /// How long after the start those whom nobody has named may still come: until then nobody is called offline or away.
    pub settle: Duration,
    /// How often it is written that somebody is in front.
    pub keep_every: Duration,
    /// How long what chat-svc has said of who may see whom counts.
    pub recheck: Duration,
    /// Watch calls of one user.
    pub calls_per_user: usize,
    /// Watch calls in all.
    pub calls: usize,
}

/// One thing that a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Which node it is.
    Hello(NodeId),
    /// A stream is open, or its foreground state has changed.
    Opened(Opened),
    /// A stream has ended.
    Closed {
        /// Which.
        stream: StreamId,
        /// Its session with it.
        session_ended: bool,
    },
    /// What a stream watches now.
    Watching {
        /// Which.
        stream: StreamId,
        /// Whom.
        users: BTreeSet<UserId>,
    },
    /// Everything has been named.
    SnapshotDone,
    /// What these users may see, or others of them, may have changed.
    VisibilityChanged(Vec<UserId>),
}

/// Why there is no Watch call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// The user has as many as one may.
    OfUser,
    /// The service has as many as it takes.
    InAll,
}

/// What is to be done after a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// These outlets may have something to pull.
    pub wake: BTreeSet<OutletId>,
    /// There is something for the store.
    pub store: bool,
    /// There is something to ask, and it may be asked now.
    pub ask: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Machine {
    rules: Rules,
    registry: Registry,
    people: People,
    watching: Watching,
    calls: HashMap<OutletId, (UserId, SessionId)>,
    calls_by_user: HashMap<UserId, usize>,
    settles_at: Option<Instant>,
    last_outlet: u64,
}

impl Machine {
    /// Has just started.
    #[must_use]
    pub fn new(rules: Rules, now: Instant) -> Self {
        Self {
            registry: Registry::new(rules.graces),
            people: People::new(rules.keep_every),
            watching: Watching::new(rules.recheck),
            calls: HashMap::new(),
            calls_by_user: HashMap::new(),
            settles_at: Some(now + rules.settle).filter(|_| !rules.settle.is_zero()),
            last_outlet: 0,
            rules,
        }
    }

    /// A line of some node, which has not said anything.
    pub fn open_line(&mut self) -> OutletId {
        let line = self.next_outlet();
        self.watching.open(line);
        line
    }

    /// A node has said something; `false` if the line is to be told no more, and heard no more.
    pub fn said(&mut self, now: Now, line: OutletId, all: Vec<Said>) -> bool {
        for said in all {
            if !self.watching.is_open(line) {
                return false;
            }
            self.hear(now, line, said);
        }
        self.pass_on(now);
        true
    }

    fn hear(&mut self, now: Now, line: OutletId, said: Said) {
        match said {
            Said::Hello(node) => {
                if let Some(older) = self.registry.attach(node, line) {
                    self.watching.end(older, Ending::Displaced);
                }
            }
            Said::Opened(opened) => self.registry.opened(line, opened),
            Said::Closed { stream, session_ended } => {
                self.watching.unwatch(line, stream);
                self.registry.closed(now.instant, stream, session_ended);
            }
            Said::Watching { stream, users } => {
                if let Some(viewer) = self.registry.owner(line, stream) {
                    self.watching.watch(now, line, stream, viewer, &users);
                }
            }
            Said::SnapshotDone => {
                self.registry.snapshot_done(now.instant, line);
                // The node may have said what it could not say while the line was down.
                self.watching.distrust_all();
            }
            Said::VisibilityChanged(users) => self.watching.distrust(&users),
        }
    }

    /// Opens a Watch call.
    ///
    /// # Errors
    /// There are too many.
    pub fn open_call(
        &mut self,
        now: Now,
        user: UserId,
        session: SessionId,
        users: &BTreeSet<UserId>,
    ) -> Result<OutletId, TooMany> {
        if self.calls.len() >= self.rules.calls {
            return Err(TooMany::InAll);
        }
        let of_user = self.calls_by_user.entry(user).or_default();
        if *of_user >= self.rules.calls_per_user {
            return Err(TooMany::OfUser);
        }
        *of_user += 1;
        let call = self.next_outlet();
        self.calls.insert(call, (user, session));
        self.watching.open(call);
        self.watching.watch(now, call, StreamId::new(), user, users);
        self.pass_on(now);
        Ok(call)
    }

    /// Whoever was told through the outlet is gone: a broken line, or a call that was given up.
    pub fn gone(&mut self, now: Now, outlet: OutletId) {
        self.registry.detach(now.instant, outlet);
        self.watching.gone(outlet);
        if let Some((user, _)) = self.calls.remove(&outlet)
            && let Some(of_user) = self.calls_by_user.get_mut(&user)
        {
            *of_user -= 1;
            if *of_user == 0 {
                self.calls_by_user.remove(&user);
            }
        }
        self.pass_on(now);
    }

    /// A session has ended, wherever that became known.
    pub fn session_ended(&mut self, now: Now, session: SessionId) {
        self.registry.session_ended(session);
        self.end_calls(|of| of == session, Ending::SessionEnded);
        self.pass_on(now);
    }

    /// All Watch calls end.
    pub fn end_all_calls(&mut self, now: Now, ending: Ending) {
        self.end_calls(|_| true, ending);
        self.pass_on(now);
    }

    /// All lines end.
    pub fn end_all_lines(&mut self, now: Now) {
        for line in self.watching.open_outlets() {
            self.watching.end(line, Ending::Stopping);
        }
        self.pass_on(now);
    }

    /// Ends one Watch call.
    pub fn end_call(&mut self, now: Now, call: OutletId, ending: Ending) {
        self.watching.end(call, ending);
        self.pass_on(now);
    }

    fn end_calls(&mut self, which: impl Fn(SessionId) -> bool, ending: Ending) {
        for (call, _) in self.calls.iter().filter(|(_, (_, session))| which(*session)) {
            self.watching.end(*call, ending);
        }
    }

    /// Somebody has chosen what to show, and it is in the store.
    pub fn status_set(&mut self, now: Now, user: UserId, status: &Status) {
        self.people.status_set(now, user, status);
        self.look_at(now, user);
    }

    /// Time passes.
    pub fn tick(&mut self, now: Now) {
        self.registry.tick(now.instant);
        self.watching.tick(now);
        for user in self.people.tick(now) {
            self.look_at(now, user);
        }
        if self.settles_at.is_some_and(|at| at <= now.instant) {
            self.settles_at = None;
            for user in self.watching.watched() {
                self.watching.changed(user);
            }
        }
        self.pass_on(now);
    }

    /// What somebody shows; `record` is what the store has of them, for those of whom nothing is known here. None while
    /// those who were there before a restart may still come back.
    #[must_use]
    pub fn look(&self, now: Now, user: UserId, record: &Record) -> Option<Shown> {
        let here = self.people.shown(user).cloned();
        let shown = here.unwrap_or_else(|| Shown::of(self.registry.connection(user), record, now.wall));
        self.may_tell(&shown).then_some(shown)
    }

    /// What one who may see this much of them gets.
    #[must_use]
    pub fn presence(&self, now: Now, user: UserId, record: &Record, sight: Sight) -> Presence {
        self.look(now, user, record).map(|shown| shown.to(sight)).unwrap_or_default()
    }

    fn may_tell(&self, shown: &Shown) -> bool {
        shown.in_front || self.settles_at.is_none()
    }

    /// What the outlet is to tell next.
    pub fn pull(&mut self, outlet: OutletId) -> Pull {
        let (people, settled) = (&self.people, self.settles_at.is_none());
        let look = |user| people.shown(user).filter(|shown| shown.in_front || settled).cloned();
        self.watching.pull(outlet, look)
    }

    /// Where somebody's sessions are.
    pub fn locate(&self, user: UserId) -> impl Iterator<Item = Located> {
        self.registry.locate(user)
    }

    /// The next question for chat-svc. Answer with [`Machine::answered`].
    pub fn take_ask(&mut self, now: Now) -> Option<Ask> {
        self.watching.take_ask(now)
    }

    /// What chat-svc said.
    pub fn answered(&mut self, now: Now, ask: Ask, answer: Result<Vec<Sight>, Unanswered>) {
        self.watching.answered(now, ask, answer);
    }

    /// See [`People::take_loads`].
    pub fn take_loads(&mut self, most: usize) -> Vec<UserId> {
        self.people.take_loads(most)
    }

    /// Records have come.
    pub fn loaded(&mut self, now: Now, records: Vec<(UserId, Record)>) {
        for (user, record) in records {
            self.people.loaded(now, user, record);
            self.look_at(now, user);
        }
    }

    /// They could not be read.
    pub fn not_loaded(&mut self, users: Vec<UserId>) {
        self.people.not_loaded(users);
    }

    /// See [`People::take_writes`].
    pub fn take_writes(&mut self, most: usize) -> Vec<(UserId, Minute)> {
        self.people.take_writes(most)
    }

    /// They are in the store, or are not.
    pub fn written(&mut self, writes: Vec<(UserId, Minute)>, stored: bool) {
        if stored { self.people.written(&writes) } else { self.people.not_written(writes) }
    }

    /// Notes for the store who is in front: the service is about to stop.
    pub fn keep_all(&mut self, now: Now) {
        self.people.keep_all(now);
    }

    /// What is to be done about the calls since this was last asked.
    pub fn take_due(&mut self, now: Now) -> Due {
        Due {
            wake: self.watching.take_woken(),
            store: self.people.wants_the_store(),
            ask: self.watching.wants_to_ask(now),
        }
    }

    /// Passes on whose connection or watchers have changed.
    fn pass_on(&mut self, now: Now) {
        let mut users = self.registry.take_changed();
        users.extend(self.watching.take_affected());
        for user in users {
            if self.is_needed(user) {
                self.people.need(user, Needed::Yes);
            }
            self.look_at(now, user);
            if !self.is_needed(user) {
                self.people.need(user, Needed::No);
            }
        }
    }

    fn is_needed(&self, user: UserId) -> bool {
        self.registry.connection(user).there || self.watching.is_watched(user)
    }

    fn look_at(&mut self, now: Now, user: UserId) {
        if self.people.evaluate(now, user, self.registry.connection(user)) {
            self.watching.changed(user);
        }
    }

    fn next_outlet(&mut self) -> OutletId {
        self.last_outlet += 1;
        OutletId(self.last_outlet)
    }
}

#[cfg(test)]
mod tests;
