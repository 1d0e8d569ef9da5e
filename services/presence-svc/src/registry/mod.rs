//! The registry: which streams are open where, and which were lost so lately that they still count.
//!
//! A state machine without a clock or I/O. Nodes say what they hold over a line; a line begins with a snapshot, and
//! what the node held before and does not name again has been lost meanwhile. A lost stream counts on as it was for
//! a grace, so that a phone which changes networks does not flap. A stream whose session ended counts for nothing at
//! once. After each call [`Registry::take_changed`] names the users whose connection may have changed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use parlor_types::{NodeId, SessionId, StreamId, UserId};

use crate::presence::Connection;

/// A line of a node, or a watch of a client: something that is told news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutletId(pub u64);

/// How long lost streams count on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Graces {
    /// Any stream.
    pub plain: Duration,
    /// A phone's.
    pub mobile: Duration,
}

/// A stream, as its node describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The stream.
    pub stream: StreamId,
    /// Its user.
    pub user: UserId,
    /// Its session.
    pub session: SessionId,
    /// The app is in front.
    pub foreground: bool,
    /// On a phone.
    pub mobile: bool,
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The stream.
    pub stream: StreamId,
    /// The node that holds it.
    pub node: NodeId,
}

/// See the module.
#[derive(Debug)]
pub struct Registry {
    graces: Graces,
    streams: HashMap<StreamId, Held>,
    users: HashMap<UserId, HashSet<StreamId>>,
    sessions: HashMap<SessionId, HashSet<StreamId>>,
    lines: HashMap<OutletId, Line>,
    nodes: HashMap<NodeId, OutletId>,
    graces_end: BTreeSet<(Instant, StreamId)>,
    changed: BTreeSet<UserId>,
}

#[derive(Debug)]
struct Held {
    opened: Opened,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Open, held by the node of this line.
    Live(OutletId),
    /// Lost; counts on until then.
    Lost(Instant),
}

#[derive(Debug)]
struct Line {
    node: NodeId,
    /// Live streams.
    streams: HashSet<StreamId>,
    /// Those of them that came from an older line and were not named on this one.
    unnamed: HashSet<StreamId>,
}

impl Registry {
    /// An empty one.
    #[must_use]
    pub fn new(graces: Graces) -> Self {
        Self {
            graces,
            streams: HashMap::new(),
            users: HashMap::new(),
            sessions: HashMap::new(),
            lines: HashMap::new(),
            nodes: HashMap::new(),
            graces_end: BTreeSet::new(),
            changed: BTreeSet::new(),
        }
    }

    /// A node begins to speak on a line; gives the older line that it takes the place of.
    pub fn attach(&mut self, node: NodeId, line: OutletId) -> Option<OutletId> {
        let older = self.nodes.insert(node, line);
        let streams = older.and_then(|older| self.lines.remove(&older)).map(|older| older.streams);
        let streams = streams.unwrap_or_default();
        for stream in &streams {
            if let Some(held) = self.streams.get_mut(stream) {
                held.state = State::Live(line);
            }
        }
        self.lines.insert(line, Line { node, unnamed: streams.clone(), streams });
        older
    }

    /// A stream is open, or is in front or no longer. Nothing, if there is no such line.
    pub fn opened(&mut self, line: OutletId, opened: Opened) {
        if !self.lines.contains_key(&line) {
            return;
        }
        self.remove(opened.stream);
        // The session is back: what it lost counts no longer.
        let lost = |stream: &&StreamId| matches!(self.streams[*stream].state, State::Lost(_));
        let superseded: Vec<_> = self.of_session(opened.session).filter(lost).copied().collect();
        superseded.into_iter().for_each(|stream| self.remove(stream));
        self.insert(opened, State::Live(line));
        if let Some(line) = self.lines.get_mut(&line) {
            line.streams.insert(opened.stream);
            line.unnamed.remove(&opened.stream);
        }
    }

    /// A stream has ended: lost, or its session with it.
    pub fn closed(&mut self, now: Instant, stream: StreamId, session_ended: bool) {
        let Some(session) = self.streams.get(&stream).map(|held| held.opened.session) else { return };
        if session_ended {
            self.session_ended(session);
        } else {
            self.lose(now, &HashSet::from([stream]));
        }
    }

    /// All of a session ends at once.
    pub fn session_ended(&mut self, session: SessionId) {
        let streams: Vec<_> = self.of_session(session).copied().collect();
        streams.into_iter().for_each(|stream| self.remove(stream));
    }

    /// The line has named everything: what it was not heard of any more has been lost.
    pub fn snapshot_done(&mut self, now: Instant, line: OutletId) {
        let Some(line) = self.lines.get_mut(&line) else { return };
        let unnamed = std::mem::take(&mut line.unnamed);
        self.lose(now, &unnamed);
    }

    /// A line has broken: all its streams are lost.
    pub fn detach(&mut self, now: Instant, line: OutletId) {
        let Some(line) = self.lines.remove(&line) else { return };
        self.nodes.remove(&line.node);
        self.lose(now, &line.streams);
    }

    /// Graces end.
    pub fn tick(&mut self, now: Instant) {
        while let Some((at, stream)) = self.graces_end.first().copied().filter(|(at, _)| *at <= now) {
            self.graces_end.remove(&(at, stream));
            self.remove(stream);
        }
    }

    /// What somebody's streams amount to.
    #[must_use]
    pub fn connection(&self, user: UserId) -> Connection {
        let mut connection = Connection::default();
        for held in self.of_user(user) {
            connection.there = true;
            connection.in_front |= held.opened.foreground;
            connection.in_front_now |= held.opened.foreground && matches!(held.state, State::Live(_));
        }
        connection
    }

    /// Where somebody's sessions are; lost ones are nowhere.
    pub fn locate(&self, user: UserId) -> impl Iterator<Item = Located> {
        self.of_user(user).filter_map(|held| {
            let State::Live(line) = held.state else { return None };
            let Opened { user, session, stream, .. } = held.opened;
            Some(Located { user, session, stream, node: self.lines.get(&line)?.node })
        })
    }

    /// Whose stream it is, if this line holds it.
    #[must_use]
    pub fn owner(&self, line: OutletId, stream: StreamId) -> Option<UserId> {
        let held = self.streams.get(&stream)?;
        (held.state == State::Live(line)).then_some(held.opened.user)
    }

    /// Users whose connection may have changed since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<UserId> {
        std::mem::take(&mut self.changed)
    }

    fn of_user(&self, user: UserId) -> impl Iterator<Item = &Held> {
        self.users.get(&user).into_iter().flatten().map(|stream| &self.streams[stream])
    }

    fn of_session(&self, session: SessionId) -> impl Iterator<Item = &StreamId> {
        self.sessions.get(&session).into_iter().flatten()
    }

    /// From live to lost, all at the same time; to nothing where the session goes on with another stream.
    fn lose(&mut self, now: Instant, streams: &HashSet<StreamId>) {
        let goes_on = |stream: &&StreamId| {
            let Some(held) = self.streams.get(*stream) else { return false };
            let live = |other: &StreamId| matches!(self.streams[other].state, State::Live(_));
            self.of_session(held.opened.session).any(|other| !streams.contains(other) && live(other))
        };
        let (superseded, lost): (Vec<&StreamId>, Vec<&StreamId>) = streams.iter().partition(goes_on);
        superseded.into_iter().for_each(|stream| self.remove(*stream));
        for stream in lost {
            let Some(Held { opened, state: State::Live(_) }) = self.streams.get(stream) else { continue };
            let opened = *opened;
            self.remove(*stream);
            let until = now + if opened.mobile { self.graces.mobile } else { self.graces.plain };
            self.graces_end.insert((until, *stream));
            self.insert(opened, State::Lost(until));
        }
    }

    fn insert(&mut self, opened: Opened, state: State) {
        self.streams.insert(opened.stream, Held { opened, state });
        self.users.entry(opened.user).or_default().insert(opened.stream);
        self.sessions.entry(opened.session).or_default().insert(opened.stream);
        self.changed.insert(opened.user);
    }

    /// From anything to nothing.
    fn remove(&mut self, stream: StreamId) {
        let Some(Held { opened, state }) = self.streams.remove(&stream) else { return };
        match state {
            State::Live(line) => {
                if let Some(line) = self.lines.get_mut(&line) {
                    line.streams.remove(&stream);
                    line.unnamed.remove(&stream);
                }
            }
            State::Lost(until) => {
                self.graces_end.remove(&(until, stream));
            }
        }
        forget(&mut self.users, opened.user, stream);
        forget(&mut self.sessions, opened.session, stream);
        self.changed.insert(opened.user);
    }
}

fn forget<K: Eq + std::hash::Hash>(index: &mut HashMap<K, HashSet<StreamId>>, key: K, stream: StreamId) {
    if let Some(streams) = index.get_mut(&key) {
        streams.remove(&stream);
        if streams.is_empty() {
            index.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests;
