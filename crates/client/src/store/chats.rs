//! The chat list as a person sees it, from what is saved: also without a server.

use std::cmp::Reverse;
use std::time::SystemTime;

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::{Conversation, Entry, Preferences};
use prost_types::Timestamp;
use rusqlite::{Transaction, params};

use super::log::{self, StoredConversation};
use super::sql::{decode, first, to_sql};
use super::{Result, Store, changes, preferences};
use crate::core::changes::overlay;
use crate::core::{Known, Unread};

/// One conversation as a person sees it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    /// Which.
    pub id: ConversationId,
    /// The row as the server last sent it. What follows is newer.
    pub row: Conversation,
    /// With what was changed here and is not answered yet.
    pub preferences: Preferences,
    /// What is unread, with what came and was read since the row.
    pub unread: Unread,
    /// Up to where this user has read.
    pub read: Seq,
    /// The newest message there is, of the row or of what is held.
    pub last_message: Option<Entry>,
    /// When something last happened.
    pub active_at: Option<Timestamp>,
}

impl Chat {
    /// No notifications at `now`.
    #[must_use]
    pub fn is_muted(&self, now: SystemTime) -> bool {
        let until = self.preferences.muted_until;
        until.is_some_and(|until| order(until) > order(now.into()))
    }

    /// At the top of the list.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.preferences.pinned_at.is_some()
    }

    /// Shown as unread: something is, or the user said so.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.unread.messages > 0 || self.preferences.marked_unread
    }
}

/// The chat list. Within each part: pinned first, the latest pinned before the others, then by latest activity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chats {
    /// What the list shows.
    pub shown: Vec<Chat>,
    /// What the archive shows.
    pub archived: Vec<Chat>,
    /// What is shown nowhere, until a message comes.
    pub hidden: Vec<Chat>,
}

/// The numbers for an app's badge, as `ChatService.GetBadge` has them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Badge {
    /// Unread messages, but for conversations muted, archived or hidden.
    pub unread: u64,
    /// Unread messages that call this user by name; muted conversations count here.
    pub unread_mentions: u64,
    /// Conversations with unread messages, or marked unread; without the muted, archived and hidden.
    pub conversations: u32,
}

impl Store {
    /// The chat list.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn chats(&self) -> Result<Chats> {
        let mut chats = Chats::default();
        for chat in self.all_chats()? {
            let part = match &chat.preferences {
                hidden if hidden.hidden => &mut chats.hidden,
                archived if archived.archived => &mut chats.archived,
                _ => &mut chats.shown,
            };
            part.push(chat);
        }
        for part in [&mut chats.shown, &mut chats.archived, &mut chats.hidden] {
            part.sort_by_key(place);
        }
        Ok(chats)
    }

    /// One conversation; none if its row was never seen.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn chat(&self, id: ConversationId) -> Result<Option<Chat>> {
        self.read(|tx| match log::conversation(tx, id)? {
            Some(known) => chat(tx, known),
            None => Ok(None),
        })
    }

    /// The badge at `now`, which decides what is muted.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn badge(&self, now: SystemTime) -> Result<Badge> {
        let mut badge = Badge::default();
        for chat in self.all_chats()? {
            if chat.preferences.archived || chat.preferences.hidden {
                continue;
            }
            badge.unread_mentions += chat.unread.mentions;
            if !chat.is_muted(now) {
                badge.unread += chat.unread.messages;
                badge.conversations += u32::from(chat.is_unread());
            }
        }
        Ok(badge)
    }

    fn all_chats(&self) -> Result<Vec<Chat>> {
        self.read(|tx| {
            let known = log::conversations(tx)?;
            known.into_iter().filter_map(|known| chat(tx, known).transpose()).collect()
        })
    }
}

fn chat(tx: &Transaction<'_>, known: StoredConversation) -> Result<Option<Chat>> {
    let unread = unread(tx, &known)?;
    let newest = newest(tx, known.id)?;
    let StoredConversation { id, row: Some(row), read, read_wanted, .. } = known else { return Ok(None) };
    let mut preferences = row.preferences.clone().unwrap_or_default();
    overlay(&mut preferences, &preferences::wish_of(tx, id)?);
    let of_row = row.last_message.clone().map(|entry| changes::present(tx, id, entry)).transpose()?;
    let last_message = newest.into_iter().chain(of_row).max_by_key(|entry| (entry.seq, entry.rev));
    let last_entry = log::last_entry(tx, id)?.and_then(|entry| entry.time);
    let active_at = row.active_at.into_iter().chain(last_entry).max_by_key(|at| order(*at));
    Ok(Some(Chat { id, row, preferences, unread, read: read.max(read_wanted), last_message, active_at }))
}

fn unread(tx: &Transaction<'_>, known: &StoredConversation) -> Result<Unread> {
    let (id, row) = (known.id, known.row.as_ref());
    let (messages, mentions) = row.map_or((0, 0), |row| (row.unread, row.unread_mentions));
    let known = Known {
        row: Unread { messages, mentions },
        row_head: Seq(row.map_or(0, |row| row.head)),
        row_read: Seq(row.and_then(|row| row.marks).unwrap_or_default().read),
        read: known.read.max(known.read_wanted),
        range: known.range,
    };
    known.unread(|above, to| {
        let sql = "SELECT count(*), coalesce(sum(weight > 1), 0) FROM entry
                   WHERE conversation_id = ? AND seq > ? AND seq <= ? AND weight > 0";
        let values = params![id.bytes(), to_sql(above), to_sql(to)];
        let counted = first(tx, sql, values, |row| {
            let (messages, mentions): (u32, u32) = (row.get(0)?, row.get(1)?);
            Ok(Unread { messages: messages.into(), mentions: mentions.into() })
        })?;
        Ok(counted.unwrap_or_default())
    })
}

/// The newest message that is held.
fn newest(tx: &Transaction<'_>, id: ConversationId) -> Result<Option<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ? AND weight > 0 ORDER BY seq DESC LIMIT 1";
    first(tx, sql, [id.bytes()], |row| decode(row.get(0)?))
}

/// Pinned first, the latest pinned first; then the latest active first.
fn place(chat: &Chat) -> impl Ord + use<> {
    Reverse((chat.preferences.pinned_at.map(order), chat.active_at.map(order)))
}

fn order(time: Timestamp) -> (i64, i32) {
    (time.seconds, time.nanos)
}
