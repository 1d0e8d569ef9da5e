//! What is shown: all of it, and nothing of how it comes about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use parlor_client::core::Progress;
use parlor_client::store::{Chat, Chats};
use parlor_types::{ConversationId, Id as _, Op, UserId};
use parlor_wire::chat::v1::Draft;
use parlor_wire::presence::v1::Status;

use crate::people::People;
use crate::picture::Gallery;
use crate::settings::Settings;
use crate::time::Clock;
use crate::views::accounts::Accounts;
use crate::views::composer::Composer;
use crate::views::confirm::Confirm;
use crate::views::help::Help;
use crate::views::list::List;
use crate::views::members::Members;
use crate::views::messages::Thread;
use crate::views::people::PeopleSearch;
use crate::views::prompt::Prompt;
use crate::views::settings::SettingsView;
use crate::views::sign_in::SignIn;

/// A notice is shown so long.
const NOTICE: Duration = Duration::from_secs(6);

/// How the connection is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Link {
    /// A stream is being opened.
    #[default]
    Connecting,
    /// All is in sync.
    Online,
    /// The next attempt comes after this.
    Waiting(Duration),
    /// No further attempt will be made.
    Stopped,
}

/// What keys go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Focus {
    /// The conversation list.
    #[default]
    List,
    /// The messages.
    Messages,
    /// What is being written.
    Composer,
}

/// What lies over the rest.
#[derive(Debug)]
pub enum Overlay {
    /// The keys.
    Help(Help),
    /// Finding people.
    People(PeopleSearch),
    /// Who is in the conversation.
    Members(Members),
    /// Settings.
    Settings(SettingsView),
    /// Several accounts.
    Accounts(Accounts),
    /// Logging in, or making an account.
    SignIn(SignIn),
    /// A question to be answered with yes or no.
    Confirm(Confirm),
    /// A line to be written.
    Prompt(Prompt),
}

/// Something to be known for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What. Harmless to show.
    pub text: String,
    /// It is about a failure.
    pub bad: bool,
    /// Until when it is shown.
    pub until: SystemTime,
}

/// All that is shown.
#[derive(Debug)]
pub struct State {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The time, and where.
    pub clock: Clock,
    /// The folder of the account.
    pub folder: PathBuf,
    /// Whose account it is, and at which server.
    pub account: String,
    /// Names, presence, typing.
    pub people: People,
    /// How the connection is.
    pub link: Link,
    /// Messages that wait to be stored by the server.
    pub unsent: usize,
    /// The conversations.
    pub chats: Chats,
    /// The list of them.
    pub list: List,
    /// The conversation that is open.
    pub thread: Option<Thread>,
    /// What is being written in it.
    pub composer: Composer,
    /// What is being written elsewhere, where that is newer than what the server has.
    pub drafts: BTreeMap<ConversationId, Draft>,
    /// What keys go to.
    pub focus: Focus,
    /// What lies over the rest.
    pub overlay: Option<Overlay>,
    /// What is to be known for a while.
    pub notice: Option<Notice>,
    /// How far files are, by their message.
    pub uploads: BTreeMap<Op, Progress>,
    /// How the terminal is used.
    pub settings: Settings,
    /// Pictures, as far as they are there.
    pub gallery: Gallery,
    /// Somebody looks at the terminal.
    pub in_front: bool,
    /// Whose presence is told.
    pub watched: BTreeSet<UserId>,
    /// What this user shows of themselves, as far as it is known.
    pub status: Option<Status>,
}

impl State {
    /// Nothing yet.
    #[must_use]
    pub fn new(size: (u16, u16), now: SystemTime, zone: TimeZone) -> Self {
        Self {
            size,
            clock: Clock { now, zone },
            folder: PathBuf::new(),
            account: String::new(),
            people: People::default(),
            link: Link::default(),
            unsent: 0,
            chats: Chats::default(),
            list: List::default(),
            thread: None,
            composer: Composer::default(),
            drafts: BTreeMap::new(),
            focus: Focus::default(),
            overlay: None,
            notice: None,
            uploads: BTreeMap::new(),
            settings: Settings::default(),
            gallery: Gallery::default(),
            in_front: true,
            watched: BTreeSet::new(),
            status: None,
        }
    }

    /// Whose terminal this is.
    #[must_use]
    pub fn me(&self) -> Option<UserId> {
        self.people.me
    }

    /// One conversation.
    #[must_use]
    pub fn chat(&self, id: ConversationId) -> Option<&Chat> {
        let Chats { shown, archived, hidden } = &self.chats;
        shown.iter().chain(archived).chain(hidden).find(|chat| chat.id == id)
    }

    /// The conversation that is open.
    #[must_use]
    pub fn open_chat(&self) -> Option<&Chat> {
        self.thread.as_ref().and_then(|thread| self.chat(thread.id))
    }

    /// What a conversation is called.
    #[must_use]
    pub fn title(&self, chat: &Chat) -> String {
        self.people.title(&chat.row, &chat.preferences.custom_name)
    }

    /// Says something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: false, until: self.clock.now + NOTICE });
    }

    /// Says that something failed.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), bad: true, until: self.clock.now + NOTICE });
    }

    /// The members of a conversation.
    #[must_use]
    pub fn members(&self, id: ConversationId) -> Vec<UserId> {
        let members = self.chat(id).map(|chat| &chat.row.members[..]).unwrap_or_default();
        members.iter().filter_map(|member| UserId::parse(&member.user_id)).collect()
    }
}
