//! How the store carries out what the core asks for.

use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::{Conversation, Entry};
use prost::Message as _;
use rusqlite::{Transaction, named_params, params};

use super::sql::{run, to_sql};
use super::{Result, Store, changes, files, marks, people, preferences};
use crate::core::{Mutation, Outgoing, Range, Weight, by_user};

impl Store {
    /// Carries out `mutations`, all or none.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError); nothing is changed then.
    pub fn apply(&self, mutations: &[Mutation]) -> Result<()> {
        if mutations.is_empty() {
            return Ok(());
        }
        self.write(|tx| mutations.iter().try_for_each(|mutation| apply(tx, mutation)))
    }
}

pub fn apply(tx: &Transaction<'_>, mutation: &Mutation) -> Result<()> {
    match mutation {
        Mutation::Reset(generation) => reset(tx, generation),
        Mutation::Generation(generation) => run(tx, "UPDATE sync SET generation = ?", [generation]),
        Mutation::Cursor(cursor) => run(tx, "UPDATE sync SET cursor = ?", [&cursor[..]]),
        Mutation::Row(id, row) => save_row(tx, *id, row),
        Mutation::Extent(id, range, head) => extent(tx, *id, *range, *head),
        Mutation::Head(id, head) => {
            let sql = "UPDATE conversation SET head = ? WHERE id = ?";
            run(tx, sql, params![to_sql(*head), id.bytes()])
        }
        Mutation::Entry(id, entry, weight) => save_entry(tx, *id, entry, *weight),
        Mutation::Forget(id) => forget(tx, *id),
        Mutation::Queue(row) => queue(tx, row),
        Mutation::Dispatch(complete) => files::dispatch(tx, complete),
        Mutation::Recall(op) => files::recall(tx, *op),
        Mutation::Rebase(op, base) => {
            run(tx, "UPDATE outbox SET base_seq = ? WHERE op = ?", params![to_sql(*base), op.bytes()])
        }
        Mutation::Settle(op) => {
            run(tx, "DELETE FROM outbox WHERE op = ?", [op.bytes()])?;
            files::drop_parcel(tx, *op)
        }
        Mutation::ReadWanted(id, seq) => {
            let sql = "UPDATE conversation SET read_wanted = ? WHERE id = ?";
            run(tx, sql, params![to_sql(*seq), id.bytes()])
        }
        Mutation::Read(id, seq) => {
            let sql = "UPDATE conversation SET read = max(read, ?) WHERE id = ?";
            run(tx, sql, params![to_sql(*seq), id.bytes()])
        }
        Mutation::Marks(id, heard) => marks::raise_all(tx, *id, heard),
        Mutation::Preferences(id, heard) => preferences::save(tx, *id, heard),
        Mutation::Wish(id, changes) => preferences::wish(tx, *id, changes),
        Mutation::Person(user, person) => people::save(tx, *user, person),
        Mutation::ForgetPeople => run(tx, "DELETE FROM person", []),
        Mutation::Privacy(privacy) => run(tx, "UPDATE sync SET privacy = ?", [privacy.encode_to_vec()]),
    }
}

/// What waits to be sent stays: it is the user's, and no server's.
fn reset(tx: &Transaction<'_>, generation: &str) -> Result<()> {
    tx.execute_batch(
        "DELETE FROM conversation; DELETE FROM entry; DELETE FROM mark; DELETE FROM person;
         UPDATE outbox SET base_seq = 0; UPDATE parcel SET base_seq = 0;",
    )?;
    run(tx, "UPDATE sync SET generation = ?, cursor = x'', privacy = NULL", [generation])
}

fn save_row(tx: &Transaction<'_>, id: ConversationId, row: &Conversation) -> Result<()> {
    let sql = "INSERT INTO conversation (id, row, read) VALUES (?1, ?2, ?3)
               ON CONFLICT (id) DO UPDATE SET row = excluded.row, read = max(read, excluded.read)";
    let read = to_sql(Seq(row.marks.unwrap_or_default().read));
    run(tx, sql, params![id.bytes(), row.encode_to_vec(), read])?;
    let members: Vec<_> = row.members.iter().map(marks::of_member).collect();
    marks::raise_all(tx, id, &by_user(&members))
}

fn extent(tx: &Transaction<'_>, id: ConversationId, range: Range, head: Seq) -> Result<()> {
    let sql = "INSERT INTO conversation (id, head, low, have) VALUES (:id, :head, :low, :have)
               ON CONFLICT (id) DO UPDATE SET head = max(head, :head), low = :low, have = :have";
    let values = named_params! {
        ":id": id.bytes(), ":head": to_sql(head), ":low": to_sql(range.low), ":have": to_sql(range.have),
    };
    run(tx, sql, values)
}

fn save_entry(tx: &Transaction<'_>, id: ConversationId, entry: &Entry, weight: Weight) -> Result<()> {
    let sql = "INSERT INTO entry (conversation_id, seq, rev, entry, weight, target) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (conversation_id, seq) DO UPDATE
               SET rev = excluded.rev, entry = excluded.entry, weight = excluded.weight WHERE excluded.rev >= rev";
    let (seq, rev) = (to_sql(Seq(entry.seq)), to_sql(Seq(entry.rev)));
    let target = to_sql(Seq(entry.target));
    run(tx, sql, params![id.bytes(), seq, rev, entry.encode_to_vec(), weight as u8, target])?;
    changes::settle(tx, id, entry)
}

fn forget(tx: &Transaction<'_>, id: ConversationId) -> Result<()> {
    run(tx, "DELETE FROM entry WHERE conversation_id = ?", [id.bytes()])?;
    run(tx, "DELETE FROM mark WHERE conversation_id = ?", [id.bytes()])?;
    run(tx, "UPDATE conversation SET head = 0, read = 0, read_wanted = 0 WHERE id = ?", [id.bytes()])
}

fn queue(tx: &Transaction<'_>, row: &Outgoing) -> Result<()> {
    let sql = "INSERT INTO outbox (op, conversation_id, base_seq, append) VALUES (?, ?, ?, ?)";
    let base = to_sql(row.base_seq);
    run(tx, sql, params![row.op.bytes(), row.conversation.bytes(), base, row.append.encode_to_vec()])
}
