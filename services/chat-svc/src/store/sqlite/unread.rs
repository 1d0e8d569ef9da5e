//! What is unread: messages, those that mention the reader, and all of it together.

use std::time::SystemTime;

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rusqlite::{Connection, params};

use super::columns::{from_seq, id, number};
use super::{one, preferences, rows};
use crate::log::Entry;
use crate::preferences::Badge;

/// Notes whom a message mentions, but for those from whom it is withheld.
pub(super) fn mention(tx: &Tx<'_>, entry: &Entry, withheld: &[UserId]) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO mention (conversation, user, seq) VALUES (?1, ?2, ?3)";
    for user in &entry.mentions {
        if *user != entry.sender && !withheld.contains(user) {
            let params = params![entry.conversation.bytes(), user.bytes(), from_seq(entry.seq)];
            tx.prepare_cached(sql)?.execute(params)?;
        }
    }
    Ok(())
}

/// What is read up to here mentions nobody any more.
pub(super) fn forget_mentions(
    tx: &Tx<'_>,
    user: UserId,
    conversation: ConversationId,
    read: Seq,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM mention WHERE conversation = ?1 AND user = ?2 AND seq <= ?3";
    let params = params![conversation.bytes(), user.bytes(), from_seq(read)];
    tx.prepare_cached(sql)?.execute(params).map(drop)
}

pub(super) fn mentions(tx: &Connection, user: UserId, conversation: ConversationId) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM mention WHERE conversation = ?1 AND user = ?2";
    let count = one(tx, sql, params![conversation.bytes(), user.bytes()], |row| number(row, 0))?;
    Ok(count.unwrap_or_default())
}

/// Over all conversations in which there may be something.
pub(super) fn badge(tx: &Connection, user: UserId, now: SystemTime) -> rusqlite::Result<Badge> {
    let mut statement = tx.prepare_cached(
        "SELECT m.conversation FROM member m JOIN conversation c ON c.id = m.conversation
         LEFT JOIN preference p ON p.conversation = m.conversation AND p.user = m.user
         WHERE m.user = ?1 AND (c.number > m.read_number OR p.marked_unread = 1)",
    )?;
    let ids = statement.query_map([user.bytes()], |row| id(row, 0))?;
    let ids: Vec<ConversationId> = ids.collect::<rusqlite::Result<_>>()?;
    let mut badge = Badge::default();
    for conversation in ids {
        let unread = rows::unread(tx, user, conversation)?;
        let mentions = mentions(tx, user, conversation)?;
        badge.count(&preferences::load(tx, user, conversation)?, unread, mentions, now);
    }
    Ok(badge)
}
