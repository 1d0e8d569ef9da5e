//! What was seen of each connection, on both of its sides.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::frames::{Frame, GOAWAY, HEADERS};
use crate::points::{Point, Points};
use crate::promises::{CLIENT_PINGS_AFTER, LATE, PONG_WITHIN, SERVER_PINGS_AFTER};

/// Whose end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of the client with this number.
    Client(usize),
    /// The server's.
    Server,
}

/// How a connection ended, as one side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// This side left.
    Left,
    /// The other side did, or said that there is no such connection.
    Told,
}

/// One side of a connection.
#[derive(Debug)]
pub struct Seen {
    pub side: Side,
    pub opened: Duration,
    /// When something was heard last; that it is there, at first.
    pub heard: Duration,
    pub ended: Option<(Duration, End)>,
    /// The other side has said all that it will say.
    pub is_told: bool,
    /// The server said that it takes no more calls on it.
    pub goaway: bool,
    /// The client's calls that are under way.
    pub calls: BTreeSet<u32>,
    /// The last of them that was begun.
    newest: u32,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// By the numbers of the connections, both sides of each apart.
    seen: Vec<Seen>,
    /// When which client began a call.
    begun: Vec<(Duration, usize)>,
    points: Points,
}

/// See the module. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<State>>);

impl Ledger {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time goes on.
    pub fn set_now(&self, now: Duration) {
        self.state().now = now;
    }

    /// A connection is there; the number of this side of it.
    pub fn open(&self, side: Side) -> usize {
        let mut state = self.state();
        let now = state.now;
        state.seen.push(Seen {
            side,
            opened: now,
            heard: now,
            ended: None,
            is_told: false,
            goaway: false,
            calls: BTreeSet::new(),
            newest: 0,
        });
        state.seen.len() - 1
    }

    /// Something was heard on it.
    pub fn heard(&self, number: usize, frames: &[Frame]) {
        let mut state = self.state();
        let State { now, seen, points, .. } = &mut *state;
        let seen = &mut seen[number];
        seen.heard = *now;
        for frame in frames {
            if frame.kind == GOAWAY && !seen.goaway {
                seen.goaway = true;
                if !seen.calls.is_empty() {
                    points.meet(Point::GoawayMetCall);
                }
            }
            if frame.ends_stream() {
                seen.calls.remove(&frame.stream);
            }
        }
    }

    /// A client said something on it.
    pub fn said(&self, number: usize, frames: &[Frame]) {
        let mut state = self.state();
        let State { now, seen, begun, .. } = &mut *state;
        let seen = &mut seen[number];
        for frame in frames {
            if frame.kind == HEADERS && frame.stream > seen.newest {
                seen.newest = frame.stream;
                seen.calls.insert(frame.stream);
                if let Side::Client(client) = seen.side {
                    begun.push((*now, client));
                }
            } else if frame.kind == crate::frames::RST_STREAM {
                seen.calls.remove(&frame.stream);
            }
        }
    }

    /// The other side has ended it.
    pub fn told(&self, number: usize) {
        self.state().seen[number].is_told = true;
    }

    /// This side of it is gone.
    pub fn closed(&self, number: usize) {
        let mut state = self.state();
        let State { now, seen, points, .. } = &mut *state;
        let seen = &mut seen[number];
        let silent_for = *now - seen.heard;
        let end = if seen.is_told { End::Told } else { End::Left };
        seen.ended = Some((*now, end));
        let (pings_after, found) = match seen.side {
            Side::Server => (SERVER_PINGS_AFTER, Point::ServerFoundSilence),
            Side::Client(_) => (CLIENT_PINGS_AFTER, Point::ClientFoundSilence),
        };
        if end == End::Left && silent_for + LATE > pings_after + PONG_WITHIN {
            points.meet(found);
            if !seen.calls.is_empty() {
                points.meet(Point::CallCut);
            }
        }
    }

    /// A place was met.
    pub fn meet(&self, point: Point) {
        self.state().points.meet(point);
    }

    /// All that were met.
    pub fn points(&self) -> Points {
        self.state().points.clone()
    }

    /// Looks at all connections.
    pub fn seen<T>(&self, look: impl FnOnce(&[Seen]) -> T) -> T {
        look(&self.state().seen)
    }

    /// When calls were begun since then, and by whom.
    pub fn begun_since(&self, since: Duration) -> Vec<(Duration, usize)> {
        self.state().begun.iter().copied().filter(|(at, _)| *at >= since).collect()
    }
}
