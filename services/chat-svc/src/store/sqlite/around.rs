//! Whether there is anything around a message that storing it has to look after. Almost always there is not, which one
//! statement tells; each of the others would cost as much to find nothing.

use parlor_embedded::Tx;
use parlor_types::Id as _;
use rusqlite::params;

use crate::log::Entry;

/// See the module.
pub(super) struct Around {
    /// Somebody has blocked the sender.
    pub(super) blocked: bool,
    /// A member wants to have the conversation in a way of their own.
    pub(super) preferred: bool,
    /// A message that the sender has not read mentions them.
    pub(super) mentioned: bool,
}

impl Around {
    pub(super) fn of(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<Self> {
        tx.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM relation WHERE other = ?2 AND blocked = 1),
                 EXISTS (SELECT 1 FROM preference WHERE conversation = ?1),
                 EXISTS (SELECT 1 FROM mention WHERE conversation = ?1 AND user = ?2)",
        )?
        .query_row(params![entry.conversation.bytes(), entry.sender.bytes()], |row| {
            Ok(Self { blocked: row.get(0)?, preferred: row.get(1)?, mentioned: row.get(2)? })
        })
    }
}
