//! What is known of the people who are connected or watched: their records, what they show, when they were seen.
//!
//! Records come from the store and times of being seen go there; whoever drives this does both, with what
//! [`People::take_loads`] and [`People::take_writes`] give. Of somebody whose record is not here yet nothing is
//! shown, and nothing noted. Nobody is kept who is neither needed nor still to be written.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

use parlor_types::UserId;

use super::{Connection, Shown};
use crate::status::Status;
use crate::time::{Minute, Now};

/// What is kept of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// What they have chosen.
    pub status: Status,
    /// When an app of theirs was last in front, as far as others may know.
    pub last_seen: Option<Minute>,
}

/// Whether somebody is connected or watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// They are.
    Yes,
    /// They are not.
    No,
}

/// See the module.
#[derive(Debug)]
pub struct People {
    people: HashMap<UserId, Person>,
    /// While an app is in front, that is written this often.
    keep_every: Duration,
    to_load: BTreeSet<UserId>,
    loading: HashSet<UserId>,
    to_write: BTreeMap<UserId, Minute>,
    writing: BTreeMap<UserId, Minute>,
    statuses_end: BTreeSet<(SystemTime, UserId)>,
    keeps: BTreeSet<(Instant, UserId)>,
}

#[derive(Debug, Default)]
struct Person {
    needed: bool,
    record: Option<Record>,
    /// Set while the record was on its way.
    newer_status: Option<Status>,
    shown: Option<Shown>,
    /// Whether an app counted as in front, on a stream that is open, when this was last looked at.
    in_front_now: bool,
    /// When that was last so.
    in_front_at: Option<SystemTime>,
    keep_at: Option<Instant>,
}

impl People {
    /// Nobody.
    #[must_use]
    pub fn new(keep_every: Duration) -> Self {
        Self {
            people: HashMap::new(),
            keep_every,
            to_load: BTreeSet::new(),
            loading: HashSet::new(),
            to_write: BTreeMap::new(),
            writing: BTreeMap::new(),
            statuses_end: BTreeSet::new(),
            keeps: BTreeSet::new(),
        }
    }

    /// Whether somebody has to be known from now on.
    pub fn need(&mut self, user: UserId, needed: Needed) {
        match needed {
            Needed::Yes => {
                let person = self.people.entry(user).or_default();
                person.needed = true;
                if person.record.is_none() && !self.loading.contains(&user) {
                    self.to_load.insert(user);
                }
            }
            Needed::No => {
                if let Some(person) = self.people.get_mut(&user) {
                    person.needed = false;
                    self.forget_idle(user);
                }
            }
        }
    }

    /// Looks at somebody anew; whether they show something else than before.
    pub fn evaluate(&mut self, now: Now, user: UserId, connection: Connection) -> bool {
        let Some(person) = self.people.get_mut(&user) else { return false };
        let Some(record) = &mut person.record else { return false };
        let appearance = record.status.at(now.wall).appearance;
        let in_front_now = connection.as_chosen(appearance).in_front_now;
        if person.in_front_now || in_front_now {
            // Also if no longer: nothing has said otherwise until now.
            person.in_front_at = Some(now.wall);
        }
        person.in_front_now = in_front_now;
        let was_in_front = person.shown.as_ref().is_some_and(|shown| shown.in_front);
        let is_in_front = Shown::of(connection, record, now.wall).in_front;
        if was_in_front && !is_in_front {
            // Not known of those whose record came during the grace of their last stream.
            if let Some(minute) = person.in_front_at.map(Minute::of) {
                record.last_seen = Some(minute);
                self.to_write.insert(user, minute);
            }
            self.keeps.cancel(person.keep_at.take(), user);
        }
        if !was_in_front && is_in_front {
            let at = now.instant + self.keep_every;
            person.keep_at = Some(at);
            self.keeps.insert((at, user));
        }
        let shown = Shown::of(connection, record, now.wall);
        let changed = person.shown.as_ref() != Some(&shown);
        person.shown = Some(shown);
        changed
    }

    /// What somebody shows, if they are known.
    #[must_use]
    pub fn shown(&self, user: UserId) -> Option<&Shown> {
        self.people.get(&user)?.shown.as_ref()
    }

    /// Somebody has chosen something else; it is in the store.
    pub fn status_set(&mut self, now: Now, user: UserId, status: &Status) {
        let Some(person) = self.people.get_mut(&user) else { return };
        let Some(record) = &mut person.record else {
            person.newer_status = Some(status.clone());
            return;
        };
        let old = std::mem::replace(&mut record.status, status.clone());
        self.statuses_end.cancel(old.until, user);
        let until = status.until.filter(|until| *until > now.wall);
        self.statuses_end.extend(until.map(|until| (until, user)));
    }

    /// Those who have to be looked at because time has passed.
    pub fn tick(&mut self, now: Now) -> Vec<UserId> {
        let mut due = Vec::new();
        while let Some(first) = self.statuses_end.first().copied().filter(|(at, _)| *at <= now.wall) {
            self.statuses_end.remove(&first);
            due.push(first.1);
        }
        while let Some(first) = self.keeps.first().copied().filter(|(at, _)| *at <= now.instant) {
            self.keeps.remove(&first);
            self.keep(now, first.1);
        }
        due
    }

    /// Notes for the store all who are in front: the service is about to stop.
    pub fn keep_all(&mut self, now: Now) {
        let in_front: Vec<_> = self.keeps.iter().map(|(_, user)| *user).collect();
        self.keeps.clear();
        in_front.into_iter().for_each(|user| self.keep(now, user));
    }

    /// Notes for the store that somebody is in front, and when to do so again.
    fn keep(&mut self, now: Now, user: UserId) {
        let Some(person) = self.people.get_mut(&user) else { return };
        if person.in_front_now {
            person.in_front_at = Some(now.wall);
        }
        self.to_write.extend(person.in_front_at.map(|at| (user, Minute::of(at))));
        let at = now.instant + self.keep_every;
        person.keep_at = Some(at);
        self.keeps.insert((at, user));
    }

    /// Up to `most` users whose records are wanted. Answer with [`People::loaded`] or [`People::not_loaded`].
    pub fn take_loads(&mut self, most: usize) -> Vec<UserId> {
        let users: Vec<_> = self.to_load.iter().take(most).copied().collect();
        for user in &users {
            self.to_load.remove(user);
            self.loading.insert(*user);
        }
        users
    }

    /// A record has come.
    pub fn loaded(&mut self, now: Now, user: UserId, record: Record) {
        self.loading.remove(&user);
        let Some(person) = self.people.get_mut(&user).filter(|person| person.record.is_none()) else {
            return;
        };
        let status = person.newer_status.take().unwrap_or_else(|| record.status.clone());
        person.record = Some(Record { last_seen: record.last_seen, ..Record::default() });
        self.status_set(now, user, &status);
        self.forget_idle(user);
    }

    /// The records could not be read: they are still wanted.
    pub fn not_loaded(&mut self, users: Vec<UserId>) {
        for user in users {
            self.loading.remove(&user);
            match self.people.get(&user) {
                Some(person) if person.needed => drop(self.to_load.insert(user)),
                _ => self.forget_idle(user),
            }
        }
    }

    /// Up to `most` times for the store. Answer with [`People::written`] or [`People::not_written`].
    pub fn take_writes(&mut self, most: usize) -> Vec<(UserId, Minute)> {
        let writes: Vec<_> = self.to_write.iter().take(most).map(|(user, at)| (*user, *at)).collect();
        for (user, at) in &writes {
            self.to_write.remove(user);
            self.writing.insert(*user, *at);
        }
        writes
    }

    /// They are in the store.
    pub fn written(&mut self, writes: &[(UserId, Minute)]) {
        for (user, _) in writes {
            self.writing.remove(user);
            self.forget_idle(*user);
        }
    }

    /// They are not: to be tried again, but for those that newer ones have taken the place of.
    pub fn not_written(&mut self, writes: Vec<(UserId, Minute)>) {
        for (user, at) in writes {
            self.writing.remove(&user);
            self.to_write.entry(user).or_insert(at);
        }
    }

    /// Whether there is something for the store to do.
    #[must_use]
    pub fn wants_the_store(&self) -> bool {
        !self.to_load.is_empty() || !self.to_write.is_empty()
    }

    fn forget_idle(&mut self, user: UserId) {
        let busy = self.loading.contains(&user)
            || self.to_write.contains_key(&user)
            || self.writing.contains_key(&user);
        if busy || self.people.get(&user).is_none_or(|person| person.needed) {
            return;
        }
        if let Some(person) = self.people.remove(&user) {
            self.to_load.remove(&user);
            self.keeps.cancel(person.keep_at, user);
            self.statuses_end.cancel(person.record.and_then(|record| record.status.until), user);
        }
    }
}

/// Takes a timer back, if it was set.
trait Timers<T> {
    fn cancel(&mut self, at: Option<T>, user: UserId);
}

impl<T: Ord> Timers<T> for BTreeSet<(T, UserId)> {
    fn cancel(&mut self, at: Option<T>, user: UserId) {
        if let Some(at) = at {
            self.remove(&(at, user));
        }
    }
}

#[cfg(test)]
mod tests;
