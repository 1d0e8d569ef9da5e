//! Edits and deletes: what they do to earlier rows, and who has to hear of it beside the entry.

use std::collections::BTreeSet;

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, MediaId, Op, Seq, UserId};
use rusqlite::{Connection, params};

use super::columns::{from_seq, id, number};
use super::{media, one, read, rows};
use crate::conversation::{Content, Target};
use crate::edge;
use crate::log::{Digest, Entry};

/// A change of a message, applied.
pub(super) struct Applied {
    /// Present members who may not read the message.
    pub(super) not_members: Vec<UserId>,
    /// Present members whose row is another by it.
    pub(super) told: BTreeSet<UserId>,
    /// The files that it named and names no more, by its op.
    pub(super) released: Vec<(Op, Vec<MediaId>)>,
}

/// Does to the message, and to its edits, what `change` says; `change` is stored already, and withheld from whom it has
/// to be.
pub(super) fn apply(tx: &Tx<'_>, change: &Entry, about: Seq) -> rusqlite::Result<Applied> {
    let conversation = change.conversation;
    let mentioned = mentioned(tx, conversation, about)?;
    forget_mentions(tx, conversation, about)?;
    let mut released = Vec::new();
    if change.content == Content::Delete {
        released = clear(tx, change, about)?;
    } else if let Some(mut message) = entry(tx, conversation, about)? {
        message.edit(change);
        rewrite(tx, &message)?;
        mention(tx, &message)?;
    }
    let now = self::mentioned(tx, conversation, about)?;
    let not_members = not_members(tx, conversation, about)?;
    let mut told = last_message_of(tx, conversation, about, &not_members)?;
    told.extend(mentioned.symmetric_difference(&now).copied());
    let present = read::members(tx, conversation)?;
    told.retain(|user| present.contains_key(user));
    Ok(Applied { not_members, told, released })
}

fn entry(tx: &Connection, conversation: ConversationId, place: Seq) -> rusqlite::Result<Option<Entry>> {
    let sql = format!("SELECT {} FROM entry WHERE conversation = ?1 AND seq = ?2", read::ENTRY);
    one(tx, &sql, params![conversation.bytes(), from_seq(place)], |row| read::entry(conversation, row))
}

/// Clears a message and its edits; gives the files that they named.
fn clear(tx: &Tx<'_>, delete: &Entry, about: Seq) -> rusqlite::Result<Vec<(Op, Vec<MediaId>)>> {
    let conversation = delete.conversation;
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {} FROM entry WHERE conversation = ?1 AND (seq = ?2 OR (target = ?2 AND target > 0)) AND seq < ?3",
        read::ENTRY
    ))?;
    let params = params![conversation.bytes(), from_seq(about), from_seq(delete.seq)];
    let found = statement.query_map(params, |row| read::entry(conversation, row))?;
    let found: Vec<Entry> = found.collect::<rusqlite::Result<_>>()?;
    let sql = "UPDATE entry SET digest = ?3 WHERE conversation = ?1 AND seq = ?2";
    let mut released = Vec::new();
    for mut entry in found {
        let named = media::forget(tx, &entry)?;
        if !named.is_empty() {
            released.push((entry.op, named));
        }
        entry.clear(delete);
        rewrite(tx, &entry)?;
        tx.prepare_cached(sql)?.execute(params![
            conversation.bytes(),
            from_seq(entry.seq),
            Digest::CLEARED.0
        ])?;
    }
    Ok(released)
}

fn rewrite(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "UPDATE entry SET body = ?3, rev = ?4 WHERE conversation = ?1 AND seq = ?2";
    let (place, rev) = (from_seq(entry.seq), from_seq(entry.rev));
    tx.prepare_cached(sql)?
        .execute(params![entry.conversation.bytes(), place, edge::stored_body(entry), rev])
        .map(drop)
}

fn mentioned(
    tx: &Connection,
    conversation: ConversationId,
    about: Seq,
) -> rusqlite::Result<BTreeSet<UserId>> {
    let mut statement = tx.prepare_cached("SELECT user FROM mention WHERE conversation = ?1 AND seq = ?2")?;
    let found = statement.query_map(params![conversation.bytes(), from_seq(about)], |row| id(row, 0))?;
    found.collect()
}

fn forget_mentions(tx: &Tx<'_>, conversation: ConversationId, about: Seq) -> rusqlite::Result<()> {
    let sql = "DELETE FROM mention WHERE conversation = ?1 AND seq = ?2";
    tx.prepare_cached(sql)?.execute(params![conversation.bytes(), from_seq(about)]).map(drop)
}

/// Notes whom an edited message mentions: present members who have not read it and who see what it says now.
fn mention(tx: &Tx<'_>, message: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO mention (conversation, user, seq)
               SELECT ?1, ?2, ?3 FROM member m
               WHERE m.conversation = ?1 AND m.user = ?2 AND m.present = 1 AND m.read < ?3
                 AND EXISTS (SELECT 1 FROM readable r WHERE r.conversation = ?1 AND r.user = ?2
                             AND r.from_seq <= ?3 AND coalesce(r.to_seq, ?3) >= ?3)
                 AND NOT EXISTS (SELECT 1 FROM withheld w WHERE w.conversation = ?1 AND w.user = ?2
                                 AND w.seq IN (?3, ?4))";
    for user in message.mentions.iter().filter(|user| **user != message.sender) {
        let (place, rev) = (from_seq(message.seq), from_seq(message.rev));
        let params = params![message.conversation.bytes(), user.bytes(), place, rev];
        tx.prepare_cached(sql)?.execute(params)?;
    }
    Ok(())
}

fn not_members(tx: &Connection, conversation: ConversationId, about: Seq) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = tx.prepare_cached(
        "SELECT m.user FROM member m WHERE m.conversation = ?1 AND m.present = 1 AND NOT EXISTS (
             SELECT 1 FROM readable r WHERE r.conversation = ?1 AND r.user = m.user
             AND r.from_seq <= ?2 AND coalesce(r.to_seq, ?2) >= ?2)
         ORDER BY m.user",
    )?;
    let found = statement.query_map(params![conversation.bytes(), from_seq(about)], |row| id(row, 0))?;
    found.collect()
}

/// The present members who see this message as the last.
fn last_message_of(
    tx: &Connection,
    conversation: ConversationId,
    about: Seq,
    not_members: &[UserId],
) -> rusqlite::Result<BTreeSet<UserId>> {
    let newest = "SELECT seq FROM entry WHERE conversation = ?1 AND message = 1 AND seq >= ?2 ORDER BY seq DESC LIMIT 1";
    let key = params![conversation.bytes(), from_seq(about)];
    let Some(newest) = one(tx, newest, key, |row| super::columns::seq(row, 0))? else {
        return Ok(BTreeSet::new());
    };
    if newest == about {
        let all = read::members(tx, conversation)?.into_keys();
        let kept: BTreeSet<UserId> = withheld_from(tx, conversation, about)?.into_iter().collect();
        return Ok(all.filter(|user| !not_members.contains(user) && !kept.contains(user)).collect());
    }
    // Only those from whom the newest is withheld have another.
    let mut found = BTreeSet::new();
    for user in withheld_from(tx, conversation, newest)? {
        if rows::last_message_place(tx, user, conversation)? == Some(about) {
            found.insert(user);
        }
    }
    Ok(found)
}

/// The present members from whom an entry is withheld.
fn withheld_from(tx: &Connection, conversation: ConversationId, place: Seq) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = tx.prepare_cached(
        "SELECT m.user FROM member m CROSS JOIN withheld w
         ON w.conversation = m.conversation AND w.user = m.user AND w.seq = ?2
         WHERE m.conversation = ?1 AND m.present = 1",
    )?;
    let found = statement.query_map(params![conversation.bytes(), from_seq(place)], |row| id(row, 0))?;
    found.collect()
}

/// A message as `user`, who wants to change it, may know it.
pub(super) fn target(
    tx: &Connection,
    conversation: ConversationId,
    user: UserId,
    place: Seq,
) -> rusqlite::Result<Option<Target>> {
    let readable = read::ranges(tx, user, conversation)?.is_some_and(|ranges| ranges.contains(place));
    let message = "SELECT 1 FROM entry WHERE conversation = ?1 AND seq = ?2 AND message = 1";
    let key = params![conversation.bytes(), from_seq(place)];
    if !readable || one(tx, message, key, |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    let entry = entry(tx, conversation, place)?.filter(|found| !matches!(found.content, Content::Deleted(_)));
    let Some(entry) = entry else { return Ok(None) };
    let edits = "SELECT count(*) FROM entry WHERE conversation = ?1 AND target = ?2 AND target > 0";
    let edits = one(tx, edits, key, |row| number(row, 0))?.unwrap_or_default();
    Ok(Some(Target {
        sender: entry.sender,
        time: entry.time,
        text: entry.content.text_kind(),
        edits: usize::try_from(edits).unwrap_or(usize::MAX),
    }))
}
