//! Content that is kept from some readers: what blocked senders wrote.

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rusqlite::{Connection, params};

use super::columns::{from_number, from_seq, id, number, seq};
use super::one;
use crate::log::Entry;

/// Up to this many users who have blocked a sender are looked at one by one; of more, the members of the conversation are.
const FEW: u64 = 512;

/// Withholds a message, or the edit of one, from those present members who have blocked its sender; gives them.
pub(super) fn withhold(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<Vec<UserId>> {
    let blocking = blocking(tx, entry)?;
    let counts = u64::from(entry.content.is_message());
    for (user, block) in &blocking {
        let (ordinal, shown) = match at_or_below(tx, *user, entry.conversation, entry.seq)? {
            Some(last) if last.seq.next() == entry.seq => (last.ordinal + counts, last.shown),
            Some(last) => (last.ordinal + counts, entry.seq.previous()),
            None => (counts, entry.seq.previous()),
        };
        tx.prepare_cached(
            "INSERT INTO withheld (conversation, user, seq, sender, block, ordinal, shown)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.conversation.bytes(),
            user.bytes(),
            from_seq(entry.seq),
            entry.sender.bytes(),
            from_number(*block),
            from_number(ordinal),
            from_seq(shown)
        ])?;
    }
    Ok(blocking.into_iter().map(|(user, _)| user).collect())
}

/// Present members who have blocked the sender, each with the block.
fn blocking(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<Vec<(UserId, u64)>> {
    let count = "SELECT count(*) FROM
                     (SELECT 1 FROM relation WHERE other = ?1 AND blocked = 1 LIMIT ?2)";
    let few = params![entry.sender.bytes(), from_number(FEW + 1)];
    let blockers = one(tx, count, few, |row| number(row, 0))?.unwrap_or_default();
    let sql = match blockers {
        0..=FEW => {
            "SELECT r.user, r.changed FROM relation r CROSS JOIN member m
             ON m.conversation = ?1 AND m.user = r.user AND m.present = 1
             WHERE r.other = ?2 AND r.blocked = 1 ORDER BY r.user"
        }
        _ => {
            "SELECT r.user, r.changed FROM member m CROSS JOIN relation r
             ON r.user = m.user AND r.other = ?2 AND r.blocked = 1
             WHERE m.conversation = ?1 AND m.present = 1 ORDER BY r.user"
        }
    };
    let mut statement = tx.prepare_cached(sql)?;
    let params = params![entry.conversation.bytes(), entry.sender.bytes()];
    let rows = statement.query_map(params, |row| Ok((id(row, 0)?, number(row, 1)?)))?;
    rows.collect()
}

/// An entry withheld from somebody.
pub(super) struct Kept {
    pub(super) seq: Seq,
    ordinal: u64,
    /// The last entry below it that is not withheld.
    pub(super) shown: Seq,
}

fn at_or_below(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    place: Seq,
) -> rusqlite::Result<Option<Kept>> {
    let sql = "SELECT seq, ordinal, shown FROM withheld WHERE conversation = ?1 AND user = ?2 AND seq <= ?3
               ORDER BY seq DESC LIMIT 1";
    one(tx, sql, params![conversation.bytes(), user.bytes(), from_seq(place)], |row| {
        Ok(Kept { seq: seq(row, 0)?, ordinal: number(row, 1)?, shown: seq(row, 2)? })
    })
}

/// The highest entry up to `place` that is not withheld from the user.
pub(super) fn shown(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    place: Seq,
) -> rusqlite::Result<Seq> {
    let last = at_or_below(tx, user, conversation, place)?;
    Ok(last.filter(|last| last.seq == place).map_or(place, |last| last.shown))
}

/// How many messages above `after`, up to `upto`, are withheld from the user.
pub(super) fn count(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
    after: Seq,
    upto: Seq,
) -> rusqlite::Result<u64> {
    let upto_there = |place| {
        Ok::<_, rusqlite::Error>(at_or_below(tx, user, conversation, place)?.map_or(0, |last| last.ordinal))
    };
    Ok(upto_there(upto)?.saturating_sub(upto_there(after)?))
}
