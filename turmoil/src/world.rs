//! The network, the server on it, and its clients: set up, put through the steps of a plan, healed, and judged.

mod check;
mod links;
mod setup;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parlor_runtime::clock::ManualClock;
use tempfile::TempDir;
use turmoil::Sim;

use crate::client::{Ask, Client};
use crate::panics;
use crate::planted::Planted;
use crate::points::{Point, Points};
use crate::schedule::{GROUPS, Kind, Plan, Step};
use crate::server::{Ground, NAME};

use links::Links;

/// In such steps time goes on, and no latency is finer.
const TICK: Duration = Duration::from_millis(10);
/// How often all connections are looked at, in ticks.
const LOOK_EVERY: u64 = 10;
/// How long it may take until everybody is there at the beginning.
const BEGIN_WITHIN: Duration = Duration::from_secs(20);
/// What is promised of coming back once all harm has ended: 40 s until keep-alive finds a peer that is gone, at most 60 s
/// between two attempts, 20 s for one, and some for what is on the way.
const BACK_WITHIN: Duration = Duration::from_secs(125);
/// How long writing down what is held may take.
const CONCLUDE_WITHIN: Duration = Duration::from_secs(5);

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Where it has been.
    pub points: Points,
    /// What is wrong, if something is.
    pub wrong: Option<String>,
    /// How long after the end of all harm everybody had everything.
    pub back_after: Duration,
}

/// Runs a plan.
#[must_use]
pub fn run(plan: &Plan, planted: Option<Planted>) -> Ended {
    let (ended, panics) = panics::caught(|| World::new(plan, planted).run(plan));
    let nothing = Ended { points: Points::default(), wrong: None, back_after: Duration::ZERO };
    let mut ended = ended.unwrap_or(nothing);
    if !panics.is_empty() {
        ended.wrong = Some(panics.join("\n"));
    }
    ended
}

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Up,
    /// It was asked to stop at this time, and shall be away for so long after it has.
    Stopping(Duration, Duration),
    /// Until then.
    Away(Duration),
}

struct World {
    sim: Sim<'static>,
    now: Duration,
    ticks: u64,
    clock: Arc<ManualClock>,
    ground: Ground,
    server: Server,
    kind: Kind,
    clients: Vec<Client>,
    links: Links,
    said: u64,
    /// When the first trouble may have come.
    began: Duration,
    _folder: TempDir,
}

type Wrong = String;

impl World {
    fn run(mut self, plan: &Plan) -> Ended {
        let mut back_after = Duration::ZERO;
        let wrong = self.go_through(plan, &mut back_after).err();
        Ended { points: self.ground.ledger.points(), wrong, back_after }
    }

    fn go_through(&mut self, plan: &Plan, back_after: &mut Duration) -> Result<(), Wrong> {
        self.gather()?;
        let mut steps = plan.steps.iter().peekable();
        while steps.peek().is_some() {
            while let Some(planned) = steps.next_if(|planned| self.began + planned.at <= self.now) {
                self.take_step(planned.step);
            }
            self.tick()?;
        }
        self.heal()?;
        *back_after = self.settle()?;
        self.judge()
    }

    /// Until everybody is online and knows all conversations.
    fn gather(&mut self) -> Result<(), Wrong> {
        let users: BTreeSet<_> = self.clients.iter().map(|client| client.user).collect();
        for founder in &self.clients[..GROUPS] {
            founder.ask(Ask::Group(users.iter().copied().filter(|user| *user != founder.user).collect()));
        }
        self.until("everybody is there", BEGIN_WITHIN, Self::missing)?;
        self.began = self.now;
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Wrong> {
        self.now += TICK;
        self.ticks += 1;
        self.clock.advance(TICK);
        self.ground.ledger.set_now(self.now);
        self.see_to_the_server()?;
        self.links.pass(&mut self.sim, self.now);
        self.sim.step().map_err(|error| format!("a host failed: {error}"))?;
        if self.ticks.is_multiple_of(LOOK_EVERY) {
            self.keeps_promises()?;
        }
        Ok(())
    }

    /// The server goes, and comes back.
    fn see_to_the_server(&mut self) -> Result<(), Wrong> {
        match self.server {
            Server::Stopping(since, away) if self.ground.has_stopped.load(Ordering::Relaxed) => {
                self.sim.crash(NAME);
                self.ground.ledger.meet(Point::Stopped);
                // What it said last is on the way.
                let told = self.now + links::LONGEST;
                self.until_then(told)?;
                self.said_goodbye(since)?;
                self.server = Server::Away(self.now + away);
            }
            Server::Away(until) if until <= self.now => {
                self.links.machine_is_back(&mut self.sim, self.now);
                self.ground.has_stopped.store(false, Ordering::Relaxed);
                self.sim.bounce(NAME);
                self.server = Server::Up;
            }
            _ => {}
        }
        Ok(())
    }

    /// Time goes on, and nothing else happens.
    fn until_then(&mut self, then: Duration) -> Result<(), Wrong> {
        while self.now < then {
            self.now += TICK;
            self.clock.advance(TICK);
            self.ground.ledger.set_now(self.now);
            self.sim.step().map_err(|error| format!("a host failed: {error}"))?;
        }
        Ok(())
    }

    fn take_step(&mut self, step: Step) {
        let millis = Duration::from_millis;
        let is_up = self.server == Server::Up;
        let (sim, now, ledger) = (&mut self.sim, self.now, &self.ground.ledger);
        match step {
            Step::Say(client, group, times) => (0..times).for_each(|_| self.say(client, group)),
            Step::Read(client) => self.clients[client].ask(Ask::Read),
            Step::Foreground(client) => self.clients[client].ask(Ask::Foreground),
            Step::Partition(place, long) => self.links.partition(sim, place, now + millis(long), ledger),
            Step::OneWay(place, up, long) => self.links.one_way(sim, place, up, now, millis(long), ledger),
            Step::Hold(place, long) => self.links.hold(sim, place, now + millis(long), ledger),
            Step::Slow(place, late, long) => {
                self.links.slow(sim, place, millis(late), now + millis(long), ledger);
            }
            Step::Die(away) if is_up => {
                sim.crash(NAME);
                ledger.meet(Point::ServerDied);
                self.server = Server::Away(now + millis(away));
            }
            Step::DieSilently(away) if is_up => {
                self.links.machine_dies(sim);
                sim.crash(NAME);
                ledger.meet(Point::MachineDied);
                self.server = Server::Away(now + millis(away));
            }
            Step::Stop(away) if is_up => {
                self.ground.stop.notify_one();
                self.server = Server::Stopping(now, millis(away));
            }
            Step::Die(_) | Step::DieSilently(_) | Step::Stop(_) => {}
        }
    }

    fn say(&mut self, client: usize, group: usize) {
        self.said += 1;
        let Some(conversation) = self.group(group) else { return };
        self.clients[client].ask(Ask::Say(conversation, format!("message {}", self.said)));
    }

    /// All that is wrong with the network ends, and the server comes back.
    fn heal(&mut self) -> Result<(), Wrong> {
        while self.server != Server::Up {
            self.tick()?;
        }
        self.links.heal(&mut self.sim, self.now);
        Ok(())
    }

    /// Until everybody has everything; how long that took.
    fn settle(&mut self) -> Result<Duration, Wrong> {
        let healed = self.now;
        self.until("all are back", BACK_WITHIN, Self::missing)?;
        if self.kind == Kind::Crowd {
            self.ground.ledger.meet(Point::StormPassed);
        }
        Ok(self.now - healed)
    }

    /// Lets time go on until nothing is missing.
    fn until(
        &mut self,
        what: &str,
        within: Duration,
        missing: impl Fn(&Self) -> Option<String>,
    ) -> Result<(), Wrong> {
        let patience = self.now + within;
        while let Some(missing) = missing(self) {
            if self.now > patience {
                return Err(format!("not within {within:?}: {what}. {missing}"));
            }
            for _ in 0..LOOK_EVERY {
                self.tick()?;
            }
        }
        Ok(())
    }
}
