//! A server that keeps its promises, and clients that take down what they see of it: random histories that are right.

use std::collections::{BTreeMap, VecDeque};

use parlor_history::{Event, Line, Seen};
use parlor_types::{ConversationId, Id, Op, SessionId, UserId};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Users, each with two clients; the first is never removed, and reads everything in the end.
const USERS: u8 = 4;

pub struct World {
    rng: StdRng,
    now: u64,
    pub lines: Vec<Line>,
    log: Vec<Seen>,
    /// Who was removed after this seq, and has not come back; after they came back, the gap.
    gone: BTreeMap<UserId, Vec<(u64, Option<u64>)>>,
    clients: Vec<Client>,
    marks: Marks,
    generation: u32,
    /// The length of the log in the backup, and the marks in it.
    backup: Option<(usize, Marks)>,
}

/// How far each has received and read.
type Marks = BTreeMap<UserId, (u64, u64)>;

struct Client {
    name: String,
    user: UserId,
    session: SessionId,
    /// Taken in up to here.
    have: u64,
    heard: u64,
    /// Asked for, in order; how far each is.
    outbox: VecDeque<Asked>,
    ended: bool,
}

struct Asked {
    op: Op,
    stored: Option<u64>,
}

pub fn room() -> ConversationId {
    Id::from_bytes([7; 16])
}

fn op(rng: &mut StdRng) -> Op {
    Op::from_bytes(rng.random())
}

pub fn user(number: u8) -> UserId {
    Id::from_bytes([number; 16])
}

/// What an entry says until it is edited.
fn original(op: Op) -> Option<String> {
    Some(format!("what {op} says"))
}

/// One that is no message and changes nobody's membership.
fn entry(seq: u64, op: Op, sender: UserId) -> Seen {
    let (added, removed) = (Vec::new(), Vec::new());
    Seen { seq, rev: 0, op, sender, content: original(op), message: false, added, removed }
}

impl World {
    /// A history of so many steps.
    pub fn history(seed: u64, steps: u32) -> Vec<Line> {
        let mut world = Self::new(seed);
        for _ in 0..steps {
            world.step();
        }
        world.end();
        world.lines
    }

    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let clients = (0..2 * USERS).map(|number| Client {
            name: format!("client {number}"),
            user: user(number / 2 + 1),
            session: Id::from_bytes([number + 1; 16]),
            have: 0,
            heard: 1,
            outbox: VecDeque::new(),
            ended: false,
        });
        let added = (1..=USERS).map(user).collect();
        let created = Seen { added, ..entry(1, op(&mut rng), user(1)) };
        let (log, clients) = (vec![created], clients.collect::<Vec<_>>());
        let (lines, gone, marks) = Default::default();
        let mut world = Self { rng, now: 0, lines, log, gone, clients, marks, generation: 0, backup: None };
        for client in 0..world.clients.len() {
            let Client { user, session, .. } = world.clients[client];
            world.say(client, Event::Begin { user, session: Some(session) });
            world.say(client, Event::Generation { generation: "0".to_owned() });
            world.say(client, Event::Head { conversation: room(), head: 1 });
        }
        world
    }

    fn say(&mut self, client: usize, event: Event) {
        self.now += self.rng.random_range(1..1_000_000);
        let client = self.clients[client].name.as_str().into();
        self.lines.push(Line { at: self.now, client, event });
    }

    fn step(&mut self) {
        let client = self.rng.random_range(0..self.clients.len());
        if self.clients[client].ended {
            return;
        }
        match self.rng.random_range(0..100) {
            0..20 => self.ask(client),
            20..40 => self.store(client),
            40..55 => self.answer(client),
            55..75 => self.apply(client),
            75..82 => self.page(client),
            82..90 => self.tell_marks(client),
            90..94 => self.tell_unread(client),
            94..96 => self.change_members(),
            96 => self.edit(),
            97 if self.backup.is_none() => self.backup = Some((self.log.len(), self.marks.clone())),
            97 if self.rng.random_bool(0.2) => self.restore(),
            98 if self.rng.random_bool(0.3) => self.revoke(client),
            _ => {}
        }
    }

    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Whether a user may read it now.
    fn may_read(&self, user: UserId, seq: u64) -> bool {
        let gaps = self.gone.get(&user).into_iter().flatten();
        !gaps.into_iter().any(|(gone, back)| seq > *gone && back.is_none_or(|back| seq < back))
    }

    fn is_member(&self, user: UserId) -> bool {
        self.gone.get(&user).and_then(|times| times.last()).is_none_or(|(_, back)| back.is_some())
    }

    fn ask(&mut self, client: usize) {
        let op = op(&mut self.rng);
        let (base_seq, content) = (Some(self.clients[client].heard), original(op));
        self.say(client, Event::Invoke { op, conversation: room(), base_seq, content });
        self.clients[client].outbox.push_back(Asked { op, stored: None });
    }

    /// The server stores the next of a lane, or refuses it.
    fn store(&mut self, client: usize) {
        let user = self.clients[client].user;
        let is_member = self.is_member(user);
        let seq = self.head() + 1;
        let Some(at) = self.clients[client].outbox.iter().position(|asked| asked.stored.is_none()) else {
            return;
        };
        if !is_member {
            let asked = self.clients[client].outbox.remove(at).expect("it was found");
            let reason = "CONVERSATION_NOT_FOUND".to_owned();
            return self.say(client, Event::Fail { op: asked.op, reason });
        }
        let asked = &mut self.clients[client].outbox[at];
        asked.stored = Some(seq);
        let entry = entry(seq, asked.op, user);
        self.append(Seen { message: true, ..entry });
    }

    fn append(&mut self, entry: Seen) {
        let mark = self.marks.entry(entry.sender).or_default();
        *mark = (entry.seq, entry.seq);
        self.log.push(entry);
    }

    /// The answer to what is stored comes, perhaps twice, or is lost.
    fn answer(&mut self, client: usize) {
        let Some(asked) = self.clients[client].outbox.front() else { return };
        let (op, Some(seq)) = (asked.op, asked.stored) else { return };
        if self.rng.random_bool(0.2) {
            return self.say(client, Event::Unknown { op });
        }
        self.say(client, Event::Ok { op, seq });
        if self.rng.random_bool(0.1) {
            self.say(client, Event::Ok { op, seq });
        }
        let client = &mut self.clients[client];
        client.heard = client.heard.max(seq);
        client.outbox.pop_front();
    }

    /// Takes in what comes next.
    fn apply(&mut self, client: usize) {
        let many = self.rng.random_range(1..8);
        let Client { user, have, .. } = self.clients[client];
        let next = self.log.iter().filter(|entry| entry.seq > have && self.may_read(user, entry.seq));
        let entries: Vec<_> = next.take(many).cloned().collect();
        let Some(last) = entries.last().map(|entry| entry.seq) else { return };
        self.say(client, Event::Applied { conversation: room(), entries });
        self.clients[client].have = last;
        self.clients[client].heard = last.max(self.clients[client].heard);
        let mark = self.marks.entry(user).or_default();
        mark.0 = mark.0.max(last);
        if self.rng.random_bool(0.5) {
            mark.1 = mark.1.max(last);
        }
    }

    fn page(&mut self, client: usize) {
        let from = self.rng.random_range(1..=self.head());
        let user = self.clients[client].user;
        let page = self.log.iter().filter(|entry| entry.seq >= from && self.may_read(user, entry.seq));
        let entries: Vec<_> = page.take(20).cloned().collect();
        let Some(last) = entries.last().map(|entry| entry.seq) else { return };
        self.say(client, Event::Page { conversation: room(), entries });
        self.clients[client].heard = last.max(self.clients[client].heard);
    }

    fn tell_marks(&mut self, client: usize) {
        let of = user(self.rng.random_range(1..=USERS));
        let (received, read) = self.marks.get(&of).copied().unwrap_or_default();
        self.say(client, Event::Marks { conversation: room(), user: of, received, read });
    }

    fn tell_unread(&mut self, client: usize) {
        let Client { user, .. } = self.clients[client];
        if !self.is_member(user) || self.gone.contains_key(&user) {
            return;
        }
        let (head, read) = (self.head(), self.marks.get(&user).map_or(0, |marks| marks.1));
        let unread = self.log.iter().filter(|entry| entry.seq > read && entry.message).count();
        let messages = u64::try_from(unread).expect("a small number");
        self.say(client, Event::Unread { conversation: room(), head, read, messages });
        self.clients[client].heard = head;
    }

    fn change_members(&mut self) {
        let whom = user(self.rng.random_range(2..=USERS));
        let seq = self.head() + 1;
        let is_member = self.is_member(whom);
        let (added, removed) = if is_member { (vec![], vec![whom]) } else { (vec![whom], vec![]) };
        let times = self.gone.entry(whom).or_default();
        match times.last_mut() {
            Some((_, back @ None)) => *back = Some(seq),
            _ => times.push((seq, None)),
        }
        let entry = entry(seq, op(&mut self.rng), user(1));
        self.append(Seen { added, removed, ..entry });
        let of_whom = |client: &usize| self.clients[*client].user == whom && !self.clients[*client].ended;
        let theirs: Vec<_> = (0..self.clients.len()).filter(of_whom).collect();
        theirs.into_iter().for_each(|client| self.tell_readable(client));
    }

    fn edit(&mut self) {
        let seq = self.head() + 1;
        let Some(target) = self.log.iter_mut().rev().find(|entry| entry.message) else { return };
        (target.rev, target.content) = (seq, Some(format!("edited by {seq}")));
        let edit = entry(seq, op(&mut self.rng), target.sender);
        self.append(edit);
    }

    /// The server is put back to its backup: whoever still has something in an outbox sends it again.
    fn restore(&mut self) {
        let (length, marks) = self.backup.take().expect("a backup was taken");
        self.log.truncate(length);
        let head = self.head();
        // Nobody was removed or has come back after the end of the log.
        for times in self.gone.values_mut() {
            times.retain(|(gone, _)| *gone <= head);
            times.iter_mut().for_each(|(_, back)| *back = back.filter(|back| *back <= head));
        }
        self.gone.retain(|_, times| !times.is_empty());
        for entry in &mut self.log {
            if entry.rev > head {
                (entry.rev, entry.content) = (0, original(entry.op));
            }
        }
        self.marks = marks;
        self.generation += 1;
        for number in 0..self.clients.len() {
            for asked in &mut self.clients[number].outbox {
                asked.stored = asked.stored.filter(|seq| *seq <= head);
            }
            (self.clients[number].have, self.clients[number].heard) = (0, 0);
            if !self.clients[number].ended {
                self.say(number, Event::Generation { generation: self.generation.to_string() });
                self.tell_readable(number);
            }
        }
    }

    fn revoke(&mut self, client: usize) {
        if client < 2 {
            return;
        }
        let session = self.clients[client].session;
        self.say(0, Event::Revoked { session });
        self.clients[client].ended = true;
    }

    /// First and last of what a user may read of what there is.
    fn readable(&self, user: UserId) -> Vec<(u64, u64)> {
        let all: Vec<_> = (1..=self.head()).filter(|seq| self.may_read(user, *seq)).collect();
        let runs = all.chunk_by(|one, next| one + 1 == *next);
        runs.map(|run| (run[0], run[run.len() - 1])).collect()
    }

    fn tell_readable(&mut self, client: usize) {
        let user = self.clients[client].user;
        let mut ranges: Vec<_> = self.readable(user).iter().map(|(from, to)| (*from, Some(*to))).collect();
        if let Some((_, to)) = ranges.last_mut().filter(|_| self.is_member(user)) {
            *to = None;
        }
        self.say(client, Event::Readable { conversation: room(), ranges });
    }

    fn lacks_something(&self, client: usize) -> bool {
        let Client { user, have, .. } = self.clients[client];
        self.log.iter().any(|entry| entry.seq > have && self.may_read(user, entry.seq))
    }

    /// Everything is delivered, and everybody says what they hold.
    fn end(&mut self) {
        let all = 0..self.clients.len();
        let present: Vec<_> = all.filter(|client| !self.clients[*client].ended).collect();
        for client in present.iter().copied() {
            while self.clients[client].outbox.iter().any(|asked| asked.stored.is_none()) {
                self.store(client);
            }
            for asked in std::mem::take(&mut self.clients[client].outbox) {
                self.say(client, Event::Owed { op: asked.op });
            }
        }
        for client in present {
            let user = self.clients[client].user;
            while self.lacks_something(client) {
                self.apply(client);
            }
            self.tell_readable(client);
            let held = self.readable(user);
            self.say(client, Event::Held { conversation: room(), ranges: held, whole: true });
        }
    }
}
