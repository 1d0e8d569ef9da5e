//! One device: its store, its core while it runs, and the pipes between it and the server.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, UNIX_EPOCH};

use parlor_types::{ConversationId, Op, Seq, SessionId, UserId};
use parlor_wire::chat::v1::{Activity, ClientFrame, ServerFrame, client_frame};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::super::steps::setup;
use super::{Sent, Server};
use crate::core::{Conn, Core, Draft, Effects, Event, Input, Mutation, Now};
use crate::store::{Store, Tokens};

/// Names of streams: of which device, in which life of its process.
const DEVICE: u64 = 1_000_000_000;
const LIFE: u64 = 10_000;

pub struct Device {
    number: usize,
    rng: StdRng,
    pub store: Store,
    older: Option<Store>,
    pub core: Option<Core>,
    pipes: BTreeMap<Conn, Pipe>,
    /// Pipes of cores before a crash keep their names apart.
    life: u64,
    pub sent: BTreeMap<ConversationId, Vec<Sent>>,
    pub refused: BTreeSet<Op>,
    pub actions: u32,
    /// Who types, as the events say.
    typing: BTreeMap<(ConversationId, UserId), Activity>,
    /// How far others were seen to have received.
    received: BTreeMap<(ConversationId, UserId), u64>,
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

impl Device {
    pub fn new(number: usize, me: UserId, rng: StdRng) -> Self {
        let store = Store::in_memory();
        let tokens = Tokens { access: String::new(), access_until: UNIX_EPOCH, refresh: String::new() };
        store.log_in("", "", me, SessionId::new(), &tokens).unwrap();
        Self {
            number,
            rng,
            store,
            older: None,
            core: None,
            pipes: BTreeMap::new(),
            life: 0,
            sent: BTreeMap::new(),
            refused: BTreeSet::new(),
            actions: 0,
            typing: BTreeMap::new(),
            received: BTreeMap::new(),
        }
    }

    /// Whose stream it is.
    pub fn number_of(conn: Conn) -> usize {
        usize::try_from(conn.0 / DEVICE).unwrap()
    }

    pub fn start(&mut self, server: &Server, now: Now) {
        if self.core.is_none() {
            assert!(self.life < DEVICE / LIFE && now < Duration::from_secs(10_000), "names may run out");
            self.life += 1;
            let rng = StdRng::seed_from_u64(self.rng.random());
            self.core = Some(Core::new(setup(server.me), rng, self.store.load().unwrap()));
        }
    }

    pub fn tick(&mut self, server: &mut Server, now: Now) {
        self.carry(server, now);
        let due = self.core.as_ref().and_then(Core::deadline).is_some_and(|at| at <= now);
        if due {
            self.input(server, now, Input::Timer);
            let next = self.core.as_ref().and_then(Core::deadline);
            assert!(next.is_none_or(|at| at > now), "a timer that changed nothing");
        }
    }

    pub fn append(&mut self, server: &mut Server, now: Now, draft: Draft, forbidden: bool) {
        self.actions += 1;
        let Some(core) = &mut self.core else { return };
        let (id, is_change) = (draft.conversation, draft.target > Seq::default());
        let (op, effects) = core.append(now, draft);
        self.sent.entry(id).or_default().push(Sent { op, forbidden, is_change });
        self.perform(server, now, effects);
    }

    pub fn input(&mut self, server: &mut Server, now: Now, input: Input) {
        let Some(core) = &mut self.core else { return };
        let effects = core.handle(now, input);
        self.perform(server, now, effects);
    }

    /// As the driver does, but it may die between any two steps.
    fn perform(&mut self, server: &mut Server, now: Now, effects: Effects) {
        self.store.apply(&effects.save).unwrap();
        if effects.save.iter().any(|mutation| matches!(mutation, Mutation::Reset(_))) {
            self.received.clear(); // another life of the server's store
        }
        if self.dies(server) {
            return self.crash(server);
        }
        for conn in effects.close {
            let conn = self.name(conn);
            server.disconnected(conn);
            self.pipes.remove(&conn);
        }
        if let Some((conn, hello)) = effects.open {
            let conn = self.name(conn);
            self.pipes.insert(conn, Pipe::default());
            self.speak(now, conn, vec![ClientFrame { kind: Some(client_frame::Kind::Hello(hello)) }]);
        }
        for frame in effects.send {
            let conn = effects.send_on.map(|conn| self.name(conn));
            self.speak(now, conn.expect("said on a stream"), vec![frame]);
            if self.dies(server) {
                return self.crash(server);
            }
        }
        for event in effects.tell {
            self.hear(event);
        }
        if effects.load_outbox {
            let rows = self.store.outbox(None).unwrap();
            self.input(server, now, Input::Outbox(rows));
        }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Settled(op, Err(_)) => drop(self.refused.insert(op)),
            Event::Receipts { conversation, .. } => self.check_marks(conversation),
            Event::Typing { conversation, user, activity: Activity::Unspecified } => {
                let was = self.typing.remove(&(conversation, user));
                assert!(was.is_some(), "a stop of what was not told");
            }
            Event::Typing { conversation, user, activity } => {
                let was = self.typing.insert((conversation, user), activity);
                assert_ne!(was, Some(activity), "the same told twice");
            }
            _ => {}
        }
    }

    /// No mark goes back, whatever order rows and receipts come in.
    fn check_marks(&mut self, id: ConversationId) {
        for member in self.store.receipts(id, Seq::FIRST).unwrap().members {
            let seen = self.received.entry((id, member.user)).or_default();
            assert!(*seen <= member.marks.received, "{id}: {} was at {seen}", member.user);
            *seen = member.marks.received;
        }
    }

    /// What the app shows by the events is what the core says.
    pub fn shows_nobody_typing(&self) -> bool {
        let shown = |id: &ConversationId| self.core.as_ref().map_or(0, |core| core.typing(*id).len());
        let by_events = |id: &ConversationId| self.typing.keys().filter(|(of, _)| of == id).count();
        let all: BTreeSet<_> = self.typing.keys().map(|(id, _)| *id).collect();
        assert!(all.iter().all(|id| shown(id) == by_events(id)), "events and state differ");
        all.is_empty()
    }

    fn dies(&mut self, server: &Server) -> bool {
        server.hostile && self.rng.random_bool(0.003)
    }

    /// The process ends, at whatever point it is.
    pub fn crash(&mut self, server: &mut Server) {
        self.core = None;
        self.typing.clear();
        for conn in std::mem::take(&mut self.pipes).into_keys() {
            server.disconnected(conn);
        }
    }

    /// Every stream ends.
    pub fn cut(&mut self) {
        self.pipes.values_mut().for_each(|pipe| pipe.closing = true);
    }

    /// What the server said and has not arrived never does.
    pub fn lose_what_was_said(&mut self) {
        self.pipes.values_mut().for_each(|pipe| pipe.down.clear());
    }

    /// Every stream is half-open.
    pub fn freeze(&mut self) {
        self.pipes.values_mut().for_each(|pipe| pipe.dead = true);
    }

    pub fn keep_copy(&mut self) {
        self.older = Some(self.store.copy());
    }

    /// The folder is put back to the older copy. Answers what it had queued since, which may be lost with it.
    pub fn put_back(&mut self, server: &mut Server) -> Vec<Op> {
        let Some(older) = self.older.take() else { return Vec::new() };
        self.crash(server);
        let kept: BTreeSet<_> = older.outbox(None).unwrap().iter().map(|row| row.op).collect();
        let queued = self.store.outbox(None).unwrap();
        self.store = older;
        self.received.clear();
        queued.into_iter().map(|row| row.op).filter(|op| !kept.contains(op)).collect()
    }

    /// What was sent and is not in the outbox.
    pub fn not_waiting(&self) -> Vec<Op> {
        let waiting: BTreeSet<_> = self.store.outbox(None).unwrap().iter().map(|row| row.op).collect();
        self.sent.values().flatten().map(|sent| sent.op).filter(|op| !waiting.contains(op)).collect()
    }

    fn name(&self, conn: Conn) -> Conn {
        Conn(self.number as u64 * DEVICE + self.life * LIFE + conn.0)
    }

    fn speak(&mut self, now: Now, conn: Conn, frames: Vec<ClientFrame>) {
        let at = self.arrival(now);
        if let Some(pipe) = self.pipes.get_mut(&conn) {
            let at = pipe.up.back().map_or(at, |(last, _)| at.max(*last));
            pipe.up.push_back((at, frames));
        }
    }

    pub fn say(&mut self, now: Now, conn: Conn, frames: Vec<ServerFrame>) {
        let at = self.arrival(now);
        if let Some(pipe) = self.pipes.get_mut(&conn) {
            let at = pipe.down.back().map_or(at, |(last, _)| at.max(*last));
            pipe.down.push_back((at, frames));
        }
    }

    fn arrival(&mut self, now: Now) -> Now {
        now + Duration::from_millis(self.rng.random_range(0..200))
    }

    fn carry(&mut self, server: &mut Server, now: Now) {
        for conn in self.pipes.keys().copied().collect::<Vec<_>>() {
            while let Some(frames) = self.next(conn, now, |pipe| &mut pipe.up) {
                let pipe = self.pipes.get_mut(&conn).expect("it came through it");
                if !std::mem::replace(&mut pipe.connected, true) {
                    server.connected(conn, self.number);
                }
                server.hear(conn, frames);
            }
            while let Some(frames) = self.next(conn, now, |pipe| &mut pipe.down) {
                let pipe = self.pipes.get_mut(&conn).expect("it came through it");
                pipe.batches += 1;
                let batch = pipe.batches;
                self.input(server, now, Input::Batch(Conn(conn.0 % LIFE), batch, frames));
            }
            if self.pipes.get(&conn).is_some_and(|pipe| pipe.closing) {
                self.pipes.remove(&conn);
                server.disconnected(conn);
                self.input(server, now, Input::Closed(Conn(conn.0 % LIFE), None));
            }
        }
    }

    /// What has arrived in one direction.
    fn next<T>(
        &mut self,
        conn: Conn,
        now: Now,
        way: impl Fn(&mut Pipe) -> &mut VecDeque<(Now, Vec<T>)>,
    ) -> Option<Vec<T>> {
        let pipe = self.pipes.get_mut(&conn).filter(|pipe| !pipe.dead)?;
        let queue = way(pipe);
        queue.pop_front_if(|(at, _)| *at <= now).map(|(_, frames)| frames)
    }
}
