//! How the user wants to have each conversation: what the server has, and what it has not answered.

use parlor_types::{ConversationId, Id as _};
use parlor_wire::chat::v1::{Conversation, PreferenceChanges, Preferences};
use prost::Message as _;
use rusqlite::{Transaction, params};

use super::sql::{decode, first, rows, run};
use super::{Result, Store};
use crate::core::changes::{is_empty, remove};

impl Store {
    /// Changes that the server has not answered: one set for each conversation that has any.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn wishes(&self) -> Result<Vec<(ConversationId, PreferenceChanges)>> {
        self.read(wishes)
    }

    /// Enters what a unary call was answered: `made` is done, and wishes for the same are over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn preferences_answered(
        &self,
        id: ConversationId,
        made: &PreferenceChanges,
        preferences: &Preferences,
    ) -> Result<()> {
        self.write(|tx| {
            save(tx, id, preferences)?;
            let mut left = wish_of(tx, id)?;
            remove(&mut left, made);
            wish(tx, id, &left)
        })
    }
}

pub fn wishes(tx: &Transaction<'_>) -> Result<Vec<(ConversationId, PreferenceChanges)>> {
    let sql = "SELECT conversation_id, changes FROM wish";
    rows(tx, sql, [], |row| Ok((ConversationId::from_bytes(row.get(0)?), decode(row.get(1)?)?)))
}

pub fn wish_of(tx: &Transaction<'_>, id: ConversationId) -> Result<PreferenceChanges> {
    let sql = "SELECT changes FROM wish WHERE conversation_id = ?";
    Ok(first(tx, sql, [id.bytes()], |row| decode(row.get(0)?))?.unwrap_or_default())
}

pub fn wish(tx: &Transaction<'_>, id: ConversationId, changes: &PreferenceChanges) -> Result<()> {
    if is_empty(changes) {
        return run(tx, "DELETE FROM wish WHERE conversation_id = ?", [id.bytes()]);
    }
    let sql = "INSERT OR REPLACE INTO wish (conversation_id, changes) VALUES (?, ?)";
    run(tx, sql, params![id.bytes(), changes.encode_to_vec()])
}

/// Into the row, where there is one; the next row has them anyway.
pub fn save(tx: &Transaction<'_>, id: ConversationId, preferences: &Preferences) -> Result<()> {
    let sql = "SELECT row FROM conversation WHERE id = ? AND row IS NOT NULL";
    let row: Option<Conversation> = first(tx, sql, [id.bytes()], |row| decode(row.get(0)?))?;
    let Some(mut row) = row else { return Ok(()) };
    row.preferences = Some(preferences.clone());
    run(tx, "UPDATE conversation SET row = ? WHERE id = ?", params![row.encode_to_vec(), id.bytes()])
}
