//! To whom typing is shown.

use parlor_types::limits::MAX_LISTED_MEMBERS;
use parlor_types::{ConversationId, Id as _, UserId};
use rusqlite::{Connection, params};

use super::columns::id;
use super::one;
use super::people::blocks;
use crate::store::lists;

pub(super) fn audience(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Vec<UserId>>> {
    let sql = "SELECT 1 FROM member WHERE conversation = ?1 AND user = ?2 AND present = 1";
    if one(tx, sql, params![conversation.bytes(), user.bytes()], |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    let mut statement = tx.prepare_cached(
        "SELECT user FROM member WHERE conversation = ?1 AND present = 1 AND user <> ?2
         ORDER BY user LIMIT ?3",
    )?;
    // One more than are listed beside the user, to tell that there are more.
    let limit = i64::try_from(MAX_LISTED_MEMBERS).unwrap_or(i64::MAX);
    let others = statement.query_map(params![conversation.bytes(), user.bytes(), limit], |row| id(row, 0))?;
    let others: Vec<UserId> = others.collect::<rusqlite::Result<_>>()?;
    if !lists(others.len() + 1) {
        return Ok(Some(Vec::new()));
    }
    let mut audience = Vec::with_capacity(others.len());
    for other in others {
        if !blocks(tx, user, other)? && !blocks(tx, other, user)? {
            audience.push(other);
        }
    }
    Ok(Some(audience))
}
