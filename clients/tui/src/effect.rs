//! What the state asks of the world.

use std::path::PathBuf;
use std::time::SystemTime;

use parlor_client::core::Draft;
use parlor_client::{FileDraft, LogIn};
use parlor_types::{ConversationId, MediaId, Op, Seq, UserId};
use parlor_wire::chat::v1::{self as chat, Activity, PreferenceChanges, SetPrivacyRequest};
use parlor_wire::media::v1::Variant;
use parlor_wire::presence::v1::Status;

use crate::settings::Settings;

/// Which part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its end.
    Newest,
    /// What lies below.
    Before(Seq),
    /// What lies above.
    After(Seq),
    /// What lies around.
    Around(Seq),
    /// The same again, both included: something in it is different.
    Again(Seq, Seq),
}

/// Something to be done. Effects are carried out in order where order matters: what is said on the connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the chat list.
    LoadChats,
    /// Read a part of a log, with all that is shown beside it.
    Load(ConversationId, Part),
    /// Ask for names.
    Learn(Vec<UserId>),
    /// Send a message; then forget the local draft.
    Send(Draft),
    /// Send files.
    SendFiles(FileDraft),
    /// Forget a message whose files could not be sent.
    Discard(Op),
    /// The user types, or has stopped.
    Typing(ConversationId, Activity),
    /// It was shown up to here.
    MarkRead(ConversationId, Seq),
    /// How this user wants to have a conversation.
    Prefer(ConversationId, Box<PreferenceChanges>),
    /// Whose presence is to be told.
    Watch(Vec<UserId>),
    /// The range is to reach down to here.
    FetchOlder(ConversationId, Seq),
    /// What is being written, on this machine's disk; none: nothing.
    KeepDraft(ConversationId, Option<chat::Draft>),
    /// Find what holds this text, below a seq; 0: from the end.
    Find(ConversationId, String, Seq),
    /// Find the first entry of a time.
    FindTime(ConversationId, SystemTime),
    /// Find people by the beginning of their name.
    SearchPeople(String),
    /// Open the conversation with somebody.
    Direct(UserId),
    /// Make a group.
    NewGroup(String, Vec<UserId>),
    /// Something else between this user and another.
    Person(UserId, Deed),
    /// Get a picture.
    LoadPicture(MediaId, Variant),
    /// Save a file: its id, and the name it was given.
    SaveFile(MediaId, String),
    /// Read what the settings show.
    LoadAccount,
    /// Change the privacy settings.
    SetPrivacy(SetPrivacyRequest),
    /// Change what others see.
    SetStatus(Status),
    /// Change the display name.
    SetName(String),
    /// Keep the settings of this terminal.
    KeepSettings(Settings),
    /// List the accounts of this machine.
    LoadAccounts,
    /// Go on with the account in this folder.
    SwitchTo(PathBuf),
    /// Enter an account that has no session here, or make one: the server, who, and the display name of a new one.
    LogIn(String, SecretLogIn, Option<String>),
    /// The terminal came to the front, or went behind.
    Front(bool),
    /// Say whether the mouse is used.
    Mouse(bool),
    /// Ring.
    Bell,
    /// End the session, and forget all that is kept of it.
    LogOut,
    /// End.
    Quit,
}

/// What can be done with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Ask to be a contact, or accept.
    Befriend,
    /// Block.
    Block,
    /// End a block.
    Unblock,
}

/// Who logs in. What it holds is never printed.
#[derive(Clone)]
pub struct SecretLogIn(pub LogIn);

impl PartialEq for SecretLogIn {
    fn eq(&self, other: &Self) -> bool {
        self.0.username == other.0.username && self.0.password == other.0.password
    }
}

impl std::fmt::Debug for SecretLogIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogIn").field("username", &self.0.username).finish_non_exhaustive()
    }
}
