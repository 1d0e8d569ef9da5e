//! What is unread: messages, those that mention the reader, and all of it together.

use std::time::SystemTime;

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId};
use rusqlite::{Connection, params};

use super::columns::{from_seq, number, optional_time};
use super::one;
use crate::log::Entry;
use crate::preferences::{Badge, Preferences};

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

/// Over all conversations in which there may be something: in one statement, since there may be thousands. What counts as
/// unread in each is what [`rows`](super::rows) says of one: the messages above the read mark, up to where the user may read,
/// without those withheld.
const BADGE: &str = "
    WITH place AS (
        SELECT m.conversation, m.read, m.read_number,
            iif(m.present, c.head, (SELECT max(r.to_seq) FROM readable r
                                    WHERE r.conversation = m.conversation AND r.user = m.user)) AS head,
            iif(m.present, c.number, NULL) AS number,
            p.muted_until, p.marked_unread
        FROM member m JOIN conversation c ON c.id = m.conversation
            LEFT JOIN preference p ON p.conversation = m.conversation AND p.user = m.user
        WHERE m.user = ?1 AND (c.number > m.read_number OR p.marked_unread = 1)
            AND p.archived IS NOT 1 AND p.hidden IS NOT 1
    )
    SELECT muted_until, coalesce(marked_unread, 0),
        coalesce(number, (SELECT e.number FROM entry e
                          WHERE e.conversation = place.conversation AND e.seq = place.head)) - read_number,
        coalesce((SELECT w.ordinal FROM withheld w WHERE w.conversation = place.conversation AND w.user = ?1
                      AND w.seq <= place.head ORDER BY w.seq DESC LIMIT 1), 0)
            - coalesce((SELECT w.ordinal FROM withheld w WHERE w.conversation = place.conversation AND w.user = ?1
                            AND w.seq <= place.read ORDER BY w.seq DESC LIMIT 1), 0),
        (SELECT count(*) FROM mention n WHERE n.conversation = place.conversation AND n.user = ?1)
    FROM place";

pub(super) fn badge(tx: &Connection, user: UserId, now: SystemTime) -> rusqlite::Result<Badge> {
    let mut statement = tx.prepare_cached(BADGE)?;
    let mut rows = statement.query([user.bytes()])?;
    let mut badge = Badge::default();
    while let Some(row) = rows.next()? {
        let preferences = Preferences {
            muted_until: optional_time(row, 0)?,
            marked_unread: row.get(1)?,
            ..Preferences::default()
        };
        let (above, withheld): (i64, i64) = (row.get(2)?, row.get(3)?);
        let unread = u64::try_from(above - withheld.max(0)).unwrap_or_default();
        badge.count(&preferences, unread, number(row, 4)?, now);
    }
    Ok(badge)
}
