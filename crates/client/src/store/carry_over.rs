//! What a file of an earlier version holds, brought to where SQL alone cannot bring it.

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::Entry;
use rusqlite::{Transaction, params};

use super::sql::{decode, rows, run, to_sql};
use super::{Result, account, log, mutation};
use crate::core::{Mutation, Weight};

/// Entries of version 1 have no weights, and what its rows say of marks is nowhere else. Nothing of it is lost: above all no
/// read mark that the server has not heard of.
pub fn from_version_1(tx: &Transaction<'_>) -> Result<()> {
    let Some(me) = account::account(tx)?.user else { return Ok(()) };
    for known in log::conversations(tx)? {
        if let Some(row) = known.row {
            mutation::apply(tx, &Mutation::Row(known.id, Box::new(row)))?;
        }
        for entry in entries(tx, known.id)? {
            let weight = Weight::of(&entry, me) as u8;
            let sql = "UPDATE entry SET weight = ? WHERE conversation_id = ? AND seq = ?";
            run(tx, sql, params![weight, known.id.bytes(), to_sql(Seq(entry.seq))])?;
        }
    }
    Ok(())
}

fn entries(tx: &Transaction<'_>, id: ConversationId) -> Result<Vec<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ?";
    rows(tx, sql, [id.bytes()], |row| decode(row.get(0)?))
}
