//! The session against a model client, over random schedules: whatever is delivered, marked, lost or cut, a client
//! that keeps the rules ends with every head and receipt, and no cursor it was given ever promised more than it had been
//! told.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, UNIX_EPOCH};

use parlor_types::{Id as _, Seq, SessionId, StreamId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::client_frame::Kind as In;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

use super::machine::{Effect, Identity, Pull, Session};
use super::*;
use crate::edge;
use crate::store::{AccountPlace, Commit, Generation};
use crate::typing::{Activity, Told};

mod rules;

const SEEDS: u64 = 500;
const CONVERSATIONS: usize = 5;
const PEOPLE: u8 = 4;
/// People found in one read.
const PEOPLE_AT_ONCE: usize = 2;

fn limits() -> StreamLimits {
    // Small, so that every bound is met often.
    StreamLimits { outbox_bytes: 2_000, window_entries: 12, window_bytes: 6_000, ..StreamLimits::default() }
}

fn generation() -> Generation {
    Generation(uuid::Uuid::from_u128(5))
}

fn conversation(number: usize) -> ConversationId {
    ConversationId::from_bytes([u8::try_from(number).unwrap(); 16])
}

fn other_user() -> UserId {
    UserId::from_bytes([9; 16])
}

fn session(now: Instant) -> Session {
    let identity = Identity {
        user: UserId::from_bytes([1; 16]),
        session: SessionId::from_bytes([2; 16]),
        stream: StreamId::from_bytes([3; 16]),
        generation: generation(),
    };
    Session::new(identity, limits(), now)
}

fn encode(kind: In) -> Vec<u8> {
    wire::ClientFrame { kind: Some(kind) }.encode_to_vec()
}

fn hello(cursor: &[u8]) -> Vec<u8> {
    encode(In::Hello(wire::Hello {
        protocol: 1,
        cursor: cursor.to_vec().into(),
        client: "test".into(),
        ..Default::default()
    }))
}

fn frames(batch: &outbox::OutBatch) -> Vec<Out> {
    batch.frames.iter().map(|frame| wire::ServerFrame::decode(&frame[..]).unwrap().kind.unwrap()).collect()
}

fn live(number: usize, seq: u64) -> Live {
    let id = conversation(number);
    let entry =
        wire::Entry { conversation_id: id.to_string(), seq, op: "x".repeat(200), ..Default::default() };
    let kind = Out::Event(wire::Event { entry: Some(entry) });
    Live {
        conversation: id,
        seq: Seq(seq),
        target: None,
        deletes: false,
        frame: wire::ServerFrame { kind: Some(kind) }.encode_to_vec().into(),
    }
}

/// What a read found, on its way to the session: entries may be stored and delivered in between.
enum Found {
    Changed(Commit, Vec<ConversationId>),
    Rows(Vec<ConversationId>, Vec<(ConversationId, Seq, bytes::Bytes)>),
    Receipts(Vec<bytes::Bytes>),
    Account(Vec<bytes::Bytes>, AccountPlace, bool),
}

/// The server's store, as far as a session sees it, and a client that keeps the rules.
struct World {
    now: Instant,
    session: Session,
    registered: bool,
    effects: VecDeque<Effect>,
    found: VecDeque<Found>,
    commit: u64,
    /// Of each conversation: the commits of its entries.
    logs: Vec<Vec<u64>>,
    /// Of each conversation: the commits at which another member's marks rose.
    receipts: Vec<Vec<u64>>,
    /// How many of them the client knows.
    seen: BTreeMap<ConversationId, u64>,
    /// When each person last changed.
    people: BTreeMap<UserId, u64>,
    /// What the client knows: the highest head of each conversation, the latest change of each person, and the cursor it
    /// saved.
    known: BTreeMap<ConversationId, u64>,
    known_people: BTreeMap<UserId, u64>,
    cursor: Vec<u8>,
    to_ack: u64,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let mut world = Self {
            now,
            session: session(now),
            registered: false,
            effects: VecDeque::new(),
            found: VecDeque::new(),
            commit: 0,
            logs: vec![Vec::new(); CONVERSATIONS],
            receipts: vec![Vec::new(); CONVERSATIONS],
            seen: BTreeMap::new(),
            people: BTreeMap::new(),
            known: BTreeMap::new(),
            known_people: BTreeMap::new(),
            cursor: Vec::new(),
            to_ack: 0,
        };
        world.connect();
        world
    }

    fn connect(&mut self) {
        self.session = session(self.now);
        (self.registered, self.to_ack) = (false, 0);
        self.effects.clear();
        self.found.clear();
        let greeting = hello(&self.cursor);
        self.say(&greeting);
    }

    fn say(&mut self, frame: &[u8]) {
        let effects = self.session.frame(self.now, UNIX_EPOCH, frame);
        self.enqueue(effects);
    }

    /// The shell registers before anything else can happen.
    fn enqueue(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.registered |= matches!(effect, Effect::RegisterAndSync(_));
            self.effects.push_back(effect);
        }
    }

    fn append(&mut self, number: usize) {
        self.commit += 1;
        self.logs[number].push(self.commit);
        let seq = self.logs[number].len() as u64;
        match (self.registered, seq) {
            (false, _) => {}
            // The router sends no entry to those to whom the conversation appears with it.
            (true, 1) => self.session.row_changed(conversation(number)),
            (true, _) => self.session.live(&live(number, seq)),
        }
    }

    fn receipt(&mut self, number: usize) {
        if self.logs[number].is_empty() {
            return;
        }
        self.commit += 1;
        self.receipts[number].push(self.commit);
        if self.registered {
            self.session.receipts_changed(conversation(number), other_user());
        }
    }

    /// What the other member has read, as a row or a receipt says it: how often their marks rose.
    fn other_member(&self, id: ConversationId) -> wire::MemberMarks {
        let number = (0..CONVERSATIONS).find(|number| conversation(*number) == id).unwrap();
        let read = self.receipts[number].len() as u64;
        let marks = Some(wire::Marks { read, ..wire::Marks::default() });
        wire::MemberMarks { user_id: other_user().to_string(), marks }
    }

    fn relate(&mut self, number: u8) {
        self.commit += 1;
        self.people.insert(UserId::from_bytes([number; 16]), self.commit);
        if self.registered {
            self.session.account_changed();
        }
    }

    /// What changed of people from there on, each with its commit as the time of the change.
    fn read_account(&self, since: AccountPlace) -> Found {
        let told = |commit, user| since.told.is_some_and(|told| (commit, user) <= told);
        let changed = self.people.iter().map(|(user, commit)| (Commit(*commit), *user));
        let changed = changed.filter(|(commit, user)| *commit > since.since && !told(*commit, *user));
        let mut changed: Vec<(Commit, UserId)> = changed.collect();
        changed.sort();
        let more = changed.len() > PEOPLE_AT_ONCE;
        changed.truncate(PEOPLE_AT_ONCE);
        let next = match changed.last() {
            Some(last) if more => AccountPlace { told: Some(*last), ..since },
            _ => AccountPlace::after(Commit(self.commit)),
        };
        let frames = changed.iter().map(|(commit, user)| {
            let changed_at = Some(parlor_wire::to_time(UNIX_EPOCH + Duration::from_secs(commit.0)));
            let person =
                Some(wire::Person { user_id: user.to_string(), changed_at, ..wire::Person::default() });
            let kind = Out::SyncPerson(wire::SyncPerson { person });
            wire::ServerFrame { kind: Some(kind) }.encode_to_vec().into()
        });
        Found::Account(frames.collect(), next, more)
    }

    /// Somebody types in a conversation that the user is in.
    fn typing(&mut self, number: usize) {
        if self.registered && !self.logs[number].is_empty() {
            let (conversation, typist) = (conversation(number), UserId::from_bytes([9; 16]));
            let (activity, until) = (Some(Activity::Typing), self.now + crate::typing::SHOWN);
            self.session
                .typing(self.now, &Told { conversation, typist, activity, until, audience: [].into() });
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::ReadAccount(since) => self.found.push_back(self.read_account(since)),
            Effect::RegisterAndSync(since) => {
                let changed = self.logs.iter().enumerate();
                let receipts = &self.receipts;
                let changed =
                    changed.filter(|(number, log)| log.last().max(receipts[*number].last()) > Some(&since.0));
                let changed = changed.map(|(number, _)| conversation(number)).collect();
                self.found.push_back(Found::Changed(Commit(self.commit), changed));
            }
            Effect::Render(ids) => {
                let rows = ids.iter().map(|id| (*id, self.head(*id)));
                let rows = rows.map(|(id, head)| {
                    let wire::MemberMarks { user_id, marks } = self.other_member(id);
                    let members = vec![wire::Member { user_id, marks, ..wire::Member::default() }];
                    let id_text = id.to_string();
                    let row = wire::Conversation { id: id_text, head: head.0, members, ..Default::default() };
                    let kind = Out::SyncConversation(wire::SyncConversation { conversation: Some(row) });
                    (id, head, wire::ServerFrame { kind: Some(kind) }.encode_to_vec().into())
                });
                let rows = rows.collect();
                self.found.push_back(Found::Rows(ids, rows));
            }
            Effect::Receipts(wanted) => {
                let frames = wanted.iter().map(|(id, users)| {
                    assert_eq!(users, &[other_user()]);
                    let members = vec![self.other_member(*id)];
                    let receipts = wire::Receipts { conversation_id: id.to_string(), members };
                    wire::ServerFrame { kind: Some(Out::Receipts(receipts)) }.encode_to_vec().into()
                });
                let frames = frames.collect();
                self.found.push_back(Found::Receipts(frames));
            }
            _ => {}
        }
    }

    fn hand_over(&mut self) {
        match self.found.pop_front() {
            Some(Found::Changed(commit, changed)) => self.session.synced(commit, changed),
            Some(Found::Rows(ids, rows)) => self.session.rendered(&ids, rows),
            Some(Found::Receipts(frames)) => self.session.receipts_found(frames),
            Some(Found::Account(frames, next, more)) => self.session.account_read(frames, next, more),
            None => {}
        }
    }

    fn head(&self, id: ConversationId) -> Seq {
        let number = (0..CONVERSATIONS).find(|number| conversation(*number) == id).unwrap();
        Seq(self.logs[number].len() as u64)
    }

    fn pull(&mut self) -> bool {
        let (pull, effects) = self.session.pull();
        self.enqueue(effects);
        let Pull::Batch(batch) = pull else { return false };
        self.to_ack = batch.batch;
        for frame in frames(&batch) {
            match frame {
                Out::Event(event) => {
                    let entry = event.entry.unwrap();
                    self.learn(&entry.conversation_id, entry.seq, false);
                }
                Out::Head(head) => self.learn(&head.conversation_id, head.head, false),
                Out::SyncConversation(row) => {
                    let row = row.conversation.unwrap();
                    self.learn(&row.id, row.head, true);
                    self.see(&row.id, row.members[0].marks);
                }
                Out::Receipts(receipts) => {
                    self.learn(&receipts.conversation_id, 0, false);
                    self.see(&receipts.conversation_id, receipts.members[0].marks);
                }
                Out::SyncPerson(changed) => {
                    let person = changed.person.unwrap();
                    let user = UserId::parse(&person.user_id).unwrap();
                    let commit = u64::try_from(person.changed_at.unwrap().seconds).unwrap();
                    let before = self.known_people.insert(user, commit);
                    assert!(before <= Some(commit), "a person as they were before");
                }
                Out::Typing(typing) => {
                    let id = ConversationId::parse(&typing.conversation_id).unwrap();
                    assert!(self.known.contains_key(&id), "typing in a conversation whose row never came");
                }
                Out::SyncDone(done) => self.save(done.cursor.to_vec()),
                Out::Checkpoint(checkpoint) => self.save(checkpoint.cursor.to_vec()),
                _ => {}
            }
        }
        true
    }

    fn learn(&mut self, id: &str, head: u64, row: bool) {
        let id = ConversationId::parse(id).unwrap();
        assert!(row || self.known.contains_key(&id), "an entry of a conversation whose row never came");
        let known = self.known.entry(id).or_default();
        *known = (*known).max(head);
    }

    fn see(&mut self, id: &str, marks: Option<wire::Marks>) {
        let seen = self.seen.entry(ConversationId::parse(id).unwrap()).or_default();
        *seen = (*seen).max(marks.unwrap().read);
    }

    /// G5: whoever saves this cursor will not be told again of what it covers.
    fn save(&mut self, cursor: Vec<u8>) {
        let upto = edge::decode_cursor(generation(), &cursor).unwrap();
        for (number, log) in self.logs.iter().enumerate() {
            let promised = log.iter().filter(|commit| **commit <= upto.0).count() as u64;
            let known = self.known.get(&conversation(number)).copied().unwrap_or_default();
            assert!(
                known >= promised,
                "G5: {upto:?} covers {promised} of {number}, the client knows {known}"
            );
        }
        for (number, rises) in self.receipts.iter().enumerate() {
            let promised = rises.iter().filter(|commit| **commit <= upto.0).count() as u64;
            let seen = self.seen.get(&conversation(number)).copied().unwrap_or_default();
            assert!(
                seen >= promised,
                "G5: {upto:?} covers {promised} receipts of {number}, the client saw {seen}"
            );
        }

        for (user, commit) in &self.people {
            let known = self.known_people.get(user);
            assert!(*commit > upto.0 || known >= Some(commit), "{upto:?} covers a change of {user}");
        }
        self.cursor = cursor;
    }

    fn tick(&mut self, by: Duration) {
        self.now += by;
        // All of `commit` has been handed over: the shell says one less, which promises no more.
        let effects = self.session.tick(self.now, Commit(self.commit));
        self.enqueue(effects);
    }

    fn ack(&mut self) {
        let frame = encode(In::Ack(wire::Ack { batch: self.to_ack }));
        self.say(&frame);
    }

    fn settle(&mut self) {
        loop {
            let pulled = self.pull();
            self.ack();
            let handed = !self.found.is_empty();
            self.hand_over();
            match self.effects.pop_front() {
                Some(effect) => self.carry_out(effect),
                None if !pulled && !handed => return,
                None => {}
            }
        }
    }
}

fn run(seed: u64) -> (usize, usize) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut world = World::new();
    let (mut cuts, mut cursors) = (0, 0);
    for _ in 0..400 {
        match random.random_range(0..100) {
            0 => world.relate(random.random_range(0..PEOPLE)),
            1..=38 => world.append(random.random_range(0..CONVERSATIONS)),
            39 => world.typing(random.random_range(0..CONVERSATIONS)),
            40..=59 => drop(world.pull()),
            60..=69 => world.ack(),
            70..=77 | 97..=98 => {
                if let Some(effect) = world.effects.pop_front() {
                    world.carry_out(effect);
                }
            }
            78..=84 | 99 => world.hand_over(),
            85..=89 => {
                let before = world.cursor.clone();
                world.tick(Duration::from_millis(500));
                world.pull();
                cursors += usize::from(world.cursor != before);
            }
            90..=93 if world.registered => {
                world.session.row_changed(conversation(random.random_range(0..CONVERSATIONS)));
            }
            94 => {
                cuts += 1;
                world.connect();
            }
            95..=96 => world.receipt(random.random_range(0..CONVERSATIONS)),
            _ => {}
        }
    }
    world.settle();
    for _ in 0..3 {
        world.tick(Duration::from_secs(1));
        world.settle();
    }
    for (number, rises) in world.receipts.iter().enumerate() {
        let seen = world.seen.get(&conversation(number)).copied().unwrap_or_default();
        assert_eq!(seen, rises.len() as u64, "G6: seed {seed}, receipts of conversation {number}");
    }
    for (number, log) in world.logs.iter().enumerate() {
        let known = world.known.get(&conversation(number)).copied().unwrap_or_default();
        assert_eq!(known, log.len() as u64, "G6: seed {seed}, conversation {number}");
    }
    assert_eq!(world.known_people, world.people, "seed {seed}");
    (cuts, cursors)
}

#[test]
fn a_client_that_keeps_the_rules_ends_with_every_head() {
    let (mut cuts, mut cursors) = (0, 0);
    for seed in 0..SEEDS {
        let (cut, saved) = run(seed);
        (cuts, cursors) = (cuts + cut, cursors + saved);
    }
    assert!(cuts > 500 && cursors > 500, "the runs had {cuts} cuts and {cursors} checkpoints");
}
