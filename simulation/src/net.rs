//! The network: connections that deliver late, stop, break, or go half-open. As over TCP nothing is doubled or reordered on
//! one of them, and nothing comes after something that was lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chat_svc::session::Stream;
use parlor_client::core::Conn;
use parlor_types::{SessionId, UserId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::disk::{Shared, lock};
use crate::points::{Point, Points};
use crate::service::Service;

/// One way takes at most this.
const LATENCY: u64 = 120;
/// Messages on their way to a client, beyond which the server's end is not asked for more: what buffers hold.
const BUFFERED: usize = 4;

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
}

/// See the module.
pub struct Net {
    rng: StdRng,
    /// The latest time it was told.
    pub now: Duration,
    wires: BTreeMap<u64, Wire>,
    last: u64,
    points: Shared<Points>,
}

impl Net {
    /// Without connections.
    pub fn new(seed: u64, points: Shared<Points>) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { rng, now: Duration::ZERO, wires: BTreeMap::new(), last: 0, points }
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
        };
        self.wires.insert(self.last, wire);
        self.say(self.last, frames);
        self.last
    }

    /// A client says something.
    pub fn say(&mut self, wire: u64, frames: Vec<Bytes>) {
        self.push_up(wire, Up::Frames(frames));
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
            wire.up.truncate(self.rng.random_range(0..=wire.up.len()));
            wire.down.truncate(self.rng.random_range(0..=wire.down.len()));
            wire.up.push_back((up, Up::Over));
            wire.down.push_back((down, Down::Over(None)));
        }
    }

    /// A phone's connections are half-open from here on.
    pub fn lose(&mut self, phone: usize) {
        for name in self.of(phone) {
            if let Some(wire) = self.wires.get_mut(&name) {
                wire.dead = true;
            }
        }
    }

    /// What is on its way to and from a phone is late by this.
    pub fn stall(&mut self, phone: usize, by: Duration) {
        for name in self.of(phone) {
            let Some(wire) = self.wires.get_mut(&name) else { continue };
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

    /// What has arrived at the server's end is taken in, and what it has to say is sent, as buffers have room.
    pub fn serve(&mut self, service: &Service) {
        let names: Vec<u64> = self.wires.keys().copied().collect();
        for name in names {
            while let Some(up) = self.next_up(name) {
                self.take_in(name, up, service);
            }
            self.pull(name, service);
        }
    }

    /// There is nobody to connect to.
    pub fn refuse(&mut self) {
        let names: Vec<u64> = self.wires.keys().copied().collect();
        for name in names {
            while self.next_up(name).is_some() {
                let at = self.later();
                let Some(wire) = self.wires.get_mut(&name).filter(|wire| !wire.server_is_gone) else {
                    continue;
                };
                wire.server_is_gone = true;
                wire.down.push_back((at, Down::Over(None)));
            }
        }
    }

    fn next_up(&mut self, name: u64) -> Option<Up> {
        let now = self.now;
        let wire = self.wires.get_mut(&name).filter(|wire| !wire.dead)?;
        wire.up.pop_front_if(|(at, _)| *at <= now).map(|(_, up)| up)
    }

    fn take_in(&mut self, name: u64, up: Up, service: &Service) {
        let Some(wire) = self.wires.get_mut(&name).filter(|wire| !wire.server_is_gone) else { return };
        match up {
            Up::Frames(frames) => {
                let (user, session) = (wire.user, wire.session);
                let open = || service.within(|| Stream::open(user, session, service.deps.clone()));
                let stream = wire.stream.get_or_insert_with(open);
                service.within(|| stream.frames(frames));
            }
            Up::Over => {
                wire.server_is_gone = true;
                if let Some(stream) = wire.stream.take() {
                    service.within(|| stream.gone());
                }
            }
        }
    }

    fn pull(&mut self, name: u64, service: &Service) {
        let context = Context::from_waker(std::task::Waker::noop());
        loop {
            let at = self.later();
            let Some(wire) = self.wires.get_mut(&name) else { return };
            let Some(stream) = wire.stream.clone() else { return };
            if wire.down.len() >= BUFFERED {
                return;
            }
            let at = wire.down.back().map_or(at, |(last, _)| at.max(*last));
            match service.within(|| stream.poll(&context)) {
                Poll::Pending => return,
                Poll::Ready(Ok(batch)) => {
                    wire.down.push_back((at, Down::Batch(batch.batch, batch.frames)));
                }
                Poll::Ready(Err(farewell)) => {
                    match farewell.reason {
                        ErrorReason::IdleTimeout => lock(&self.points).meet(Point::SilentClient),
                        ErrorReason::Displaced => lock(&self.points).meet(Point::Displaced),
                        _ => {}
                    }
                    wire.down.push_back((at, Down::Over(Some(farewell.to_problem()))));
                    (wire.stream, wire.server_is_gone) = (None, true);
                    service.within(|| stream.gone());
                }
            }
        }
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
