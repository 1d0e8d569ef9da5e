//! What happens to the state.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use crossterm::event::{KeyEvent, MouseEvent};
use parlor_client::News;
use parlor_client::core::Draft;
use parlor_client::store::Chats;
use parlor_types::{ConversationId, MediaId, Seq, UserId};
use parlor_wire::chat::v1 as chat;

use crate::people::Name;
use crate::picture::Drawing;
use crate::state::Link;
use crate::views::accounts::Account;
use crate::views::messages::Page;
use crate::views::people::Found;
use crate::views::settings::Known;

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse.
    Mouse(MouseEvent),
    /// Text was pasted; with the files it names, if it names nothing else.
    Paste(String, Vec<PathBuf>),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// Somebody looks at the terminal, or no longer.
    Front(bool),
    /// A second has gone by.
    Tick(SystemTime),
    /// The client tells something.
    News(News),
    /// How the connection is.
    Link(Link),
    /// The chat list was read; and how many messages wait.
    Chats(Chats, usize),
    /// A part of a log was read.
    Page(Page),
    /// Names came.
    Names(Vec<(UserId, Name)>),
    /// What was being written when this program ended.
    Drafts(BTreeMap<ConversationId, chat::Draft>),
    /// Something is in the outbox now, or no longer.
    OutboxChanged,
    /// Where a text was found; none: nowhere among what is held.
    Found(ConversationId, String, Option<Seq>),
    /// Where a time begins; none: nothing was said since.
    FoundTime(ConversationId, Option<Seq>),
    /// People whose names begin as asked.
    People(String, Vec<Found>),
    /// A conversation that was asked for is there.
    Ready(ConversationId),
    /// What is known of the account.
    Account(Known),
    /// The accounts of this machine, and where another would be kept.
    Accounts(Vec<Account>, PathBuf),
    /// A picture came, or did not.
    Picture(MediaId, Drawing),
    /// A file was saved.
    Saved(PathBuf),
    /// A message will never be sent; and why.
    Refused(Draft, String),
    /// Something failed.
    Failed(String),
    /// Somebody is logged in now, or nobody any more, in the account of this folder: it is shown anew.
    Entered(PathBuf),
    /// Logging in failed.
    NotLoggedIn(String),
}
