//! Edits and deletes among the entries that are held.

use parlor_types::{ConversationId, Id as _, Seq, UserId};
use parlor_wire::chat::v1::Entry;
use prost::Message as _;
use rusqlite::{Transaction, params};

use super::Result;
use super::sql::{decode, first, rows, run, to_sql};
use crate::core::{Weight, fold, is_change};

/// Brings what is held in line with an entry that was just saved: it may change others, and others may change it.
pub fn settle(tx: &Transaction<'_>, id: ConversationId, saved: &Entry) -> Result<()> {
    let me = me(tx)?;
    let about = if is_change(saved) { saved.target } else { saved.seq };
    let changes = changes_of(tx, id, about)?;
    if changes.is_empty() {
        return Ok(());
    }
    // As it is held: what was saved may have been an older copy.
    let message = entry(tx, id, about)?;
    for held in message.into_iter().chain(changes.iter().cloned()) {
        let now = with_changes(held.clone(), &changes);
        if now != held {
            let sql =
                "UPDATE entry SET rev = ?3, entry = ?4, weight = ?5 WHERE conversation_id = ?1 AND seq = ?2";
            let (seq, rev) = (to_sql(Seq(now.seq)), to_sql(Seq(now.rev)));
            let weight = me.map_or(Weight::Nothing, |me| Weight::of(&now, me)) as u8;
            run(tx, sql, params![id.bytes(), seq, rev, now.encode_to_vec(), weight])?;
        }
    }
    Ok(())
}

/// A message as the changes that are held make it; for one that is known from elsewhere.
pub fn present(tx: &Transaction<'_>, id: ConversationId, message: Entry) -> Result<Entry> {
    let changes = changes_of(tx, id, message.seq)?;
    Ok(with_changes(message, &changes))
}

fn with_changes(mut entry: Entry, changes: &[Entry]) -> Entry {
    for change in changes {
        fold(&mut entry, change);
    }
    entry
}

fn entry(tx: &Transaction<'_>, id: ConversationId, seq: u64) -> Result<Option<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ? AND seq = ?";
    first(tx, sql, params![id.bytes(), to_sql(Seq(seq))], |row| decode(row.get(0)?))
}

/// The edits of a message, and its deletion, in their order.
fn changes_of(tx: &Transaction<'_>, id: ConversationId, about: u64) -> Result<Vec<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ? AND target = ? AND target > 0 ORDER BY seq";
    rows(tx, sql, params![id.bytes(), to_sql(Seq(about))], |row| decode(row.get(0)?))
}

fn me(tx: &Transaction<'_>) -> Result<Option<UserId>> {
    let found: Option<[u8; 16]> = tx.query_row("SELECT user_id FROM account", [], |row| row.get(0))?;
    Ok(found.map(UserId::from_bytes))
}
