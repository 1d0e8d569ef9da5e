//! The network: connections that deliver late, stop, break, or go half-open. As over TCP nothing is doubled or reordered on
//! one of them, and nothing comes after something that was lost. One of the phones is a browser: what it says goes in
//! calls of their own, which overtake each other and come twice.

mod served;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat_svc::session::Stream;
use parlor_client::core::Conn;
use parlor_types::{SessionId, UserId};
use parlor_wire::errors::v1::Problem;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::disk::{Shared, lock};
use crate::planted::Planted;
use crate::planted::wire::Bent;
use crate::points::{Point, Points};

/// One way takes at most this.
const LATENCY: u64 = 120;
/// Messages on their way to a client, beyond which the server's end is not asked for more: what buffers hold.
const BUFFERED: usize = 4;
/// The phone that is a browser.
const BROWSER: usize = 1;
/// One push in so many is sent twice.
const TWICE: u32 = 6;

/// Who is at a client's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// One of the phones, by number, and what it calls the connection.
    Phone(usize, Conn),
    /// The liar.
    Liar,
}

/// What comes out at a client's end.
#[derive(Debug)]
pub enum Down {
    /// A message of the server's.
    Batch(u64, Vec<Bytes>),
    /// The connection is over.
    Over(Option<Problem>),
}

enum Up {
    Frames(Vec<Bytes>),
    Push(u64, Vec<Bytes>),
    Over,
}

struct Wire {
    end: End,
    user: UserId,
    session: SessionId,
    up: VecDeque<(Duration, Up)>,
    down: VecDeque<(Duration, Down)>,
    stream: Option<Arc<Stream>>,
    /// Nothing comes through any more, and nobody is told.
    dead: bool,
    client_is_gone: bool,
    server_is_gone: bool,
    bent: Bent,
    /// Pushes that were sent, and those that came.
    pushed: u64,
    came: BTreeSet<u64>,
    /// Something was said to the client that its session's end had not to do with.
    served: bool,
}

/// See the module.
pub struct Net {
    rng: StdRng,
    /// The latest time it was told.
    pub now: Duration,
    wires: BTreeMap<u64, Wire>,
    last: u64,
    points: Shared<Points>,
    planted: Option<Planted>,
    /// Sessions of whose end chat-svc has heard.
    ended: Shared<BTreeSet<SessionId>>,
    /// What left chat-svc and should not have.
    pub breach: Option<String>,
}

impl Net {
    /// Without connections.
    pub fn new(
        seed: u64,
        points: Shared<Points>,
        ended: Shared<BTreeSet<SessionId>>,
        planted: Option<Planted>,
    ) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let (now, wires) = (Duration::ZERO, BTreeMap::new());
        Self { rng, now, wires, last: 0, points, planted, ended, breach: None }
    }

    fn later(&mut self) -> Duration {
        self.now + Duration::from_millis(self.rng.random_range(1..=LATENCY))
    }

    /// A client opens a connection and says something; its name.
    pub fn open(&mut self, end: End, user: UserId, session: SessionId, frames: Vec<Bytes>) -> u64 {
        self.last += 1;
        let wire = Wire {
            end,
            user,
            session,
            up: VecDeque::new(),
            down: VecDeque::new(),
            stream: None,
            dead: false,
            client_is_gone: false,
            server_is_gone: false,
            bent: Bent::new(self.planted),
            pushed: 0,
            came: BTreeSet::new(),
            served: false,
        };
        self.wires.insert(self.last, wire);
        self.push_up(self.last, Up::Frames(frames));
        self.last
    }

    /// A client says something.
    pub fn say(&mut self, name: u64, frames: Vec<Bytes>) {
        let Some(wire) = self.wires.get_mut(&name) else { return };
        if matches!(wire.end, End::Phone(BROWSER, _)) {
            wire.pushed += 1;
            let number = wire.pushed;
            if self.rng.random_ratio(1, TWICE) {
                self.call(name, number, frames.clone());
            }
            self.call(name, number, frames);
        } else {
            self.push_up(name, Up::Frames(frames));
        }
    }

    /// A call comes when it comes.
    fn call(&mut self, name: u64, number: u64, frames: Vec<Bytes>) {
        let at = self.later();
        if let Some(wire) = self.wires.get_mut(&name).filter(|wire| !wire.client_is_gone) {
            let place = wire.up.partition_point(|(before, _)| *before <= at);
            wire.up.insert(place, (at, Up::Push(number, frames)));
        }
    }

    /// A client lets go of a connection.
    pub fn close(&mut self, wire: u64) {
        self.push_up(wire, Up::Over);
        if let Some(wire) = self.wires.get_mut(&wire) {
            wire.client_is_gone = true;
        }
    }

    fn push_up(&mut self, wire: u64, up: Up) {
        let at = self.later();
        if let Some(wire) = self.wires.get_mut(&wire).filter(|wire| !wire.client_is_gone) {
            let at = wire.up.back().map_or(at, |(last, _)| at.max(*last));
            wire.up.push_back((at, up));
        }
    }

    /// The connections of a phone.
    fn of(&self, phone: usize) -> Vec<u64> {
        let is_its = |wire: &Wire| matches!(wire.end, End::Phone(number, _) if number == phone);
        self.wires.iter().filter(|(_, wire)| is_its(wire)).map(|(name, _)| *name).collect()
    }

    /// A phone's connections break, and both ends are told in time. What was on its way may be lost.
    pub fn cut(&mut self, phone: usize) {
        for name in self.of(phone) {
            let (up, down) = (self.later(), self.later());
            let Some(wire) = self.wires.get_mut(&name) else { continue };
            let before = wire.up.len() + wire.down.len();
            wire.up.truncate(self.rng.random_range(0..=wire.up.len()));
            wire.down.truncate(self.rng.random_range(0..=wire.down.len()));
            if wire.up.len() + wire.down.len() < before {
                lock(&self.points).meet(Point::LostOnTheWay);
            }
            wire.up.push_back((up, Up::Over));
            wire.down.push_back((down, Down::Over(None)));
        }
    }

    /// A phone's connections are half-open from here on.
    pub fn lose(&mut self, phone: usize) {
        for name in self.of(phone) {
            if let Some(wire) = self.wires.get_mut(&name) {
                wire.dead = true;
                lock(&self.points).meet(Point::HalfOpen);
            }
        }
    }

    /// What is on its way to and from a phone is late by this.
    pub fn stall(&mut self, phone: usize, by: Duration) {
        for name in self.of(phone) {
            let Some(wire) = self.wires.get_mut(&name) else { continue };
            if wire.up.len() + wire.down.len() > 0 {
                lock(&self.points).meet(Point::Late);
            }
            wire.up.iter_mut().for_each(|(at, _)| *at += by);
            wire.down.iter_mut().for_each(|(at, _)| *at += by);
        }
    }

    /// chat-svc has ended, and its machine closes what it had; or the machine is gone too, and closes nothing.
    pub fn service_ended(&mut self, with_its_machine: bool) {
        let names: Vec<u64> = self.wires.keys().copied().collect();
        for name in names {
            let at = self.later();
            let Some(wire) = self.wires.get_mut(&name) else { continue };
            if wire.stream.take().is_none() {
                continue;
            }
            wire.server_is_gone = true;
            if with_its_machine {
                wire.dead = true;
            } else {
                wire.down.truncate(self.rng.random_range(0..=wire.down.len()));
                wire.down.push_back((at, Down::Over(None)));
            }
        }
    }

    /// The streams that are open, in the order in which they were opened.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        self.wires.values().filter_map(|wire| wire.stream.clone()).collect()
    }

    /// The next that has arrived at a client's end, of those that `awake` says take something in.
    pub fn next_down(&mut self, awake: impl Fn(End) -> bool) -> Option<(End, Down)> {
        let now = self.now;
        self.wires.retain(|_, wire| {
            !(wire.client_is_gone && (wire.server_is_gone || wire.stream.is_none() && wire.dead))
        });
        for wire in self.wires.values_mut() {
            if wire.dead || wire.client_is_gone || !awake(wire.end) {
                continue;
            }
            if let Some((_, down)) = wire.down.pop_front_if(|(at, _)| *at <= now) {
                wire.client_is_gone |= matches!(down, Down::Over(_));
                return Some((wire.end, down));
            }
        }
        None
    }
}
