//! What a server says, as the core of the client takes it: any frames, in any order, between what the app asks for, and over the
//! store that keeps them. A server may send nonsense; it may not bring a client down, keep it busy, or break what it has saved.

use std::time::Duration;

use parlor_client::core::{Command, Conn, Core, Draft, Effects, Event, Input as Heard, Setup};
use parlor_client::store::{Store, Tokens};
use parlor_types::{Id as _, SessionId, UserId};
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::content::Kind;
use prost::Message as _;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::frames;
use crate::Target;
use crate::input::{Input, Script};

/// Frames that one thing heard may make a client say, for each thing it wants and knows; there are never more than this here.
const MAX_SAID: usize = 512;
/// Times in a row that a core may want to be woken at once.
const MAX_WOKEN: usize = 8;

pub(super) const TARGET: Target = Target {
    name: "client",
    about: "frames of a server, into the core and the store of the client",
    run,
    seeds,
    max_len: 2048,
};

struct World {
    core: Core,
    store: Store,
    now: Duration,
    conn: Conn,
    batch: u64,
    over: bool,
}

thread_local! {
    /// Making one costs more than a run.
    static EMPTY: Store = {
        let store = Store::in_memory();
        let tokens =
            Tokens { access: String::new(), access_until: std::time::UNIX_EPOCH, refresh: String::new() };
        let (user, session) = (UserId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        store.log_in("", "", user, session, &tokens).expect("an empty store takes a session");
        store
    };
}

fn run(data: &[u8]) {
    let mut world = World::new();
    world.hear(Heard::Timer);
    let mut input = Input::new(data);
    while !input.is_over() && !world.over {
        world.step(&mut input);
    }
    // What it has saved is enough to go on from.
    let saved = world.store.load().expect("what a core saves can be loaded");
    world.core = Core::new(setup(), StdRng::seed_from_u64(2), saved);
    world.store.chats().expect("the chat list can be read");
    world.hear(Heard::Timer);
}

impl World {
    fn new() -> Self {
        let store = EMPTY.with(Store::copy);
        let saved = store.load().expect("an empty store can be loaded");
        let core = Core::new(setup(), StdRng::seed_from_u64(1), saved);
        Self { core, store, now: Duration::from_secs(1), conn: Conn(0), batch: 0, over: false }
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.byte() % 16 {
            0 | 1 => {
                let frames = wire::ServerFrame::decode(input.bytes());
                match frames {
                    Ok(frame) => self.batch(vec![frame]),
                    // What cannot be decoded ends the stream.
                    Err(_) => self.hear(Heard::Closed(self.conn, None)),
                }
            }
            2..=8 => {
                let frames = (0..=input.byte() % 4).map(|_| frames::of_server(input)).collect();
                self.batch(frames);
            }
            9 => self.pass(Duration::from_millis(input.number() % 10_000_000)),
            10 => self.hear(Heard::Closed(self.conn, input.flag().then(|| frames::problem(input)))),
            11 => {
                let body = format!("words {}", input.byte());
                let draft = Draft::new(input.id(), Kind::Text(wire::Text { body }));
                let (_, effects) = self.core.append(self.now, draft);
                self.perform(effects);
            }
            12 => self.wake(),
            _ => {
                let command = command(input);
                self.hear(Heard::Command(command));
            }
        }
    }

    fn batch(&mut self, frames: Vec<wire::ServerFrame>) {
        self.batch += 1;
        self.hear(Heard::Batch(self.conn, self.batch, frames));
    }

    fn hear(&mut self, heard: Heard) {
        let effects = self.core.handle(self.now, heard);
        self.perform(effects);
    }

    /// As the driver of the library does it.
    fn perform(&mut self, effects: Effects) {
        assert!(effects.send.len() <= MAX_SAID, "a server makes a client say {} frames", effects.send.len());
        self.store.apply(&effects.save).expect("the store takes what the core saves");
        if let Some((conn, _)) = effects.open {
            self.conn = conn;
            self.batch = 0;
        }
        self.over |= effects.tell.iter().any(|event| matches!(event, Event::Stopped(_)));
        if effects.load_outbox {
            let rows = self.store.outbox(None).expect("the outbox can be read");
            self.hear(Heard::Outbox(rows));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.wake();
    }

    /// Time goes on to where the core wants to be woken, if that is soon, and it does not want that over and over.
    fn wake(&mut self) {
        let soon = self.now + Duration::from_secs(3600);
        if let Some(at) = self.core.deadline().filter(|at| *at <= soon) {
            self.now = self.now.max(at);
        }
        for _ in 0..MAX_WOKEN {
            self.hear(Heard::Timer);
            if self.core.deadline().is_none_or(|at| at > self.now) {
                return;
            }
        }
        panic!("a client that is busy for nothing");
    }
}

fn command(input: &mut Input<'_>) -> Command {
    match input.byte() % 7 {
        0 => Command::MarkRead(input.id(), parlor_types::Seq(input.number())),
        1 => Command::FetchOlder(input.id(), parlor_types::Seq(input.number())),
        2 => Command::SetPreferences(input.id(), frames::preference_changes(input)),
        3 => Command::SetTyping(input.id(), wire::Activity::Typing),
        4 => Command::Foreground,
        5 => Command::Background,
        _ => Command::Watch((0..input.byte() % 8).map(|_| input.id()).collect()),
    }
}

fn setup() -> Setup {
    Setup { me: UserId::from_bytes([1; 16]), client: "hostile".to_owned(), mobile: false, foreground: true }
}

/// A stream that has begun, with a row, and then entries, results, the end.
fn seeds() -> Vec<Vec<u8>> {
    let id = uuid::Uuid::from_bytes([3; 16]).as_hyphenated().to_string();
    let me = uuid::Uuid::from_bytes([1; 16]).as_hyphenated().to_string();
    let frame = |kind| wire::ServerFrame { kind: Some(kind) }.encode_to_vec();
    use wire::server_frame::Kind as Told;
    let welcome = frame(Told::Welcome(wire::Welcome { generation: "g".to_owned(), ..Default::default() }));
    let entry = |seq| wire::Entry {
        conversation_id: id.clone(),
        seq,
        rev: seq,
        op: id.clone(),
        sender_id: me.clone(),
        content: Some(wire::Content { kind: Some(Kind::Text(wire::Text { body: "tea".to_owned() })) }),
        ..wire::Entry::default()
    };
    let row = wire::Conversation {
        id: id.clone(),
        head: 5,
        readable: vec![wire::ReadableRange { from_seq: 1, to_seq: 0 }],
        last_message: Some(entry(5)),
        ..wire::Conversation::default()
    };
    let row = frame(Told::SyncConversation(wire::SyncConversation { conversation: Some(row) }));
    let done = frame(Told::SyncDone(wire::SyncDone { cursor: b"c".to_vec().into() }));
    let begun = || Script::default().byte(0).bytes(&welcome).byte(0).bytes(&row).byte(0).bytes(&done);
    let page = wire::LogPage {
        conversation_id: id.clone(),
        entries: vec![entry(1), entry(2)],
        next_seq: 3,
        head: 5,
    };
    let outcome = Some(wire::fetch_result::Outcome::Page(page));
    let rest = [
        Told::Event(wire::Event { entry: Some(entry(6)) }),
        Told::Event(wire::Event { entry: Some(entry(8)) }),
        Told::Head(wire::Head { conversation_id: id.clone(), head: 9 }),
        Told::FetchResult(wire::FetchResult { request_id: 1, outcome }),
        Told::Goodbye(wire::Goodbye { reconnect: true, ..wire::Goodbye::default() }),
    ];
    let mut all: Vec<_> =
        rest.iter().map(|kind| begun().byte(0).bytes(&frame(kind.clone())).byte(12).end()).collect();
    let asks =
        (0..7).fold(begun().byte(11).byte(1).byte(3), |script, kind| script.byte(13).byte(kind).byte(3));
    all.push(asks.byte(12).byte(12).end());
    all
}
