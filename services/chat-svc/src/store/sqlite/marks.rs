//! How far members are: raised, and read.

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rusqlite::{Connection, Row, params};

use super::columns::{
    audience, from_number, from_optional_time, from_seq, id, number, optional_time, role, seq,
};
use super::{frozen, one, people, preferences, read, unread};
use crate::conversation::Member;
use crate::people::{Privacy, Tie, Visibility};
use crate::receipts::{Marks, Progress, Risen, Sight, TimedMarks};
use crate::store::members::lists;
use crate::store::{Commit, Listed, Marked, NewMarks, Raised, Reached, Receipts, code};

/// The columns that [`own`] and [`shown`] read.
const OWN: &str = "received, read, received_at, read_at";
const SHOWN: &str = "shown_received, shown_read, shown_received_at, shown_read_at";

/// Marks that begin at a column.
pub(super) fn timed(row: &Row<'_>, first: usize) -> rusqlite::Result<TimedMarks> {
    Ok(TimedMarks {
        marks: Marks { received: seq(row, first)?, read: seq(row, first + 1)? },
        received_at: optional_time(row, first + 2)?,
        read_at: optional_time(row, first + 3)?,
    })
}

/// Raises one user's marks in one conversation.
pub(super) fn mark(tx: &Tx<'_>, new: &NewMarks) -> rusqlite::Result<Marked> {
    let Some(ranges) = read::ranges(tx, new.user, new.conversation)? else { return Ok(Marked::NotFound) };
    if new.marks.received.max(new.marks.read) > ranges.head(read::head(tx, new.conversation)?) {
        return Ok(Marked::Ahead);
    }
    let key = params![new.conversation.bytes(), new.user.bytes()];
    let sql = format!("SELECT {OWN}, {SHOWN} FROM member WHERE conversation = ?1 AND user = ?2");
    let held = one(tx, &sql, key, |row| Ok(Progress { own: timed(row, 0)?, shown: timed(row, 4)? }))?;
    let Some(mut progress) = held else { return Ok(Marked::NotFound) };
    let before = progress.shown.marks;
    let risen = progress.raise(new.marks, people::privacy(tx, new.user)?.0.read_receipts, new.at);
    if !risen.any() {
        return Ok(Marked::Now(progress.own, None));
    }
    write(tx, new, &progress, risen)?;
    if risen.shown {
        frozen::freeze(tx, new, before)?;
    }
    let others = if risen.shown { tell(tx, new.conversation, new.user)? } else { Vec::new() };
    Ok(Marked::Now(progress.own, Some(Raised { commit: Commit(tx.commit_number()), others })))
}

fn write(tx: &Tx<'_>, new: &NewMarks, progress: &Progress, risen: Risen) -> rusqlite::Result<()> {
    let (own, shown) = (&progress.own, &progress.shown);
    let commit = from_number(tx.commit_number());
    let key = (new.conversation.bytes(), new.user.bytes());
    tx.prepare_cached(
        "UPDATE member SET received = ?3, read = ?4, received_at = ?5, read_at = ?6,
             shown_received = ?7, shown_read = ?8, shown_received_at = ?9, shown_read_at = ?10,
             changed = coalesce(?11, changed), shown = coalesce(?12, shown)
         WHERE conversation = ?1 AND user = ?2",
    )?
    .execute(params![
        key.0,
        key.1,
        from_seq(own.marks.received),
        from_seq(own.marks.read),
        from_optional_time(own.received_at),
        from_optional_time(own.read_at),
        from_seq(shown.marks.received),
        from_seq(shown.marks.read),
        from_optional_time(shown.received_at),
        from_optional_time(shown.read_at),
        risen.own.then_some(commit),
        risen.shown.then_some(commit),
    ])?;
    if risen.read {
        let number = message_number(tx, new.conversation, own.marks.read)?;
        tx.prepare_cached("UPDATE member SET read_number = ?3 WHERE conversation = ?1 AND user = ?2")?
            .execute(params![key.0, key.1, from_number(number)])?;
        preferences::read_further(tx, new.user, new.conversation)?;
        unread::forget_mentions(tx, new.user, new.conversation, own.marks.read)?;
    }
    Ok(())
}

fn message_number(tx: &Connection, conversation: ConversationId, at: Seq) -> rusqlite::Result<u64> {
    let sql = "SELECT number FROM entry WHERE conversation = ?1 AND seq = ?2";
    let found = one(tx, sql, params![conversation.bytes(), from_seq(at)], |row| number(row, 0))?;
    Ok(found.unwrap_or_default())
}

/// Notes that what is shown of this member rose; who is to be told: the others, but for those the member has blocked.
fn tell(tx: &Tx<'_>, conversation: ConversationId, user: UserId) -> rusqlite::Result<Vec<UserId>> {
    if !read::member_count(tx, conversation)?.is_some_and(lists) {
        return Ok(Vec::new());
    }
    if !is_present(tx, user, conversation)? {
        return Ok(Vec::new());
    }
    tx.prepare_cached("UPDATE conversation SET shown = ?2 WHERE id = ?1")?
        .execute(params![conversation.bytes(), from_number(tx.commit_number())])?;
    let mut statement = tx.prepare_cached(
        "SELECT m.user FROM member m LEFT JOIN relation r ON r.user = ?2 AND r.other = m.user AND r.blocked = 1
         WHERE m.conversation = ?1 AND m.present = 1 AND m.user <> ?2 AND r.user IS NULL",
    )?;
    let others = statement.query_map(params![conversation.bytes(), user.bytes()], |row| id(row, 0))?;
    others.collect()
}

/// The members, each with their marks as `reader` may know them; only this one of them, if one is named.
fn members(
    tx: &Connection,
    reader: UserId,
    conversation: ConversationId,
    one: Option<UserId>,
) -> rusqlite::Result<Vec<Listed>> {
    let sql = format!(
        "SELECT m.user, m.role, m.joined, {OWN}, {SHOWN}, coalesce(p.last_seen, ?3),
             EXISTS (SELECT 1 FROM relation r WHERE r.user = ?2 AND r.other = m.user AND r.blocked = 1)
             OR EXISTS (SELECT 1 FROM relation r WHERE r.user = m.user AND r.other = ?2 AND r.blocked = 1),
             (SELECT min(w.seq) FROM relation r JOIN withheld w ON w.conversation = ?1 AND w.user = m.user
                  AND w.sender = ?2 AND w.block = r.changed
              WHERE r.user = m.user AND r.other = ?2 AND r.blocked = 1),
             f.at_received, f.at_read
         FROM member m LEFT JOIN privacy p ON p.user = m.user
             LEFT JOIN frozen f ON f.conversation = ?1 AND f.user = m.user AND f.other = ?2
                 AND EXISTS (SELECT 1 FROM relation r WHERE r.user = m.user AND r.other = ?2 AND r.blocked = 1
                     AND r.changed = f.block)
         WHERE m.conversation = ?1 AND m.present = 1 {}",
        if one.is_some() { "AND m.user = ?4" } else { "AND ?4 IS NULL" }
    );
    let own = people::privacy(tx, reader)?.0;
    let default = code::audience(Privacy::default().last_seen);
    let mut statement = tx.prepare_cached(&sql)?;
    let named = one.map(|user| user.bytes());
    let params = params![conversation.bytes(), reader.bytes(), default, named];
    let rows = statement.query_map(params, |row| {
        let (user, member) = (id(row, 0)?, Member { role: role(row, 1)?, joined: seq(row, 2)? });
        if user == reader {
            return Ok(Listed { user, member, marks: timed(row, 3)? });
        }
        // Two members share a conversation.
        let tie = if row.get(12)? { Tie::Blocked } else { Tie::Close };
        let theirs = Privacy { last_seen: audience(row, 11)?, ..Privacy::default() };
        let times = Visibility::of(&own, &theirs, tie).last_seen;
        let withheld = optional_seq(row, 13)?;
        let frozen = optional_seq(row, 14)?.zip(optional_seq(row, 15)?);
        let frozen = frozen.map(|(received, read)| Marks { received, read });
        let most = Marks::shown_to_blocked(frozen, withheld, member.joined);
        let marks = timed(row, 7)?.seen(Sight { read: own.read_receipts, times, most });
        Ok(Listed { user, member, marks })
    })?;
    rows.collect()
}

/// All members.
pub(super) fn listed(
    tx: &Connection,
    reader: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Vec<Listed>> {
    members(tx, reader, conversation, None)
}

fn is_present(tx: &Connection, user: UserId, conversation: ConversationId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM member WHERE conversation = ?1 AND user = ?2 AND present = 1";
    Ok(one(tx, sql, params![conversation.bytes(), user.bytes()], |_| Ok(()))?.is_some())
}

fn optional_seq(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Seq>> {
    let found: Option<i64> = row.get(index)?;
    found.map(|_| seq(row, index)).transpose()
}

pub(super) fn receipts(
    tx: &Connection,
    reader: UserId,
    conversation: ConversationId,
    users: &[UserId],
) -> rusqlite::Result<Option<Receipts>> {
    if !read::member_count(tx, conversation)?.is_some_and(lists) || !is_present(tx, reader, conversation)? {
        return Ok(None);
    }
    let mut found = Vec::new();
    for user in std::collections::BTreeSet::from_iter(users) {
        let listed = members(tx, reader, conversation, Some(*user))?;
        found.extend(listed.into_iter().map(|listed| (listed.user, listed.marks)));
    }
    Ok(Some(Receipts { conversation, members: found }))
}

pub(super) fn reached(
    tx: &Connection,
    reader: UserId,
    conversation: ConversationId,
    place: Seq,
) -> rusqlite::Result<Reached> {
    let Some(ranges) = read::ranges(tx, reader, conversation)? else { return Ok(Reached::NotFound) };
    if !is_present(tx, reader, conversation)? {
        return Ok(Reached::NotFound);
    }
    if place > ranges.head(read::head(tx, conversation)?) {
        return Ok(Reached::Ahead);
    }
    let sql = "SELECT sender FROM entry WHERE conversation = ?1 AND seq = ?2";
    let sender = one(tx, sql, params![conversation.bytes(), from_seq(place)], |row| id(row, 0))?;
    let Some(sender) = sender.filter(|_| ranges.contains(place)) else { return Ok(Reached::Unreadable) };
    if read::member_count(tx, conversation)?.is_some_and(lists) {
        return Ok(Reached::count(listed(tx, reader, conversation)?, sender, place));
    }
    count(tx, reader, conversation, (sender, place))
}

/// What the marks come to where there are too many members to list: they are counted where they lie. Only those whom the
/// reader does not see as they are, which are few, are looked at one by one.
fn count(
    tx: &Connection,
    reader: UserId,
    conversation: ConversationId,
    (sender, place): (UserId, Seq),
) -> rusqlite::Result<Reached> {
    let mut statement = tx.prepare_cached(
        "SELECT count(*) FILTER (WHERE shown_received >= ?4), count(*) FILTER (WHERE shown_read >= ?4)
         FROM member WHERE conversation = ?1 AND present = 1 AND joined <= ?4 AND user NOT IN (?2, ?3)
             AND user NOT IN (SELECT r.user FROM relation r WHERE r.other = ?2 AND r.blocked = 1)",
    )?;
    let params = params![conversation.bytes(), reader.bytes(), sender.bytes(), from_seq(place)];
    let (received, read) = statement.query_row(params, |row| Ok((number(row, 0)?, number(row, 1)?)))?;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let read = if people::privacy(tx, reader)?.0.read_receipts { count(read) } else { 0 };
    let mut blocking = tx.prepare_cached(
        "SELECT r.user FROM relation r CROSS JOIN member m ON m.conversation = ?1 AND m.user = r.user
         WHERE r.other = ?2 AND r.blocked = 1 AND m.present = 1",
    )?;
    let apart = blocking.query_map(params![conversation.bytes(), reader.bytes()], |row| id(row, 0))?;
    let mut looked_at = members(tx, reader, conversation, Some(reader))?;
    for user in apart.collect::<rusqlite::Result<Vec<_>>>()? {
        looked_at.extend(members(tx, reader, conversation, Some(user))?);
    }
    Ok(Reached::count(looked_at, sender, place).and(count(received), read))
}
