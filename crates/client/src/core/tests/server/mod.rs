//! A small hostile server: keeps the API's promises and no more, in the worst order it may.

mod changes;
mod log;
mod people;
mod preferences;
mod rows;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use parlor_types::{ConversationId, Id as _, Op, UserId};
use parlor_wire::chat::v1::{
    Checkpoint, ClientFrame, Content, Conversation, Drain, Entry, Goodbye, Limits, Marks, Person, Pong,
    Preferences, Privacy, ServerFrame, Welcome, client_frame, server_frame,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::presence::v1::Presence;
use parlor_wire::to_duration;
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::core::Conn;

pub use log::FORBIDDEN;
pub use preferences::NO_NAME;

const MAX_APPENDS: u32 = 4;
const MAX_FETCHES: u32 = 2;
const PING_INTERVAL: Duration = Duration::from_secs(5);
const BACKGROUND_PING_INTERVAL: Duration = Duration::from_secs(15);

pub struct Server {
    rng: StdRng,
    pub me: UserId,
    /// The other members of every conversation.
    pub others: Vec<UserId>,
    pub generation: u32,
    pub state: State,
    /// What another life of the store began with.
    backup: Option<State>,
    sessions: BTreeMap<Conn, Session>,
    pub presences: BTreeMap<UserId, Presence>,
    /// Whether it does what it may but need not do.
    pub hostile: bool,
    /// Whether it may claim heads that never were. A client that believed one when it made an op, had the op stored below it,
    /// and is then put back to an older copy, sends the op with a base above it: no server can find it then.
    pub boasts: bool,
}

/// What a store holds.
#[derive(Clone)]
pub struct State {
    pub commit: u64,
    pub chats: BTreeMap<ConversationId, Chat>,
    people: BTreeMap<UserId, (Person, u64)>,
    pub privacy: Privacy,
    privacy_changed: u64,
}

/// One conversation, and the user's part in it.
#[derive(Clone, Default)]
pub struct Chat {
    /// As the user may read it.
    pub log: Vec<Entry>,
    /// What was asked for by each op.
    asked: BTreeMap<String, Option<Content>>,
    changed: u64,
    pub marks: Marks,
    pub preferences: Preferences,
    /// How far the others are, and whether they share that they have read.
    pub others: BTreeMap<UserId, (Marks, bool)>,
}

struct Session {
    device: usize,
    /// What it calls the life of its store, truly or not.
    generation: String,
    greeted: bool,
    live: bool,
    first_rows: VecDeque<ConversationId>,
    first_people: VecDeque<UserId>,
    synced_to: u64,
    lanes: BTreeMap<ConversationId, u32>,
    requests: VecDeque<client_frame::Kind>,
    out: Vec<ServerFrame>,
    /// Pages that were read and are sent later.
    late: Vec<ServerFrame>,
    watch: Vec<UserId>,
    owed: Owed,
    /// Marks that are not written yet: received and read.
    marks: BTreeMap<ConversationId, (u64, u64)>,
    /// Rows as they were sent last.
    rendered: BTreeMap<ConversationId, Conversation>,
}

/// What is still to be said.
#[derive(Default)]
struct Owed {
    /// Conversations with entries that were not sent.
    heads: BTreeSet<ConversationId>,
    rows: BTreeSet<ConversationId>,
    receipts: BTreeSet<(ConversationId, UserId)>,
    people: BTreeSet<UserId>,
    privacy: bool,
    presence: BTreeSet<UserId>,
}

impl Owed {
    fn nothing_kept(&self) -> bool {
        self.heads.is_empty()
            && self.rows.is_empty()
            && self.receipts.is_empty()
            && self.people.is_empty()
            && !self.privacy
    }
}

impl Server {
    pub fn new(rng: StdRng, me: UserId, conversations: &[ConversationId]) -> Self {
        let others: Vec<_> = (2..5).map(|n| UserId::from_bytes([n; 16])).collect();
        let chat = Chat {
            others: others.iter().map(|user| (*user, (Marks::default(), true))).collect(),
            ..Chat::default()
        };
        let state = State {
            commit: 0,
            chats: conversations.iter().map(|id| (*id, chat.clone())).collect(),
            people: BTreeMap::new(),
            privacy: Privacy { read_receipts: true, ..Privacy::default() },
            privacy_changed: 0,
        };
        let (generation, backup, sessions, presences) = (1, None, BTreeMap::new(), BTreeMap::new());
        let mut server = Self {
            rng,
            me,
            others,
            generation,
            state,
            backup,
            sessions,
            presences,
            hostile: true,
            boasts: true,
        };
        server.write_a_past(conversations);
        server
    }

    /// What was said before the user's first device came.
    fn write_a_past(&mut self, conversations: &[ConversationId]) {
        for id in conversations {
            for _ in 0..self.rng.random_range(0..12) {
                let sender = self.others[self.rng.random_range(0..self.others.len())];
                self.other_writes(*id, sender, Op::new().to_string());
                self.other_changes(*id, sender, Op::new().to_string());
            }
        }
    }

    pub fn back_up(&mut self) {
        self.backup = Some(self.state.clone());
    }

    /// Goes back to the last backup, in a new life. Answers whether there was one.
    pub fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.clone() else { return false };
        self.generation += 1;
        self.state = backup;
        self.sessions.clear();
        true
    }

    /// A device has one stream: an older one is displaced.
    pub fn connected(&mut self, conn: Conn, device: usize) {
        self.sessions.retain(|_, session| session.device != device);
        let lies = self.hostile && self.rng.random_bool(0.02);
        let generation = if lies { "an old one".to_owned() } else { self.generation.to_string() };
        let session = Session {
            device,
            generation,
            greeted: false,
            live: false,
            first_rows: VecDeque::new(),
            first_people: VecDeque::new(),
            synced_to: 0,
            lanes: BTreeMap::new(),
            requests: VecDeque::new(),
            out: Vec::new(),
            late: Vec::new(),
            watch: Vec::new(),
            owed: Owed::default(),
            marks: BTreeMap::new(),
            rendered: BTreeMap::new(),
        };
        self.sessions.insert(conn, session);
    }

    pub fn disconnected(&mut self, conn: Conn) {
        self.sessions.remove(&conn);
    }

    pub fn hear(&mut self, conn: Conn, frames: Vec<ClientFrame>) {
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        session.requests.extend(frames.into_iter().filter_map(|frame| frame.kind));
        let count = |wanted: fn(&client_frame::Kind) -> bool| {
            session.requests.iter().filter(|request| wanted(request)).count()
        };
        let appends = count(|kind| matches!(kind, client_frame::Kind::Append(_)));
        assert!(appends <= MAX_APPENDS as usize, "more appends in flight than allowed");
        let fetches = count(|kind| matches!(kind, client_frame::Kind::Fetch(_)));
        assert!(fetches <= MAX_FETCHES as usize, "more fetches in flight than allowed");
    }

    /// Works a little; what it says, if anything.
    pub fn work(&mut self) -> Vec<(Conn, Vec<ServerFrame>)> {
        let conns: Vec<_> = self.sessions.keys().copied().collect();
        conns.into_iter().filter_map(|conn| Some((conn, self.work_on(conn)?))).collect()
    }

    fn work_on(&mut self, conn: Conn) -> Option<Vec<ServerFrame>> {
        for _ in 0..3 {
            let Some(request) = self.sessions.get_mut(&conn)?.requests.pop_front() else { break };
            self.answer(conn, request);
        }
        self.write_marks(conn);
        self.go_on_with_sync(conn);
        self.pay(conn);
        let keeps = self.chance(0.7);
        let session = self.sessions.get_mut(&conn)?;
        if !keeps {
            session.out.append(&mut session.late);
        }
        if session.generation != self.generation.to_string() && !self.hostile {
            return self.say_goodbye(conn); // no lie lasts
        }
        let mut frames = std::mem::take(&mut session.out);
        if self.hostile && session.live {
            disorder(&mut self.rng, &mut frames);
        }
        (!frames.is_empty()).then_some(frames)
    }

    /// Ends a stream on its own account.
    pub fn say_goodbye(&mut self, conn: Conn) -> Option<Vec<ServerFrame>> {
        self.sessions.remove(&conn)?;
        let goodbye = Goodbye {
            reason: ErrorReason::Overloaded.into(),
            reconnect: true,
            after: Some(to_duration(Duration::from_millis(300))),
            message: String::new(),
        };
        Some(vec![frame(server_frame::Kind::Goodbye(goodbye))])
    }

    pub fn any_conn(&mut self) -> Option<Conn> {
        let at = self.rng.random_range(0..self.sessions.len().max(1));
        self.sessions.keys().nth(at).copied()
    }

    pub fn drain(&mut self) {
        let after = Some(to_duration(Duration::from_millis(self.rng.random_range(0..500))));
        for conn in self.greeted() {
            self.push(conn, server_frame::Kind::Drain(Drain { reconnect_after: after }));
        }
    }

    pub fn checkpoint(&mut self) {
        for conn in self.greeted() {
            let session = &self.sessions[&conn];
            if session.live && session.owed.nothing_kept() {
                let cursor = cursor(session, self.state.commit);
                self.push(conn, server_frame::Kind::Checkpoint(Checkpoint { cursor }));
            }
        }
    }

    fn greeted(&self) -> Vec<Conn> {
        self.sessions.iter().filter(|(_, session)| session.greeted).map(|(conn, _)| *conn).collect()
    }

    fn answer(&mut self, conn: Conn, request: client_frame::Kind) {
        use client_frame::Kind;
        match request {
            Kind::Hello(hello) => self.greet(conn, &hello.cursor),
            Kind::Append(append) => self.append(conn, append),
            Kind::Fetch(fetch) => self.fetch(conn, &fetch),
            Kind::Ping(ping) => self.push(conn, server_frame::Kind::Pong(Pong { nonce: ping.nonce })),
            Kind::Received(mark) => self.keep_mark(conn, &mark.conversation_id, mark.seq, false),
            Kind::Read(mark) => self.keep_mark(conn, &mark.conversation_id, mark.seq, true),
            Kind::SetPreferences(set) => self.set_preferences(conn, set),
            Kind::Watch(watch) => self.watch(conn, &watch),
            Kind::Ack(_) | Kind::SetTyping(_) | Kind::SetActive(_) => {}
        }
    }

    fn greet(&mut self, conn: Conn, said: &[u8]) {
        let session = self.sessions.get_mut(&conn).expect("it said Hello");
        let since = read_cursor(session, said);
        let changed = |at: u64| since.is_none_or(|since| at > since);
        let chats = self.state.chats.iter().filter(|(_, chat)| changed(chat.changed));
        session.first_rows = chats.map(|(id, _)| *id).collect();
        let people = self.state.people.iter().filter(|(_, (person, at))| {
            if since.is_none() { people::is_something(person) } else { changed(*at) }
        });
        session.first_people = people.map(|(user, _)| *user).collect();
        session.owed.privacy = changed(self.state.privacy_changed);
        session.synced_to = self.state.commit;
        session.greeted = true;
        let welcome = Welcome {
            generation: session.generation.clone(),
            user_id: self.me.to_string(),
            ping_interval: Some(to_duration(PING_INTERVAL)),
            background_ping_interval: Some(to_duration(BACKGROUND_PING_INTERVAL)),
            limits: Some(Limits {
                max_appends_in_flight: MAX_APPENDS,
                max_fetches_in_flight: MAX_FETCHES,
                ..Limits::default()
            }),
            ..Welcome::default()
        };
        self.push(conn, server_frame::Kind::Welcome(welcome));
    }

    fn push(&mut self, conn: Conn, kind: server_frame::Kind) {
        if let Some(session) = self.sessions.get_mut(&conn) {
            session.out.push(frame(kind));
        }
    }

    fn chat(&mut self, id: ConversationId) -> &mut Chat {
        self.state.chats.get_mut(&id).expect("it exists")
    }

    fn chance(&mut self, of_hostile: f64) -> bool {
        self.hostile && self.rng.random_bool(of_hostile)
    }
}

fn cursor(session: &Session, commit: u64) -> Bytes {
    Bytes::from(format!("{}:{commit}", session.generation))
}

/// None: everything is to be sent.
fn read_cursor(session: &Session, cursor: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(cursor).unwrap();
    let (generation, commit) = text.split_once(':')?;
    (generation == session.generation).then(|| commit.parse().unwrap())
}

/// Entries twice and in another order; answers and checkpoints stay where they are.
fn disorder(rng: &mut StdRng, frames: &mut Vec<ServerFrame>) {
    for at in 0..frames.len() {
        let is_event = |frame: &ServerFrame| matches!(frame.kind, Some(server_frame::Kind::Event(_)));
        if is_event(&frames[at]) && rng.random_bool(0.1) {
            let twin = frames[at].clone();
            frames.push(twin);
        }
        if at > 0 && is_event(&frames[at]) && is_event(&frames[at - 1]) && rng.random_bool(0.3) {
            frames.swap(at, at - 1);
        }
    }
}

fn frame(kind: server_frame::Kind) -> ServerFrame {
    ServerFrame { kind: Some(kind) }
}

fn problem(reason: ErrorReason) -> Problem {
    Problem { reason: reason.into(), ..Problem::default() }
}
