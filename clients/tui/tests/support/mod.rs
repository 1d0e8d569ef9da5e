//! A small world: Ada at her terminal, and the people she talks to, at a fixed time.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use parlor_client::News;
use parlor_client::core::{Event, Range, Unread};
use parlor_client::store::{Chat, Chats};
use parlor_tui::effect::{Effect, Part};
use parlor_tui::input::Input;
use parlor_tui::people::Name;
use parlor_tui::state::{Link, State};
use parlor_tui::update::update;
use parlor_tui::view::view;
use parlor_tui::views::messages::{Page, Reader, Waiting};
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Content, Conversation, ConversationKind, Entry, Marks, Member, Preferences, ReadableRange, Role, Text,
};
use parlor_wire::presence::v1::{Availability, Presence};
use prost_types::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

/// 2027-01-15 20:00:00 UTC, a Friday.
pub const NOW: i64 = 1_800_043_200;
pub const ADA: u8 = 1;
pub const BEN: u8 = 2;
pub const CLEO: u8 = 3;
pub const LI: u8 = 4;
pub const DALIA: u8 = 5;
pub const HARBOUR: u8 = 20;

pub fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

pub fn conversation(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 16])
}

pub fn minutes_ago(minutes: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: NOW - minutes * 60, nanos: 0 })
}

pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

/// Somebody says something.
pub fn says(seq: u64, sender: u8, minutes: i64, text: &str) -> Entry {
    of_kind(seq, sender, minutes, Kind::Text(Text { body: text.to_owned() }))
}

pub fn of_kind(seq: u64, sender: u8, minutes: i64, kind: Kind) -> Entry {
    Entry {
        seq,
        sender_id: user(sender).to_string(),
        time: minutes_ago(minutes),
        content: Some(Content { kind: Some(kind) }),
        ..Entry::default()
    }
}

pub fn member(number: u8, role: Role) -> Member {
    Member { user_id: user(number).to_string(), role: role.into(), joined_seq: 1, marks: None }
}

/// A row of the chat list.
pub fn chat(number: u8, kind: ConversationKind, name: &str, with: &[u8], last: Entry, unread: u64) -> Chat {
    let mut members = vec![member(ADA, Role::Owner)];
    members.extend(with.iter().map(|number| member(*number, Role::Member)));
    let active_at = last.time;
    let row = Conversation {
        id: conversation(number).to_string(),
        kind: kind.into(),
        name: name.to_owned(),
        member_count: u32::try_from(members.len()).unwrap(),
        members,
        head: last.seq,
        readable: vec![ReadableRange { from_seq: 1, to_seq: 0 }],
        ..Conversation::default()
    };
    Chat {
        id: conversation(number),
        row,
        preferences: Preferences::default(),
        unread: Unread { messages: unread, mentions: 0 },
        read: Seq(last.seq - unread),
        last_message: Some(last),
        active_at,
    }
}

pub fn page(number: u8, entries: Vec<Entry>) -> Page {
    let (low, have) = (entries.first().map_or(1, |e| e.seq), entries.last().map_or(0, |e| e.seq));
    Page {
        conversation: conversation(number),
        part: Part::Newest,
        entries,
        range: Some(Range { low: Seq(low), have: Seq(have) }),
        floor: Seq(low),
        waiting: Vec::new(),
        readers: Vec::new(),
    }
}

pub fn reader(number: u8, received: u64, read: u64) -> Reader {
    let marks = Marks { received, read, ..Marks::default() };
    Reader { user: user(number), joined: Seq(1), marks }
}

pub fn waiting(number: u8, text: &str) -> Waiting {
    let kind = Kind::Text(Text { body: text.to_owned() });
    let append = parlor_wire::chat::v1::Append {
        content: Some(Content { kind: Some(kind) }),
        ..parlor_wire::chat::v1::Append::default()
    };
    Waiting { op: parlor_types::Op::from_bytes([number; 16]), append, failed: None, stored: false }
}

/// Ada's terminal.
pub struct Desk {
    pub state: State,
    pub effects: Vec<Effect>,
}

impl Desk {
    /// Of this size, connected, with four conversations and nothing open.
    pub fn new(columns: u16, rows: u16) -> Self {
        let mut state = State::new((columns, rows), now(), TimeZone::UTC);
        state.people.me = Some(user(ADA));
        state.account = "@ada at http://127.0.0.1:7700".to_owned();
        state.folder = PathBuf::from("/home/ada/.local/share/parlor");
        let mut desk = Self { state, effects: Vec::new() };
        let names = [
            (ADA, "Ada", "ada"),
            (BEN, "Ben", "ben"),
            (CLEO, "Cleo", "cleo"),
            (LI, "李雷", "lilei"),
            (DALIA, "דליה", "dalia"),
        ];
        let named = |(number, display, username): (u8, &str, &str)| {
            (user(number), Name { display: display.to_owned(), username: username.to_owned() })
        };
        desk.hear(Input::Names(names.map(named).to_vec()));
        desk.hear(Input::News(News::Event(Event::Online)));
        desk.hear(Input::Chats(chats(), 0));
        desk.presence(BEN, Availability::Online, None);
        desk.presence(CLEO, Availability::Away, None);
        desk.presence(LI, Availability::Offline, minutes_ago(35));
        desk
    }

    pub fn hear(&mut self, input: Input) {
        let effects = update(&mut self.state, input);
        self.effects.extend(effects);
    }

    pub fn event(&mut self, event: Event) {
        self.hear(Input::News(News::Event(event)));
    }

    pub fn presence(&mut self, number: u8, availability: Availability, last_seen: Option<Timestamp>) {
        let presence = Presence {
            user_id: user(number).to_string(),
            availability: availability.into(),
            last_seen,
            text: String::new(),
        };
        self.event(Event::Presence { user: user(number), presence: Some(presence) });
    }

    pub fn link(&mut self, link: Link) {
        self.hear(Input::Link(link));
    }

    pub fn press(&mut self, code: KeyCode) {
        self.hear(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    pub fn hold(&mut self, modifiers: KeyModifiers, code: KeyCode) {
        self.hear(Input::Key(KeyEvent::new(code, modifiers)));
    }

    pub fn write(&mut self, text: &str) {
        text.chars().for_each(|c| self.press(KeyCode::Char(c)));
    }

    /// Opens the conversation with Ben.
    pub fn with_ben(columns: u16, rows: u16) -> Self {
        let mut desk = Self::new(columns, rows);
        desk.press(KeyCode::Enter);
        let mut page = page(BEN, talk_with_ben());
        page.readers = vec![reader(BEN, 9, 7)];
        desk.hear(Input::Page(page));
        desk
    }

    /// What was asked for since the last time.
    pub fn asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The screen, without the spaces at the ends of lines.
    pub fn screen(&self) -> String {
        let (columns, rows) = self.state.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal.draw(|frame| view(&self.state, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let mut text = String::new();
        for row in 0..rows {
            let mut line = String::new();
            let mut skip = 0;
            for column in 0..columns {
                let symbol = buffer[(column, row)].symbol();
                if skip == 0 {
                    line.push_str(symbol);
                    skip = parlor_tui::text::width(symbol).max(1);
                }
                skip -= 1;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

pub fn chats() -> Chats {
    let mut with_ben =
        chat(BEN, ConversationKind::Direct, "", &[BEN], says(9, ADA, 2, "Wonderful. Nine o'clock?"), 0);
    with_ben.preferences.pinned_at = minutes_ago(9_000);
    let harbour = chat(
        HARBOUR,
        ConversationKind::Group,
        "Harbour walk",
        &[BEN, CLEO, LI],
        says(41, CLEO, 50, "Who brings the map? I have lent mine to the neighbours"),
        3,
    );
    let mut with_li =
        chat(LI, ConversationKind::Direct, "", &[LI], says(5, LI, 26 * 60, "好的，明天见！"), 0);
    with_li.preferences.muted_until = Some(Timestamp { seconds: 253_402_300_799, nanos: 0 });
    let mut with_dalia = chat(
        DALIA,
        ConversationKind::Direct,
        "",
        &[DALIA],
        says(3, DALIA, 12 * 24 * 60, "שלום, מה שלומך?"),
        0,
    );
    with_dalia.preferences.draft = "I will write to you on".to_owned();
    Chats { shown: vec![with_ben, harbour, with_li, with_dalia], archived: Vec::new(), hidden: Vec::new() }
}

/// Two days of talk, with most of what can happen to a message.
pub fn talk_with_ben() -> Vec<Entry> {
    use parlor_wire::chat::v1::{Created, Deleted, Withheld, WithheldReason};
    let member_ids = vec![user(ADA).to_string(), user(BEN).to_string()];
    let created = Created { member_ids, ..Created::default() };
    let deleted = Deleted { user_id: user(BEN).to_string() };
    let withheld = Withheld { reason: WithheldReason::SenderBlocked.into() };
    let mut edited =
        says(6, ADA, 5, "It is closed on Mondays, so let us go on Saturday, if the weather holds.");
    edited.rev = 8;
    let mut answer = says(7, ADA, 4, "The one by the harbour 🚢");
    answer.reply_to = 3;
    vec![
        of_kind(1, ADA, 26 * 60, Kind::Created(created)),
        says(2, BEN, 25 * 60, "Hello Ada!"),
        says(
            3,
            BEN,
            25 * 60 - 1,
            "Do you remember the café we liked so much, the one with the very long name that nobody could ever spell?",
        ),
        of_kind(4, BEN, 24 * 60, Kind::Deleted(deleted)),
        of_kind(5, BEN, 6, Kind::Withheld(withheld)),
        edited,
        answer,
        Entry { target: 6, ..says(8, ADA, 3, "edit") },
        says(9, ADA, 2, "Wonderful. Nine o'clock?"),
    ]
}
