//! A client: the real core over the real store, and somebody who uses it. It may die between any two steps.

pub mod notes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use parlor_client::core::{Command, Conn, Core, Draft, Effects, Event, Input, Mutation, Setup};
use parlor_client::store::{Store, Tokens};
use parlor_history::Event as Noted;
use parlor_types::{ConversationId, Id as _, Op, Seq, SessionId, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::server_frame::Kind as Said;
use parlor_wire::chat::v1::{ClientFrame, ServerFrame, client_frame};
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::net::{Down, End, Net};
use crate::points::Point;
use crate::record::Record;
use notes::Notes;

/// Whose it is.
#[derive(Debug, Clone)]
pub struct Owner {
    /// What it is called in the history.
    pub name: String,
    /// Who uses it.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
}

/// See the module.
pub struct Phone {
    number: usize,
    /// How many it had.
    sessions: u8,
    /// Whose it is.
    pub owner: Owner,
    rng: StdRng,
    /// All that survives.
    pub store: Store,
    older: Option<Store>,
    core: Option<Core>,
    wires: BTreeMap<Conn, u64>,
    notes: Notes,
    /// It is off until then.
    off_until: Duration,
    /// It stands still until then.
    frozen_until: Duration,
    /// It dies after so many more steps.
    dies_in: Option<u32>,
    /// What it was called before it was put back to older copies: what it saw then, another has seen.
    names: Vec<String>,
    /// It has been just now.
    is_another: bool,
    /// What it no longer knows of since: sent or not, nobody can expect to see it.
    pub forgotten: BTreeSet<Op>,
}

impl Phone {
    /// A new one.
    ///
    /// # Panics
    /// There is no memory for it.
    pub fn new(number: usize, owner: Owner, seed: u64) -> Self {
        let store = Store::in_memory();
        enter(&store, &owner);
        Self {
            number,
            owner,
            rng: StdRng::seed_from_u64(seed),
            store,
            sessions: 1,
            older: None,
            core: None,
            wires: BTreeMap::new(),
            notes: Notes::default(),
            off_until: Duration::ZERO,
            frozen_until: Duration::ZERO,
            dies_in: None,
            names: Vec::new(),
            is_another: false,
            forgotten: BTreeSet::new(),
        }
    }

    /// Whether it takes something in now.
    pub fn is_awake(&self, now: Duration) -> bool {
        now >= self.frozen_until
    }

    /// It goes on with what is due: it starts, or its core's time has come.
    pub fn tick(&mut self, net: &mut Net, record: &mut Record) {
        if !self.is_awake(net.now) || net.now < self.off_until {
            return;
        }
        if self.core.is_none() {
            self.start(record);
        }
        let due = |core: &Core| core.deadline().is_some_and(|at| at <= net.now);
        if self.core.as_ref().is_some_and(due) {
            self.input(net, record, Input::Timer);
            let due = |core: &Core| core.deadline().is_some_and(|at| at <= net.now);
            assert!(!self.core.as_ref().is_some_and(due), "a timer that changed nothing");
        }
    }

    fn start(&mut self, record: &mut Record) {
        let setup = Setup {
            me: self.owner.user,
            client: "simulated".to_owned(),
            mobile: self.number % 2 == 1,
            foreground: true,
        };
        let saved = self.store.load().expect("the store can be read");
        let Owner { name, user, session } = self.owner.clone();
        record.line(&name, Noted::Begin { user, session: Some(session) });
        if let Some(generation) = saved.generation.clone() {
            record.line(&name, Noted::Generation { generation });
        }
        self.notes.begin(&saved);
        if std::mem::take(&mut self.is_another) {
            notes::hand_over(&name, &self.store, record);
        }
        self.core = Some(Core::new(setup, StdRng::seed_from_u64(self.rng.random()), saved));
    }

    /// Something arrived on a connection.
    pub fn hear(&mut self, net: &mut Net, record: &mut Record, conn: Conn, down: Down) {
        match down {
            Down::Over(problem) => {
                self.wires.remove(&conn);
                self.input(net, record, Input::Closed(conn, problem));
            }
            Down::Batch(number, frames) => {
                let frames: Vec<ServerFrame> = frames
                    .iter()
                    .map(|frame| ServerFrame::decode(&frame[..]).expect("the server's frames are frames"))
                    .collect();
                for frame in &frames {
                    note_frame(record, frame);
                }
                self.input(net, record, Input::Batch(conn, number, frames));
            }
        }
    }

    /// The app asks for something.
    pub fn ask(&mut self, net: &mut Net, record: &mut Record, command: Command) {
        if self.is_awake(net.now) {
            self.input(net, record, Input::Command(command));
        }
    }

    /// The app has something to send; nothing happens while it is off.
    pub fn send(&mut self, net: &mut Net, record: &mut Record, draft: Draft) {
        if !self.is_awake(net.now) {
            return;
        }
        let Some(core) = &mut self.core else { return };
        let (conversation, content) = (draft.conversation, draft.content.clone());
        let (op, effects) = core.append(net.now, draft);
        let base = effects.save.iter().find_map(|mutation| match mutation {
            Mutation::Queue(row) => Some(row.base_seq.0),
            _ => None,
        });
        let content = match content {
            Kind::Text(text) => Some(text.body),
            _ => None,
        };
        let invoked = Noted::Invoke { op, conversation, base_seq: base, content };
        self.perform(net, record, effects, Some(invoked));
    }

    fn input(&mut self, net: &mut Net, record: &mut Record, input: Input) {
        let Some(core) = &mut self.core else { return };
        let effects = core.handle(net.now, input);
        self.perform(net, record, effects, None);
    }

    /// As the driver of the client library does it. What is invoked is so when it is saved.
    fn perform(&mut self, net: &mut Net, record: &mut Record, effects: Effects, invoked: Option<Noted>) {
        if self.dies() {
            return self.crash(net, record, Duration::ZERO);
        }
        if let Some(invoked) = invoked {
            record.line(&self.owner.name, invoked);
        }
        self.store.apply(&effects.save).expect("the store takes what the core saves");
        self.notes.take(&self.owner.name, &self.store, &effects, record);
        if self.dies() {
            return self.crash(net, record, Duration::ZERO);
        }
        if !effects.close.is_empty() && effects.tell.contains(&Event::Offline(None)) {
            record.meet(Point::SilentServer);
        }
        for conn in effects.close {
            if let Some(wire) = self.wires.remove(&conn) {
                net.close(wire);
            }
        }
        if let Some((conn, hello)) = effects.open {
            let frames = encode([ClientFrame { kind: Some(client_frame::Kind::Hello(hello)) }]);
            let wire = net.open(End::Phone(self.number, conn), self.owner.user, self.owner.session, frames);
            self.wires.insert(conn, wire);
        }
        if let Some(wire) = effects.send_on.and_then(|conn| self.wires.get(&conn))
            && !effects.send.is_empty()
        {
            net.say(*wire, encode(effects.send));
        }
        if effects.load_outbox {
            let rows = self.store.outbox(None).expect("the store can be read");
            self.input(net, record, Input::Outbox(rows));
        }
        let stopped = effects.tell.iter().find_map(|event| match event {
            Event::Stopped(problem) => Some(problem.reason()),
            _ => None,
        });
        if let Some(reason) = stopped {
            // Whoever uses it starts it again, and logs in again if need be.
            self.crash(net, record, Duration::from_secs(1));
            if reason == ErrorReason::SessionEnded {
                self.log_in();
            }
        }
    }

    fn dies(&mut self) -> bool {
        let Some(steps) = &mut self.dies_in else { return false };
        *steps = steps.saturating_sub(1);
        *steps == 0
    }

    /// It will die after so many steps.
    pub fn dies_after(&mut self, steps: u32) {
        self.dies_in = Some(steps.max(1));
    }

    /// The process ends, at whatever point it is. What it sent is on its way.
    pub fn crash(&mut self, net: &mut Net, record: &mut Record, off_for: Duration) {
        if self.dies_in.take().is_some() {
            record.meet(Point::ClientCrashed);
        }
        self.core = None;
        self.off_until = net.now + off_for;
        for wire in std::mem::take(&mut self.wires).into_values() {
            net.close(wire);
        }
    }

    /// The same user logs in again, and goes on with what is held.
    fn log_in(&mut self) {
        self.sessions += 1;
        let mut bytes = self.owner.session.bytes();
        bytes[15] = self.sessions;
        self.owner.session = SessionId::from_bytes(bytes);
        enter(&self.store, &self.owner);
    }

    /// It stands still, with all its connections open.
    pub fn freeze(&mut self, until: Duration) {
        self.frozen_until = until;
    }

    /// What it has saved is copied.
    pub fn keep_copy(&mut self) {
        self.older = Some(self.store.copy());
    }

    /// It goes on from the copy. What it saw since, another client has seen; what it queued since is forgotten.
    pub fn go_back(&mut self, net: &mut Net, record: &mut Record) {
        let Some(older) = self.older.take() else { return };
        self.crash(net, record, Duration::ZERO);
        let kept: BTreeSet<_> = outbox(&older).collect();
        self.forgotten.extend(outbox(&self.store).filter(|op| !kept.contains(op)));
        self.store = older;
        self.is_another = true;
        self.names.push(self.owner.name.clone());
        self.owner.name = format!("{} again {}", self.names[0], self.names.len());
        record.meet(Point::ClientPutBack);
    }

    /// What waits to be sent.
    ///
    /// # Panics
    /// The store cannot be read.
    pub fn waiting(&self) -> usize {
        outbox(&self.store).count()
    }

    /// All that it was ever called.
    pub fn names(&self) -> Vec<String> {
        self.names.iter().chain([&self.owner.name]).cloned().collect()
    }

    /// Everything ends well: it is on, awake, and nothing is planned for it.
    pub fn heal(&mut self) {
        (self.off_until, self.frozen_until, self.dies_in) = (Duration::ZERO, Duration::ZERO, None);
    }

    /// Asks for all that may be read of these.
    pub fn read_all(&mut self, net: &mut Net, record: &mut Record, conversations: &[ConversationId]) {
        for conversation in conversations {
            self.ask(net, record, Command::FetchOlder(*conversation, Seq::FIRST));
        }
    }
}

fn enter(store: &Store, owner: &Owner) {
    let tokens =
        Tokens { access: String::new(), access_until: std::time::UNIX_EPOCH, refresh: String::new() };
    store.log_in("", "", owner.user, owner.session, &tokens).expect("the store takes a session");
}

fn outbox(store: &Store) -> impl Iterator<Item = Op> {
    store.outbox(None).expect("the store can be read").into_iter().map(|row| row.op)
}

fn encode(frames: impl IntoIterator<Item = ClientFrame>) -> Vec<Bytes> {
    frames.into_iter().map(|frame| frame.encode_to_vec().into()).collect()
}

/// What a frame says of where the run has been. The name of a stream is drawn by the server, and alone differs from run to run.
fn note_frame(record: &mut Record, frame: &ServerFrame) {
    use parlor_wire::chat::v1::append_result::Outcome;
    use parlor_wire::chat::v1::fetch_result::Outcome as Fetched;
    match &frame.kind {
        Some(Said::Welcome(_)) => return,
        Some(Said::Head(_)) => record.meet(Point::OverflowToHeads),
        Some(Said::FetchResult(result)) => {
            if let Some(Fetched::Page(page)) = &result.outcome
                && !page.entries.is_empty()
            {
                record.meet(Point::GapFetched);
            }
        }
        Some(Said::AppendResult(result)) => match &result.outcome {
            Some(Outcome::Appended(appended)) if appended.duplicate => record.meet(Point::RetryFoundItsOp),
            Some(Outcome::Problem(problem)) => match problem.reason() {
                ErrorReason::BaseSeqAhead => record.meet(Point::BaseAhead),
                ErrorReason::OutOfOrder => record.meet(Point::LaneBroken),
                _ => {}
            },
            _ => {}
        },
        _ => {}
    }
    record.trace(&frame.encode_to_vec());
}
