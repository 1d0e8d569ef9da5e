//! A small hostile server: keeps the API's promises and no more, in the worst order it may.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use parlor_types::{ConversationId, Id as _, UserId};
use parlor_wire::chat::v1::content::Kind as Content;
use parlor_wire::chat::v1::{
    Append, AppendResult, Appended, Checkpoint, ClientFrame, Conversation, Drain, Entry, Event, Fetch,
    FetchResult, Goodbye, Head, Limits, LogPage, Marks, Pong, ReadableRange, ServerFrame, SyncConversation,
    SyncDone, Welcome, append_result, client_frame, fetch_result, server_frame,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::core::Conn;

/// Small, so that old ops meet it often.
const MAX_DEDUPE_SPAN: u64 = 6;
const MAX_APPENDS: u32 = 4;
const MAX_FETCHES: u32 = 2;
pub const PING_INTERVAL: Duration = Duration::from_secs(5);
/// A text that is never taken.
pub const FORBIDDEN: &str = "forbidden";

pub struct Server {
    rng: StdRng,
    me: UserId,
    pub generation: u32,
    pub logs: BTreeMap<ConversationId, Vec<Entry>>,
    changed: BTreeMap<ConversationId, u64>,
    commit: u64,
    /// What another life of the store began with.
    backup: Option<Backup>,
    session: Option<Session>,
    /// Whether it does what it may but need not do.
    pub hostile: bool,
}

#[derive(Clone)]
struct Backup {
    logs: BTreeMap<ConversationId, Vec<Entry>>,
    changed: BTreeMap<ConversationId, u64>,
    commit: u64,
}

struct Session {
    conn: Conn,
    greeted: bool,
    live: bool,
    rows: VecDeque<ConversationId>,
    synced_to: u64,
    lanes: BTreeMap<ConversationId, u32>,
    requests: VecDeque<client_frame::Kind>,
    out: Vec<ServerFrame>,
    /// Conversations with entries that were not sent.
    unsent: BTreeMap<ConversationId, ()>,
}

impl Server {
    pub fn new(rng: StdRng, me: UserId, conversations: &[ConversationId]) -> Self {
        Self {
            rng,
            me,
            generation: 1,
            logs: conversations.iter().map(|id| (*id, Vec::new())).collect(),
            changed: BTreeMap::new(),
            commit: 0,
            backup: None,
            session: None,
            hostile: true,
        }
    }

    pub fn back_up(&mut self) {
        let (logs, changed) = (self.logs.clone(), self.changed.clone());
        self.backup = Some(Backup { logs, changed, commit: self.commit });
    }

    /// Goes back to the last backup, in a new life. Answers whether there was one.
    pub fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.clone() else { return false };
        self.generation += 1;
        self.logs = backup.logs;
        self.changed = backup.changed;
        self.commit = backup.commit;
        self.session = None;
        true
    }

    pub fn connected(&mut self, conn: Conn) {
        self.session = Some(Session {
            conn,
            greeted: false,
            live: false,
            rows: VecDeque::new(),
            synced_to: 0,
            lanes: BTreeMap::new(),
            requests: VecDeque::new(),
            out: Vec::new(),
            unsent: BTreeMap::new(),
        });
    }

    pub fn disconnected(&mut self, conn: Conn) {
        if self.session.as_ref().is_some_and(|session| session.conn == conn) {
            self.session = None;
        }
    }

    pub fn hear(&mut self, conn: Conn, frames: Vec<ClientFrame>) {
        let Some(session) = self.session.as_mut().filter(|session| session.conn == conn) else { return };
        session.requests.extend(frames.into_iter().filter_map(|frame| frame.kind));
        let appends = session.requests.iter().filter(|kind| matches!(kind, client_frame::Kind::Append(_)));
        assert!(appends.count() <= MAX_APPENDS as usize, "more appends in flight than allowed");
        let fetches = session.requests.iter().filter(|kind| matches!(kind, client_frame::Kind::Fetch(_)));
        assert!(fetches.count() <= MAX_FETCHES as usize, "more fetches in flight than allowed");
    }

    /// Works a little; what it says, if anything.
    pub fn work(&mut self) -> Option<(Conn, Vec<ServerFrame>)> {
        for _ in 0..3 {
            let Some(request) = self.session.as_mut().and_then(|session| session.requests.pop_front()) else {
                break;
            };
            self.answer(request);
        }
        self.go_on_with_sync();
        self.heal();
        let session = self.session.as_mut()?;
        if session.out.is_empty() {
            return None;
        }
        let mut frames = std::mem::take(&mut session.out);
        if self.hostile && session.live {
            disorder(&mut self.rng, &mut frames);
        }
        Some((session.conn, frames))
    }

    /// Ends the stream on its own account.
    pub fn say_goodbye(&mut self) -> Option<(Conn, Vec<ServerFrame>)> {
        let session = self.session.take()?;
        let goodbye = Goodbye {
            reason: ErrorReason::Overloaded.into(),
            reconnect: true,
            after: Some(to_duration(Duration::from_millis(300))),
            message: String::new(),
        };
        Some((session.conn, vec![frame(server_frame::Kind::Goodbye(goodbye))]))
    }

    pub fn drain(&mut self) {
        let after = Some(to_duration(Duration::from_millis(self.rng.random_range(0..500))));
        self.push(server_frame::Kind::Drain(Drain { reconnect_after: after }));
    }

    pub fn checkpoint(&mut self) {
        let ready = self.session.as_ref().is_some_and(|session| session.live && session.unsent.is_empty());
        if ready {
            let cursor = self.cursor(self.commit);
            self.push(server_frame::Kind::Checkpoint(Checkpoint { cursor }));
        }
    }

    /// Somebody else writes.
    pub fn other_writes(&mut self, id: ConversationId, sender: UserId, op: String) {
        self.store(id, sender, &Append { op, ..Append::default() });
    }

    fn answer(&mut self, request: client_frame::Kind) {
        match request {
            client_frame::Kind::Hello(hello) => self.greet(&hello.cursor),
            client_frame::Kind::Append(append) => self.append(append),
            client_frame::Kind::Fetch(fetch) => self.fetch(&fetch),
            client_frame::Kind::Ping(ping) => self.push(server_frame::Kind::Pong(Pong { nonce: ping.nonce })),
            client_frame::Kind::Received(received) => {
                let id = ConversationId::parse(&received.conversation_id).unwrap();
                assert!(received.seq <= self.logs[&id].len() as u64, "received what is not there");
            }
            client_frame::Kind::Read(_) | client_frame::Kind::Ack(_) => {}
            other => unreachable!("this client does not say {other:?} yet"),
        }
    }

    fn greet(&mut self, cursor: &[u8]) {
        let since = self.read_cursor(cursor);
        let rows: VecDeque<_> = self
            .logs
            .keys()
            .filter(|id| since.is_none_or(|since| self.changed.get(id).is_some_and(|at| *at > since)))
            .copied()
            .collect();
        let limits = Limits {
            max_appends_in_flight: MAX_APPENDS,
            max_fetches_in_flight: MAX_FETCHES,
            ..Limits::default()
        };
        let welcome = Welcome {
            generation: self.generation.to_string(),
            user_id: self.me.to_string(),
            ping_interval: Some(to_duration(PING_INTERVAL)),
            limits: Some(limits),
            ..Welcome::default()
        };
        let synced_to = self.commit;
        let session = self.session.as_mut().expect("it said Hello");
        session.greeted = true;
        session.rows = rows;
        session.synced_to = synced_to;
        self.push(server_frame::Kind::Welcome(welcome));
    }

    /// Rows one by one, each as it is when its turn comes; live entries may come between.
    fn go_on_with_sync(&mut self) {
        let Some(session) = self.session.as_mut().filter(|session| session.greeted && !session.live) else {
            return;
        };
        match session.rows.pop_front() {
            Some(id) => {
                let row = self.row(id);
                let sync = SyncConversation { conversation: Some(row) };
                self.push(server_frame::Kind::SyncConversation(sync));
            }
            None => {
                session.live = true;
                let synced_to = session.synced_to;
                let cursor = self.cursor(synced_to);
                self.push(server_frame::Kind::SyncDone(SyncDone { cursor }));
            }
        }
    }

    fn row(&self, id: ConversationId) -> Conversation {
        Conversation {
            id: id.to_string(),
            head: self.logs[&id].len() as u64,
            readable: vec![ReadableRange { from_seq: 1, to_seq: 0 }],
            marks: Some(Marks::default()),
            ..Conversation::default()
        }
    }

    /// Some time after entries were left out a head tells of them.
    fn heal(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        let now = !self.hostile || self.rng.random_bool(0.1);
        if now && let Some((id, ())) = session.unsent.pop_first() {
            let head = self.logs[&id].len() as u64;
            self.push(server_frame::Kind::Head(Head { conversation_id: id.to_string(), head }));
        }
    }

    fn append(&mut self, append: Append) {
        let id = ConversationId::parse(&append.conversation_id).unwrap();
        let session = self.session.as_mut().expect("it speaks");
        let lane = session.lanes.entry(id).or_default();
        let outcome = if append.lane == *lane {
            self.try_append(id, &append)
        } else {
            assert!(append.lane < *lane, "a lane that was never given");
            Err(problem(ErrorReason::OutOfOrder))
        };
        let lane = self.session.as_mut().expect("it speaks").lanes.entry(id).or_default();
        let outcome = match outcome {
            Ok(appended) => append_result::Outcome::Appended(appended),
            Err(refusal) => {
                *lane += u32::from(refusal.reason() != ErrorReason::OutOfOrder);
                append_result::Outcome::Problem(refusal)
            }
        };
        let result = AppendResult {
            op: append.op,
            outcome: Some(outcome),
            lane: *lane,
            conversation_id: append.conversation_id,
        };
        self.push(server_frame::Kind::AppendResult(result));
    }

    fn try_append(&mut self, id: ConversationId, append: &Append) -> Result<Appended, Problem> {
        let head = self.logs[&id].len() as u64;
        if append.base_seq > head {
            return Err(problem(ErrorReason::BaseSeqAhead));
        }
        if head - append.base_seq > MAX_DEDUPE_SPAN {
            return Err(problem(ErrorReason::OpTooOld));
        }
        let me = self.me.to_string();
        let span = &self.logs[&id][append.base_seq as usize..];
        if let Some(entry) = span.iter().find(|entry| entry.op == append.op && entry.sender_id == me) {
            assert_eq!(entry.content, append.content, "the same op with other content");
            return Ok(appended(entry, true));
        }
        let text = match append.content.as_ref().and_then(|content| content.kind.as_ref()) {
            Some(Content::Text(text)) => text.body.as_str(),
            _ => "",
        };
        if text == FORBIDDEN {
            return Err(problem(ErrorReason::ContentNotAllowed));
        }
        if self.hostile && self.rng.random_bool(0.15) {
            let advice = self.rng.random_bool(0.5).then(|| to_duration(Duration::from_millis(400)));
            return Err(Problem { retry_after: advice, ..problem(ErrorReason::RateLimited) });
        }
        Ok(self.store(id, self.me, append))
    }

    fn store(&mut self, id: ConversationId, sender: UserId, append: &Append) -> Appended {
        let log = self.logs.get_mut(&id).expect("it exists");
        let entry = Entry {
            conversation_id: id.to_string(),
            seq: log.len() as u64 + 1,
            op: append.op.clone(),
            sender_id: sender.to_string(),
            content: append.content.clone(),
            ..Entry::default()
        };
        log.push(entry.clone());
        self.commit += 1;
        self.changed.insert(id, self.commit);
        if let Some(session) = self.session.as_mut().filter(|session| session.greeted) {
            if self.hostile && self.rng.random_bool(0.15) {
                session.unsent.insert(id, ());
            } else {
                self.push(server_frame::Kind::Event(Event { entry: Some(entry.clone()) }));
            }
        }
        appended(&entry, false)
    }

    fn fetch(&mut self, fetch: &Fetch) {
        let id = ConversationId::parse(&fetch.conversation_id).unwrap();
        let outcome = if self.hostile && self.rng.random_bool(0.1) {
            fetch_result::Outcome::Problem(problem(ErrorReason::Unavailable))
        } else {
            let log = &self.logs[&id];
            let head = log.len() as u64;
            let to = if fetch.to_seq == 0 { head } else { fetch.to_seq.min(head) };
            let page = self.rng.random_range(1..6);
            let entries: Vec<_> = log
                .iter()
                .filter(|entry| (fetch.from_seq..=to).contains(&entry.seq))
                .take(page)
                .cloned()
                .collect();
            let last = entries.last().map_or(to, |entry| entry.seq);
            let next_seq = if last < to { last + 1 } else { 0 };
            fetch_result::Outcome::Page(LogPage { conversation_id: id.to_string(), entries, next_seq, head })
        };
        let result = FetchResult { request_id: fetch.request_id, outcome: Some(outcome) };
        self.push(server_frame::Kind::FetchResult(result));
    }

    fn push(&mut self, kind: server_frame::Kind) {
        if let Some(session) = &mut self.session {
            session.out.push(frame(kind));
        }
    }

    fn cursor(&self, commit: u64) -> Bytes {
        Bytes::from(format!("{}:{commit}", self.generation))
    }

    /// None: everything is to be sent.
    fn read_cursor(&self, cursor: &[u8]) -> Option<u64> {
        let text = std::str::from_utf8(cursor).unwrap();
        let (generation, commit) = text.split_once(':')?;
        (generation == self.generation.to_string()).then(|| commit.parse().unwrap())
    }
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

fn appended(entry: &Entry, duplicate: bool) -> Appended {
    Appended {
        conversation_id: entry.conversation_id.clone(),
        seq: entry.seq,
        duplicate,
        ..Appended::default()
    }
}
