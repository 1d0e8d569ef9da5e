//! Reads of the log.

use std::collections::BTreeMap;
use std::time::SystemTime;

use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rusqlite::{Connection, Row, params};

use super::columns::{from_seq, from_time, history, id, kind, number, role, seq, time};
use super::one;
use crate::conversation::{Member, Range, Ranges, Settings, State, Withheld};
use crate::edge;
use crate::log::{Digest, Entry, OpRow};
use crate::store::{Order, Page, Slice, Snapshot, load_after};

/// The columns that [`entry`] reads.
pub(super) const ENTRY: &str = "seq, number, sender, op, time, target, rev, body";

pub(super) fn entry(conversation: ConversationId, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let body: Vec<u8> = row.get(7)?;
    let target = seq(row, 5)?;
    let bare = edge::BareEntry {
        conversation,
        seq: seq(row, 0)?,
        number: number(row, 1)?,
        sender: id(row, 2)?,
        op: id(row, 3)?,
        time: time(row, 4)?,
        target: (target > Seq(0)).then_some(target),
        rev: seq(row, 6)?,
    };
    edge::from_stored(bare, &body).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Blob, error.into())
    })
}

pub(super) fn head(tx: &Connection, conversation: ConversationId) -> rusqlite::Result<Seq> {
    let sql = "SELECT head FROM conversation WHERE id = ?1";
    Ok(one(tx, sql, [conversation.bytes()], |row| seq(row, 0))?.unwrap_or_default())
}

pub(super) fn ranges(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Ranges>> {
    let mut statement =
        tx.prepare_cached("SELECT from_seq, to_seq FROM readable WHERE conversation = ?1 AND user = ?2")?;
    let rows = statement.query_map(params![conversation.bytes(), user.bytes()], |row| {
        let to = row.get::<_, Option<i64>>(1)?;
        Ok(Range { from: seq(row, 0)?, to: to.map(|_| seq(row, 1)).transpose()? })
    })?;
    Ok(Ranges::new(rows.collect::<rusqlite::Result<_>>()?))
}

/// The op rows above `after`, up to and including `to`.
pub(super) fn ops(
    tx: &Connection,
    conversation: ConversationId,
    after: Seq,
    to: Seq,
) -> rusqlite::Result<Vec<OpRow>> {
    let mut statement = tx.prepare_cached(
        "SELECT seq, number, time, sender, op, digest FROM entry
         WHERE conversation = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
    )?;
    let params = params![conversation.bytes(), from_seq(after), from_seq(to)];
    let rows = statement.query_map(params, |row| {
        Ok(OpRow {
            seq: seq(row, 0)?,
            number: number(row, 1)?,
            time: time(row, 2)?,
            sender: id(row, 3)?,
            op: id(row, 4)?,
            digest: Digest(row.get(5)?),
        })
    })?;
    rows.collect()
}

pub(super) fn load(
    tx: &Connection,
    conversation: ConversationId,
    after: Seq,
) -> rusqlite::Result<Option<Snapshot>> {
    let sql = "SELECT kind, name, history_visibility, head, number, time FROM conversation WHERE id = ?1";
    let row = one(tx, sql, [conversation.bytes()], |row| {
        let settings = Settings { history_visibility: history(row, 2)? };
        Ok((kind(row, 0)?, row.get(1)?, settings, seq(row, 3)?, number(row, 4)?, time(row, 5)?))
    })?;
    let Some((kind, name, settings, head, number, time)) = row else { return Ok(None) };
    let members = members(tx, conversation)?;
    let before = load_after(head, after);
    let rows = ops(tx, conversation, before, head)?;
    let state = State::restored(kind, name, settings, members, head, number, time);
    Ok(Some(Snapshot { state, before, rows }))
}

pub(super) fn members(
    tx: &Connection,
    conversation: ConversationId,
) -> rusqlite::Result<BTreeMap<UserId, Member>> {
    let mut statement =
        tx.prepare_cached("SELECT user, role, joined FROM member WHERE conversation = ?1 AND present = 1")?;
    let rows = statement.query_map([conversation.bytes()], |row| {
        Ok((id(row, 0)?, Member { role: role(row, 1)?, joined: seq(row, 2)? }))
    })?;
    rows.collect()
}

/// How many members there are; `None` without the conversation.
pub(super) fn member_count(tx: &Connection, conversation: ConversationId) -> rusqlite::Result<Option<usize>> {
    let sql = "SELECT members FROM conversation WHERE id = ?1";
    let count = one(tx, sql, [conversation.bytes()], |row| number(row, 0))?;
    Ok(count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
}

pub(super) fn page(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    slice: Slice,
) -> rusqlite::Result<Option<Page>> {
    let Some(ranges) = ranges(tx, user, conversation)? else { return Ok(None) };
    let head = head(tx, conversation)?;
    let pieces = slice.pieces(&ranges, head);
    let mut filling = slice.page(ranges.head(head));
    for piece in &pieces {
        if !filling.begins(*piece) {
            break;
        }
        let mut statement = tx.prepare_cached(&format!(
            "SELECT {ENTRY},
                 EXISTS (SELECT 1 FROM withheld w WHERE w.conversation = ?1 AND w.user = ?4 AND w.seq = entry.seq),
                 EXISTS (SELECT 1 FROM withheld w WHERE w.conversation = ?1 AND w.user = ?4 AND w.seq = entry.rev)
             FROM entry WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq {}",
            if slice.order == Order::Ascending { "ASC" } else { "DESC" }
        ))?;
        let params = params![conversation.bytes(), from_seq(piece.from), from_seq(piece.to), user.bytes()];
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(7)?.as_blob().map_or(0, <[u8]>::len);
            if !filling.takes(seq(row, 0)?) {
                break;
            }
            let whole = entry(conversation, row)?;
            let seen = match (row.get(8)?, row.get(9)?) {
                (true, _) => whole.withheld(Withheld::SenderBlocked),
                (false, true) => whole.withheld_by_edit(),
                (false, false) => whole.seen(&ranges),
            };
            filling.push(seen, bytes);
        }
    }
    Ok(Some(filling.done()))
}

/// Times never go back along a log, so a binary search finds the place.
pub(super) fn seq_at(
    tx: &Connection,
    conversation: ConversationId,
    time: SystemTime,
) -> rusqlite::Result<Seq> {
    let sql = "SELECT time FROM entry WHERE conversation = ?1 AND seq = ?2";
    let (mut low, mut high) = (1, head(tx, conversation)?.0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let key = params![conversation.bytes(), from_seq(Seq(middle))];
        let earlier = one(tx, sql, key, |row| row.get::<_, i64>(0))?.is_some_and(|at| at < from_time(time));
        if earlier {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Seq(low))
}
