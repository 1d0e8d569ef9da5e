//! What the blocked are shown of the marks of those who have blocked them.

use parlor_embedded::Tx;
use parlor_types::{Id as _, UserId, limits};
use rusqlite::params;

use super::columns::{from_number, from_seq};
use super::one;
use crate::receipts::Marks;
use crate::store::NewMarks;

/// Keeps the marks that the user's blocked members have been shown so far, `before` these rose. The first rise within a
/// block counts.
pub(super) fn freeze(tx: &Tx<'_>, new: &NewMarks, before: Marks) -> rusqlite::Result<()> {
    // Almost always there is nobody, which one look-up tells.
    if !blocks_anybody(tx, new.user)? {
        return Ok(());
    }
    // From the side that has fewer.
    let pairs = "SELECT c.members <= ?2 FROM conversation c WHERE c.id = ?1";
    let few = params![new.conversation.bytes(), from_number(limits::MAX_LISTED_MEMBERS as u64)];
    let pairs = if one(tx, pairs, few, |row| row.get(0))?.unwrap_or_default() {
        "member m CROSS JOIN relation r"
    } else {
        "relation r CROSS JOIN member m"
    };
    let sql = format!(
        "INSERT INTO frozen (conversation, user, other, block, at_received, at_read)
         SELECT ?1, ?2, r.other, r.changed, ?3, ?4 FROM {pairs}
         WHERE m.conversation = ?1 AND m.user = r.other AND m.present = 1 AND r.user = ?2 AND r.blocked = 1
         ON CONFLICT DO UPDATE SET block = excluded.block, at_received = excluded.at_received, at_read = excluded.at_read
         WHERE block <> excluded.block"
    );
    tx.prepare_cached(&sql)?
        .execute(params![
            new.conversation.bytes(),
            new.user.bytes(),
            from_seq(before.received),
            from_seq(before.read)
        ])
        .map(drop)
}

fn blocks_anybody(tx: &Tx<'_>, user: UserId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM relation WHERE user = ?1 AND blocked = 1 LIMIT 1";
    Ok(one(tx, sql, [user.bytes()], |_| Ok(()))?.is_some())
}
