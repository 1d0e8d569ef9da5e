//! Reads of the chat list.

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId, limits};
use rusqlite::{Connection, params};

use super::columns::{from_number, from_seq, history, id, kind, number, seq, time};
use super::{marks, media, one, preferences, read, unread, withheld};
use crate::conversation::{Piece, Ranges, Settings};
use crate::log::Entry;
use crate::store::members::lists;
use crate::store::{Changed, Commit, Row};

pub(super) fn changed(tx: &Connection, user: UserId, since: Commit) -> rusqlite::Result<Vec<Changed>> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id, CASE m.present WHEN 1 THEN c.activity ELSE m.closed END AS active
         FROM member m JOIN conversation c ON c.id = m.conversation
         WHERE m.user = ?1 AND (
             m.changed > ?2
             OR (m.present = 1 AND c.activity > ?2)
             OR (m.present = 1 AND c.shown > ?2 AND c.members <= ?3 AND EXISTS (
                 SELECT 1 FROM member o
                 WHERE o.conversation = c.id AND o.present = 1 AND o.shown > ?2 AND o.user <> ?1 AND NOT EXISTS (
                     SELECT 1 FROM relation r WHERE r.user = o.user AND r.other = ?1 AND r.blocked = 1
                 )
             ))
         )
         ORDER BY active DESC, c.id",
    )?;
    let params = params![user.bytes(), from_number(since.0), from_number(limits::MAX_LISTED_MEMBERS as u64)];
    let rows = statement
        .query_map(params, |row| Ok(Changed { id: id(row, 0)?, activity: Commit(number(row, 1)?) }))?;
    rows.collect()
}

/// A user's rows say more of others' marks than they did: those that list members. Gives their conversations.
pub(super) fn say_more(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<Vec<ConversationId>> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id FROM member m JOIN conversation c ON c.id = m.conversation
         WHERE m.user = ?1 AND m.present = 1 AND c.members BETWEEN 2 AND ?2 ORDER BY c.id",
    )?;
    let params = params![user.bytes(), from_number(limits::MAX_LISTED_MEMBERS as u64)];
    let found = statement.query_map(params, |row| id(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    change(tx, &[user], &found)?;
    Ok(found)
}

/// The same of two users who share conversations, and of each other's marks.
pub(super) fn say_more_of_each_other(
    tx: &Tx<'_>,
    one: UserId,
    other: UserId,
) -> rusqlite::Result<Vec<ConversationId>> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id FROM member a CROSS JOIN member b ON b.conversation = a.conversation AND b.user = ?2
             CROSS JOIN conversation c ON c.id = a.conversation
         WHERE a.user = ?1 AND a.present = 1 AND b.present = 1 AND c.members <= ?3 ORDER BY c.id",
    )?;
    let params = params![one.bytes(), other.bytes(), from_number(limits::MAX_LISTED_MEMBERS as u64)];
    let found = statement.query_map(params, |row| id(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    change(tx, &[one, other], &found)?;
    Ok(found)
}

fn change(tx: &Tx<'_>, users: &[UserId], conversations: &[ConversationId]) -> rusqlite::Result<()> {
    let sql = "UPDATE member SET changed = ?3 WHERE conversation = ?1 AND user = ?2";
    let mut statement = tx.prepare_cached(sql)?;
    for conversation in conversations {
        for user in users {
            let commit = from_number(tx.commit_number());
            statement.execute(params![conversation.bytes(), user.bytes(), commit])?;
        }
    }
    Ok(())
}

pub(super) fn memberships(tx: &Connection, user: UserId) -> rusqlite::Result<usize> {
    let sql = "SELECT count(*) FROM member WHERE user = ?1 AND present = 1";
    let count = one(tx, sql, [user.bytes()], |row| number(row, 0))?.unwrap_or_default();
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn row(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Row>> {
    let Some(ranges) = read::ranges(tx, user, conversation)? else { return Ok(None) };
    let sql =
        "SELECT c.kind, c.name, c.history_visibility, c.created, c.head, m.present, c.members, m.read_number,
                      m.last_name, m.last_history, m.received, m.read, m.received_at, m.read_at,
                      CASE m.present WHEN 1 THEN c.avatar ELSE m.last_avatar END
               FROM conversation c JOIN member m ON m.conversation = c.id
               WHERE c.id = ?1 AND m.user = ?2";
    one(tx, sql, params![conversation.bytes(), user.bytes()], |found| {
        let present: bool = found.get(5)?;
        let (name, history_visibility) =
            if present { (found.get(1)?, history(found, 2)?) } else { (found.get(8)?, history(found, 9)?) };
        let head = ranges.head(seq(found, 4)?);
        let (head_number, _) = at(tx, conversation, head)?;
        let (_, active) = at(tx, conversation, withheld::shown(tx, user, conversation, head)?)?;
        let own = marks::timed(found, 10)?;
        let member_count = if present { usize::try_from(number(found, 6)?).unwrap_or(usize::MAX) } else { 0 };
        let listed = present && lists(member_count);
        Ok(Row {
            id: conversation,
            kind: kind(found, 0)?,
            name,
            settings: Settings { history_visibility },
            avatar: media::avatar(tx, conversation, seq(found, 14)?)?,
            members: if listed { marks::listed(tx, user, conversation)? } else { Vec::new() },
            member_count,
            head,
            number: head_number,
            last_message: last_message(tx, user, conversation, &ranges, head)?,
            marks: own,
            unread: unread_above(
                tx,
                user,
                conversation,
                (own.marks.read, number(found, 7)?),
                (head, head_number),
            )?,
            unread_mentions: unread::mentions(tx, user, conversation)?,
            preferences: preferences::load(tx, user, conversation)?,
            ranges: ranges.clone(),
            created: time(found, 3)?,
            active,
        })
    })
}

/// Messages above the read mark, each place with its message number.
fn unread_above(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    (read, read_number): (Seq, u64),
    (head, head_number): (Seq, u64),
) -> rusqlite::Result<u64> {
    let withheld = withheld::count(tx, user, conversation, read, head)?;
    Ok(head_number.saturating_sub(read_number + withheld))
}

/// Message number and time at an entry.
fn at(
    tx: &Connection,
    conversation: ConversationId,
    place: Seq,
) -> rusqlite::Result<(u64, std::time::SystemTime)> {
    let sql = "SELECT number, time FROM entry WHERE conversation = ?1 AND seq = ?2";
    let found = one(tx, sql, params![conversation.bytes(), from_seq(place)], |row| {
        Ok((number(row, 0)?, time(row, 1)?))
    })?;
    found.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Where the newest message is that the user may read.
pub(super) fn last_message_place(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Seq>> {
    let Some(ranges) = read::ranges(tx, user, conversation)? else { return Ok(None) };
    let head = ranges.head(read::head(tx, conversation)?);
    Ok(last_message(tx, user, conversation, &ranges, head)?.map(|found| found.seq))
}

/// Whoever was away finds it before that time, if there is none after. What is withheld is passed over.
fn last_message(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    ranges: &Ranges,
    head: Seq,
) -> rusqlite::Result<Option<Entry>> {
    let sql = format!(
        "SELECT {} FROM entry WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3 AND message = 1
         ORDER BY seq DESC LIMIT 1",
        read::ENTRY
    );
    for piece in ranges.pieces(Piece { from: Seq::FIRST, to: head }, head).into_iter().rev() {
        let mut to = piece.to;
        loop {
            let params = params![conversation.bytes(), from_seq(piece.from), from_seq(to)];
            let Some(found) = one(tx, &sql, params, |row| read::entry(conversation, row))? else { break };
            to = withheld::shown(tx, user, conversation, found.seq)?;
            if to == found.seq {
                let kept = withheld::shown(tx, user, conversation, found.rev)? != found.rev;
                return Ok(Some(if kept { found.withheld_by_edit() } else { found.seen(ranges) }));
            }
        }
    }
    Ok(None)
}
