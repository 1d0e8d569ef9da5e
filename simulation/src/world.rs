//! One chat-svc, a few clients, one liar, and the time that passes for all of them.

mod acts;
mod check;
mod setup;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use chat_svc::session::{Farewell, Standing};
use chat_svc::store::{Generation, MemoryStore};
use parlor_runtime::clock::{Clock as _, ManualClock};
use parlor_types::{ConversationId, SessionId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::disk::{Disk, Ills, Shared, lock};
use crate::liar::Liar;
use crate::net::{End, Net};
use crate::phone::Phone;
use crate::planted::Planted;
use crate::points::{Point, Points};
use crate::record::Record;
use crate::schedule::{Kind, Planned};
use crate::service::Service;

/// How long nothing is looked at.
const TICK: Duration = Duration::from_millis(10);
/// Long enough for the longest wait of a client.
const QUIET_WITHIN: Duration = Duration::from_secs(150);
/// How often it is seen whether all is well again.
const LOOK_EVERY: u32 = 50;
/// How long chat-svc takes to come back when its store has stopped.
const AWAY: Duration = Duration::from_millis(400);

/// What is wrong for a while, and until when.
#[derive(Debug, Default)]
struct Until {
    full: Duration,
    busy: Duration,
    unreadable: Duration,
    slow: Duration,
    frozen: Duration,
    /// chat-svc is away.
    away: Duration,
}

/// See the module.
pub struct World {
    rng: StdRng,
    now: Duration,
    clock: Arc<ManualClock>,
    model: Arc<MemoryStore>,
    generation: Generation,
    backup: Option<Arc<MemoryStore>>,
    /// With [`Planted::NeverSynced`] or [`Planted::AcksEarly`]: what a crash leaves.
    synced: Option<Arc<MemoryStore>>,
    planted: Option<Planted>,
    service: Option<Service>,
    ills: Shared<Ills>,
    points: Shared<Points>,
    until: Until,
    net: Net,
    phones: Vec<Phone>,
    liar: Liar,
    record: Record,
    conversations: Vec<ConversationId>,
    said: u64,
    kind: Kind,
    /// Sessions that are ended, and when chat-svc hears of it.
    ending: Vec<(Duration, SessionId)>,
    /// Those it has heard of.
    ended: Shared<BTreeSet<SessionId>>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The same, if everything happened the same.
    pub trace: u64,
    /// Where it has been.
    pub points: Points,
    /// What is wrong, if something is.
    pub wrong: Option<String>,
}

impl World {
    /// Everybody is there, and nothing has happened.
    pub fn new(seed: u64, planted: Option<Planted>) -> Self {
        let mut rng = StdRng::seed_from_u64(seed ^ 0x5eed);
        let clock = Arc::new(ManualClock::at(UNIX_EPOCH + Duration::from_secs(1_800_000_000)));
        let (model, conversations) = setup::store(&clock);
        let points: Shared<Points> = Shared::default();
        let ended: Shared<BTreeSet<SessionId>> = Shared::default();
        let net = Net::new(rng.random(), points.clone(), ended.clone(), planted);
        let phones = setup::owners().into_iter().enumerate();
        let phones = phones.map(|(number, owner)| Phone::new(number, owner, rng.random())).collect();
        let mut world = Self {
            rng,
            now: Duration::ZERO,
            clock,
            model,
            generation: setup::generation(0),
            backup: None,
            synced: None,
            planted,
            service: None,
            ills: Shared::default(),
            points,
            until: Until::default(),
            net,
            phones,
            liar: Liar::new(setup::liar()),
            record: Record::default(),
            conversations,
            said: 0,
            kind: Kind::of(seed),
            ending: Vec::new(),
            ended,
        };
        world.start_service();
        world
    }

    /// Goes through the steps, then lets everything heal.
    pub fn run(mut self, steps: &[Planned]) -> Ended {
        let mut steps = steps.iter().peekable();
        while self.now < self.kind.lasts() || steps.peek().is_some() {
            while let Some(planned) = steps.next_if(|planned| planned.at <= self.now) {
                self.record.trace(&format!("{planned}"));
                self.take_step(planned.step);
            }
            self.tick();
        }
        self.heal();
        let wrong = self.net.breach.take().or_else(|| self.settle()).or_else(|| self.judge());
        self.record.points.add(&lock(&self.points));
        let ended = Ended { trace: self.record.hash(), points: self.record.points.clone(), wrong };
        if let Some(service) = self.service.take() {
            service.crash();
        }
        ended
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.clock.advance(TICK);
        self.net.now = self.now;
        self.record.now = self.now;
        self.pass_ills();
        self.serve();
        let now = self.now;
        let phones = &mut self.phones;
        while let Some((end, down)) = self.net.next_down(|end| match end {
            End::Phone(number, _) => phones[number].is_awake(now),
            End::Liar => true,
        }) {
            match end {
                End::Phone(number, conn) => phones[number].hear(&mut self.net, &mut self.record, conn, down),
                End::Liar => self.liar.hear(&down, &mut self.record),
            }
        }
        for phone in phones {
            phone.tick(&mut self.net, &mut self.record);
        }
    }

    /// chat-svc goes on, if it can.
    fn serve(&mut self) {
        if self.service.is_some() && lock(&self.ills).stopped {
            self.end_service(AWAY, false);
        }
        if self.service.is_none() {
            if self.now < self.until.away {
                return self.net.refuse();
            }
            self.start_service();
        }
        if self.now < self.until.frozen {
            return;
        }
        self.hear_of_ends();
        let Some(service) = &mut self.service else { return };
        self.net.serve(service);
        service.run(self.now, TICK, &self.net.streams());
        self.net.serve(service);
        self.sync();
    }

    /// Where not all that is answered outlives a crash: this does.
    fn sync(&mut self) {
        let every = match self.planted {
            Some(Planted::NeverSynced) => 1_000,
            Some(Planted::AcksEarly) => 200,
            _ => return,
        };
        if self.now.as_millis().is_multiple_of(every) {
            self.synced = Some(Arc::new(self.model.copy()));
        }
    }

    fn start_service(&mut self) {
        lock(&self.ills).stopped = false;
        let (model, now, seed) = (Arc::clone(&self.model), self.clock.now(), self.rng.random());
        let (ills, points) = (self.ills.clone(), self.points.clone());
        let disk = Disk::new((model, self.generation), now, seed, ills, points, self.planted);
        self.service = Some(Service::start(disk, self.clock.clone(), self.standing(), self.planted));
    }

    /// chat-svc hears which sessions have ended, as `App` does: their streams end, and they get no more.
    fn hear_of_ends(&mut self) {
        let Some(service) = &self.service else { return };
        let now = self.now;
        for (_, session) in self.ending.extract_if(.., |(at, _)| *at <= now) {
            lock(&self.ended).insert(session);
            if self.planted != Some(Planted::EndedSessionsGoOn) {
                let farewell = Farewell::session_ended();
                service.within(|| service.deps.router.end_session(session, &farewell));
            }
        }
    }

    fn standing(&self) -> Standing {
        let (ended, is_deaf) = (self.ended.clone(), self.planted == Some(Planted::EndedSessionsGoOn));
        Arc::new(move |session| (!is_deaf && lock(&ended).contains(&session)).then(Farewell::session_ended))
    }

    /// chat-svc dies, and stays away for a while.
    fn end_service(&mut self, away: Duration, with_its_machine: bool) {
        let Some(service) = self.service.take() else { return };
        service.crash();
        self.net.service_ended(with_its_machine);
        self.until.away = self.now + away;
        self.until.frozen = Duration::ZERO;
        if let Some(synced) = self.synced.take() {
            self.model = synced;
        }
    }

    /// What was wrong for a while is so no more.
    fn pass_ills(&mut self) {
        let (now, until) = (self.now, &self.until);
        let mut ills = lock(&self.ills);
        ills.full = now < until.full;
        ills.busy = now < until.busy;
        ills.unreadable = now < until.unreadable;
        ills.slow = if now < until.slow { setup::SLOW } else { Duration::ZERO };
    }

    fn heal(&mut self) {
        self.until = Until::default();
        let stopped = lock(&self.ills).stopped;
        *lock(&self.ills) = Ills { stopped, ..Ills::default() };
        for number in 0..self.phones.len() {
            self.phones[number].heal();
            // Who comes to look has everything asked for anew; where all goes quiet, nobody comes.
            if self.kind == Kind::Loud {
                self.ask(number, parlor_client::core::Command::Foreground);
            }
        }
    }

    /// Waits until everybody has everything; what is missing if they do not get there.
    fn settle(&mut self) -> Option<String> {
        let patience = self.now + QUIET_WITHIN;
        while let Some(missing) = self.missing() {
            if self.now > patience {
                return Some(format!("not in sync long after all harm has ended: {missing}"));
            }
            for phone in &mut self.phones {
                phone.read_all(&mut self.net, &mut self.record, &self.conversations);
            }
            (0..LOOK_EVERY).for_each(|_| self.tick());
        }
        None
    }

    fn meet(&mut self, point: Point) {
        self.record.meet(point);
    }
}
