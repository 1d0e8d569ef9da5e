//! One client, one server, and a network between them that does what networks do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use parlor_types::{ConversationId, Id as _, Op, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{ClientFrame, ServerFrame, Text};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::server::{FORBIDDEN, Server};
use crate::core::{Command, Conn, Core, Draft, Effects, Event, Input, Now};
use crate::store::Store;

const TICK: Duration = Duration::from_millis(20);
const HOSTILE_FOR: Now = Duration::from_secs(40);
/// Long enough for the longest back-off.
const QUIET_WITHIN: Now = Duration::from_secs(400);

/// Which kinds of harm a run may see beside those of the network and of crashes.
#[derive(Clone, Copy)]
pub struct Harm {
    pub restore_client: bool,
    pub restore_server: bool,
}

pub struct World {
    rng: StdRng,
    now: Now,
    me: UserId,
    server: Server,
    store: Store,
    older: Option<Store>,
    core: Option<Core>,
    pipes: BTreeMap<Conn, Pipe>,
    /// Pipes of cores before a crash keep their names apart.
    epoch: u64,
    harm: Harm,
    sent: BTreeMap<ConversationId, Vec<Sent>>,
    /// Ops of which nobody can expect to see them: lost with a store that was put back, or taken back by the server.
    excused: BTreeSet<Op>,
    refused: BTreeSet<Op>,
}

struct Sent {
    op: Op,
    forbidden: bool,
}

#[derive(Default)]
struct Pipe {
    up: VecDeque<(Now, Vec<ClientFrame>)>,
    down: VecDeque<(Now, Vec<ServerFrame>)>,
    batches: u64,
    /// Nothing comes through any more, and nobody is told.
    dead: bool,
    connected: bool,
    closing: bool,
}

impl World {
    pub fn new(seed: u64, harm: Harm) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let me = UserId::from_bytes([1; 16]);
        let conversations: Vec<_> = (0..3).map(|n| ConversationId::from_bytes([0x10 + n; 16])).collect();
        let server = Server::new(StdRng::seed_from_u64(rng.random()), me, &conversations);
        let sent = conversations.into_iter().map(|id| (id, Vec::new())).collect();
        Self {
            now: Now::ZERO,
            me,
            server,
            store: Store::in_memory(),
            older: None,
            core: None,
            pipes: BTreeMap::new(),
            epoch: 0,
            harm,
            sent,
            excused: BTreeSet::new(),
            refused: BTreeSet::new(),
            rng,
        }
    }

    pub fn run(&mut self) {
        while self.now < HOSTILE_FOR {
            self.tick();
            self.mischief();
        }
        self.server.hostile = false;
        let patience = self.now + QUIET_WITHIN;
        while !self.is_quiet() {
            assert!(self.now < patience, "not in sync long after all harm has ended: {}", self.differences());
            self.tick();
        }
        self.check();
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.start();
        if let Some((conn, frames)) = self.server.work() {
            self.say(conn, frames);
        }
        self.carry();
        let due = self.core.as_ref().and_then(Core::deadline).is_some_and(|at| at <= self.now);
        if due {
            self.input(Input::Timer);
            let next = self.core.as_ref().and_then(Core::deadline);
            assert!(next.is_none_or(|at| at > self.now), "a timer that changed nothing");
        }
    }

    fn start(&mut self) {
        if self.core.is_none() {
            self.epoch += 1;
            let rng = StdRng::seed_from_u64(self.rng.random());
            let saved = self.store.load().unwrap();
            self.core = Some(Core::new(self.me, "test".into(), rng, saved));
        }
    }

    /// The client's process ends, at whatever point it is.
    fn crash(&mut self) {
        self.core = None;
        for conn in self.pipes.keys() {
            self.server.disconnected(*conn);
        }
        self.pipes.clear();
    }

    fn input(&mut self, input: Input) {
        let now = self.now;
        let Some(core) = &mut self.core else { return };
        let effects = core.handle(now, input);
        self.perform(effects);
    }

    /// As the driver does, but it may die between any two steps.
    fn perform(&mut self, effects: Effects) {
        self.store.apply(&effects.save).unwrap();
        if self.dies() {
            return self.crash();
        }
        for conn in effects.close {
            let conn = self.name(conn);
            self.server.disconnected(conn);
            self.pipes.remove(&conn);
        }
        if let Some((conn, hello)) = effects.open {
            let kind = parlor_wire::chat::v1::client_frame::Kind::Hello(hello);
            let conn = self.name(conn);
            self.pipes.insert(conn, Pipe::default());
            self.speak(conn, vec![ClientFrame { kind: Some(kind) }]);
        }
        for frame in effects.send {
            let conn = effects.send_on.map(|conn| self.name(conn));
            self.speak(conn.expect("said on a stream"), vec![frame]);
            if self.dies() {
                return self.crash();
            }
        }
        for event in effects.tell {
            if let Event::Settled(op, Err(_)) = event {
                self.refused.insert(op);
            }
        }
        if effects.load_outbox {
            let rows = self.store.outbox(None).unwrap();
            self.input(Input::Outbox(rows));
        }
    }

    fn dies(&mut self) -> bool {
        self.server.hostile && self.rng.random_bool(0.003)
    }

    fn name(&self, conn: Conn) -> Conn {
        Conn(self.epoch * 10_000 + conn.0)
    }

    fn speak(&mut self, conn: Conn, frames: Vec<ClientFrame>) {
        let at = self.arrival();
        if let Some(pipe) = self.pipes.get_mut(&conn) {
            let at = pipe.up.back().map_or(at, |(last, _)| at.max(*last));
            pipe.up.push_back((at, frames));
        }
    }

    fn say(&mut self, conn: Conn, frames: Vec<ServerFrame>) {
        let at = self.arrival();
        if let Some(pipe) = self.pipes.get_mut(&conn) {
            let at = pipe.down.back().map_or(at, |(last, _)| at.max(*last));
            pipe.down.push_back((at, frames));
        }
    }

    fn arrival(&mut self) -> Now {
        self.now + Duration::from_millis(self.rng.random_range(0..200))
    }

    fn carry(&mut self) {
        for conn in self.pipes.keys().copied().collect::<Vec<_>>() {
            while let Some(pipe) = self.pipes.get_mut(&conn).filter(|pipe| !pipe.dead)
                && pipe.up.front().is_some_and(|(at, _)| *at <= self.now)
            {
                let (_, frames) = pipe.up.pop_front().expect("looked at");
                if !std::mem::replace(&mut pipe.connected, true) {
                    self.server.connected(conn);
                }
                self.server.hear(conn, frames);
            }
            while let Some(pipe) = self.pipes.get_mut(&conn).filter(|pipe| !pipe.dead)
                && pipe.down.front().is_some_and(|(at, _)| *at <= self.now)
            {
                let (_, frames) = pipe.down.pop_front().expect("looked at");
                pipe.batches += 1;
                let batch = pipe.batches;
                self.input(Input::Batch(Conn(conn.0 % 10_000), batch, frames));
            }
            if self.pipes.get(&conn).is_some_and(|pipe| pipe.closing) {
                self.pipes.remove(&conn);
                self.server.disconnected(conn);
                self.input(Input::Closed(Conn(conn.0 % 10_000), None));
            }
        }
    }

    fn mischief(&mut self) {
        match self.rng.random_range(0..1_000) {
            0..40 => self.send(),
            40..80 => self.other_writes(),
            80..86 => self.pipes.values_mut().for_each(|pipe| pipe.closing = true),
            86..88 => self.pipes.values_mut().for_each(|pipe| pipe.dead = true),
            88..92 => self.server.drain(),
            92..95 => {
                if let Some((conn, frames)) = self.server.say_goodbye() {
                    self.say(conn, frames);
                }
            }
            95..120 => self.server.checkpoint(),
            120..124 => self.crash(),
            124..126 => self.input(Input::Command(Command::Foreground)),
            126..132 => self.fetch_older(),
            132..138 => self.mark_read(),
            138..140 => self.older = Some(self.store.copy()),
            140..142 if self.harm.restore_client => self.put_back(),
            142..144 if self.harm.restore_server => self.server.back_up(),
            144..146 if self.harm.restore_server => self.restore_server(),
            _ => {}
        }
    }

    fn conversation(&mut self) -> ConversationId {
        let at = self.rng.random_range(0..self.sent.len());
        *self.sent.keys().nth(at).expect("within")
    }

    fn send(&mut self) {
        let id = self.conversation();
        let forbidden = self.rng.random_bool(0.1);
        let body = if forbidden { FORBIDDEN.to_owned() } else { self.rng.random::<u64>().to_string() };
        let now = self.now;
        let Some(core) = &mut self.core else { return };
        let (op, effects) = core.append(now, Draft::new(id, Kind::Text(Text { body })));
        self.sent.get_mut(&id).expect("known").push(Sent { op, forbidden });
        self.perform(effects);
    }

    fn other_writes(&mut self) {
        let (id, op) = (self.conversation(), Op::new().to_string());
        self.server.other_writes(id, UserId::from_bytes([2; 16]), op);
    }

    fn fetch_older(&mut self) {
        let id = self.conversation();
        self.input(Input::Command(Command::FetchOlder(id, Seq::FIRST)));
    }

    fn mark_read(&mut self) {
        let id = self.conversation();
        self.input(Input::Command(Command::MarkRead(id, Seq(u64::MAX))));
    }

    /// The client's folder is put back to an older copy. What it had queued since may be lost with it.
    fn put_back(&mut self) {
        let Some(older) = self.older.take() else { return };
        self.crash();
        let kept: BTreeSet<_> = older.outbox(None).unwrap().iter().map(|row| row.op).collect();
        let lost =
            self.store.outbox(None).unwrap().into_iter().map(|row| row.op).filter(|op| !kept.contains(op));
        self.excused.extend(lost);
        self.store = older;
    }

    /// The server goes back to a backup: what it had acked since, and the client no longer holds, is gone.
    fn restore_server(&mut self) {
        if self.server.restore() {
            let waiting: BTreeSet<_> = self.store.outbox(None).unwrap().iter().map(|row| row.op).collect();
            let acked = self.sent.values().flatten().map(|sent| sent.op).filter(|op| !waiting.contains(op));
            self.excused.extend(acked);
            self.pipes.values_mut().for_each(|pipe| pipe.closing = true);
        }
    }

    fn is_quiet(&self) -> bool {
        self.differences().is_empty()
    }

    /// What is not yet as it should be in the end.
    fn differences(&self) -> String {
        let waiting = self.store.outbox(None).unwrap();
        if !waiting.is_empty() {
            return format!("{} rows wait in the outbox", waiting.len());
        }
        if self.store.load().unwrap().generation != Some(self.server.generation.to_string()) {
            return "another generation".to_owned();
        }
        let behind = self.server.logs.iter().find(|(id, log)| {
            let range = self.store.conversation(**id).unwrap().and_then(|known| known.range);
            range.is_none_or(|range| range.have.0 < log.len() as u64)
        });
        behind.map_or_else(String::new, |(id, log)| {
            format!("{id} has {} entries: {:?}", log.len(), self.store.conversation(*id).unwrap())
        })
    }

    fn check(&self) {
        for (id, log) in &self.server.logs {
            let range = self.store.conversation(*id).unwrap().and_then(|known| known.range).expect("synced");
            let held = self.store.entries(*id, range.low, range.have, u32::MAX).unwrap();
            let expected: Vec<_> = log.iter().filter(|entry| entry.seq >= range.low.0).cloned().collect();
            assert_eq!(held, expected, "G5: {id} is held as it is");
            self.check_sent(*id, log);
        }
    }

    fn check_sent(&self, id: ConversationId, log: &[parlor_wire::chat::v1::Entry]) {
        let me = self.me.to_string();
        let stored: Vec<_> = log
            .iter()
            .filter(|entry| entry.sender_id == me)
            .map(|entry| Op::parse(&entry.op).unwrap())
            .collect();
        let unique: BTreeSet<_> = stored.iter().copied().collect();
        assert_eq!(unique.len(), stored.len(), "G2: nothing of {id} is stored twice");
        for sent in &self.sent[&id] {
            let expected = !sent.forbidden;
            if expected && !self.excused.contains(&sent.op) {
                assert!(unique.contains(&sent.op), "G2: {} of {id} is stored", sent.op);
            }
            assert!(expected || !unique.contains(&sent.op), "a refused one is stored");
            assert!(!(expected && self.refused.contains(&sent.op)), "{} was given up", sent.op);
        }
        if !self.harm.restore_client && !self.harm.restore_server {
            let order: Vec<_> =
                self.sent[&id].iter().map(|sent| sent.op).filter(|op| unique.contains(op)).collect();
            assert_eq!(order, stored, "G4: {id} holds them in the order they were sent");
        }
    }
}
