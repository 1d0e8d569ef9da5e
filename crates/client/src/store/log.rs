//! Conversations, entries, the outbox and the cursor.

use bytes::Bytes;
use parlor_types::{ConversationId, Id, Op, Seq};
use parlor_wire::chat::v1::{Append, Conversation, Entry};
use prost::Message;
use rusqlite::{OptionalExtension as _, Row, Transaction, named_params, params};

use super::{Result, Store, StoreError};
use crate::core::{Mutation, Outgoing, Range, Saved, SavedConversation};

/// A conversation as it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredConversation {
    /// Which.
    pub id: ConversationId,
    /// Its row of the chat list; none until it was seen.
    pub row: Option<Conversation>,
    /// The highest seq heard of.
    pub head: Seq,
    /// The entries held; none if nothing was ever synced.
    pub range: Option<Range>,
    /// The read mark asked for by the app.
    pub read_wanted: Seq,
}

impl StoredConversation {
    fn saved(&self) -> SavedConversation {
        let row = self.row.as_ref();
        let marks = row.and_then(|row| row.marks).unwrap_or_default();
        let floor = row.and_then(|row| row.readable.last()).map_or(1, |readable| readable.from_seq.max(1));
        SavedConversation {
            id: self.id,
            head: self.head,
            range: self.range,
            floor: Seq(floor),
            received: Seq(marks.received),
            read: Seq(marks.read),
            read_wanted: self.read_wanted,
        }
    }
}

impl Store {
    /// All that a core begins with.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load(&self) -> Result<Saved> {
        self.read(|tx| {
            let (generation, cursor): (_, Vec<u8>) =
                tx.query_row("SELECT generation, cursor FROM sync", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let conversations = conversations(tx)?.iter().map(StoredConversation::saved).collect();
            Ok(Saved { generation, cursor: Bytes::from(cursor), conversations })
        })
    }

    /// Carries out `mutations`, all or none.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn apply(&self, mutations: &[Mutation]) -> Result<()> {
        if mutations.is_empty() {
            return Ok(());
        }
        self.write(|tx| mutations.iter().try_for_each(|mutation| apply(tx, mutation)))
    }

    /// Enters what another call than the stream told of the server's generation: the first is kept, a new one empties
    /// the store as the fifth rule says. Answers whether it was new.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn meet_generation(&self, generation: &str) -> Result<bool> {
        self.write(|tx| {
            let known: Option<String> = tx.query_row("SELECT generation FROM sync", [], |row| row.get(0))?;
            match known {
                Some(known) if known == generation => Ok(false),
                Some(_) => apply(tx, &Mutation::Reset(generation.to_owned())).map(|()| true),
                None => apply(tx, &Mutation::Generation(generation.to_owned())).map(|()| false),
            }
        })
    }

    /// Notes a head heard of elsewhere than on the stream.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn raise_head(&self, id: ConversationId, head: Seq) -> Result<()> {
        let sql = "INSERT INTO conversation (id, head) VALUES (?1, ?2)
                   ON CONFLICT (id) DO UPDATE SET head = max(head, excluded.head)";
        self.write(|tx| Ok(tx.execute(sql, params![id.bytes(), to_sql(head)]).map(drop)?))
    }

    /// Puts `outgoing` into the outbox; its base is the highest head known when this is called.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queue(&self, mut outgoing: Outgoing) -> Result<Outgoing> {
        self.write(|tx| {
            outgoing.base_seq = conversation(tx, outgoing.conversation)?.map_or(Seq(0), |known| known.head);
            apply(tx, &Mutation::Queue(Box::new(outgoing.clone())))?;
            Ok(outgoing)
        })
    }

    /// The outbox, oldest first; of one conversation, or of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn outbox(&self, of: Option<ConversationId>) -> Result<Vec<Outgoing>> {
        let sql = "SELECT op, conversation_id, base_seq, append FROM outbox
                   WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY position";
        self.read(|tx| rows(tx, sql, [of.map(Id::bytes)], outgoing))
    }

    /// One conversation.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn conversation(&self, id: ConversationId) -> Result<Option<StoredConversation>> {
        self.read(|tx| conversation(tx, id))
    }

    /// All conversations that are known, in no order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn conversations(&self) -> Result<Vec<StoredConversation>> {
        self.read(conversations)
    }

    /// The saved entries from `from` to `to`, both included, lowest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn entries(&self, id: ConversationId, from: Seq, to: Seq, limit: u32) -> Result<Vec<Entry>> {
        let sql = "SELECT entry FROM entry
                   WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?";
        self.read(|tx| {
            rows(tx, sql, params![id.bytes(), to_sql(from), to_sql(to), limit], |row| decode(row.get(0)?))
        })
    }
}

fn apply(tx: &Transaction<'_>, mutation: &Mutation) -> Result<()> {
    match mutation {
        Mutation::Reset(generation) => {
            tx.execute_batch("DELETE FROM conversation; DELETE FROM entry; UPDATE outbox SET base_seq = 0;")?;
            run(tx, "UPDATE sync SET generation = ?, cursor = x''", [generation])
        }
        Mutation::Generation(generation) => run(tx, "UPDATE sync SET generation = ?", [generation]),
        Mutation::Cursor(cursor) => run(tx, "UPDATE sync SET cursor = ?", [&cursor[..]]),
        Mutation::Row(id, row) => {
            let sql = "INSERT INTO conversation (id, row) VALUES (?1, ?2)
                       ON CONFLICT (id) DO UPDATE SET row = excluded.row";
            run(tx, sql, params![id.bytes(), row.encode_to_vec()])
        }
        Mutation::Extent(id, range, head) => extent(tx, *id, *range, *head),
        Mutation::Entry(id, entry) => {
            let sql = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4) ON CONFLICT (conversation_id, seq)
                       DO UPDATE SET rev = excluded.rev, entry = excluded.entry WHERE excluded.rev >= rev";
            let (seq, rev) = (to_sql(Seq(entry.seq)), to_sql(Seq(entry.rev)));
            run(tx, sql, params![id.bytes(), seq, rev, entry.encode_to_vec()])
        }
        Mutation::Forget(id) => {
            run(tx, "DELETE FROM entry WHERE conversation_id = ?", [id.bytes()])?;
            run(tx, "UPDATE conversation SET read_wanted = 0 WHERE id = ?", [id.bytes()])
        }
        Mutation::Queue(row) => {
            let sql = "INSERT INTO outbox (op, conversation_id, base_seq, append) VALUES (?, ?, ?, ?)";
            let base = to_sql(row.base_seq);
            run(tx, sql, params![row.op.bytes(), row.conversation.bytes(), base, row.append.encode_to_vec()])
        }
        Mutation::Rebase(op, base) => {
            run(tx, "UPDATE outbox SET base_seq = ? WHERE op = ?", params![to_sql(*base), op.bytes()])
        }
        Mutation::Settle(op) => run(tx, "DELETE FROM outbox WHERE op = ?", [op.bytes()]),
        Mutation::ReadWanted(id, seq) => {
            let sql = "UPDATE conversation SET read_wanted = ? WHERE id = ?";
            run(tx, sql, params![to_sql(*seq), id.bytes()])
        }
    }
}

fn extent(tx: &Transaction<'_>, id: ConversationId, range: Range, head: Seq) -> Result<()> {
    let sql = "INSERT INTO conversation (id, head, low, have) VALUES (:id, :head, :low, :have)
               ON CONFLICT (id) DO UPDATE SET head = :head, low = :low, have = :have";
    let values = named_params! {
        ":id": id.bytes(), ":head": to_sql(head), ":low": to_sql(range.low), ":have": to_sql(range.have),
    };
    run(tx, sql, values)
}

fn run(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<()> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

fn rows<T>(
    tx: &Transaction<'_>,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

const CONVERSATION: &str = "SELECT id, row, head, low, have, read_wanted FROM conversation";

fn conversations(tx: &Transaction<'_>) -> Result<Vec<StoredConversation>> {
    rows(tx, CONVERSATION, [], stored)
}

fn conversation(tx: &Transaction<'_>, id: ConversationId) -> Result<Option<StoredConversation>> {
    let sql = format!("{CONVERSATION} WHERE id = ?");
    tx.prepare_cached(&sql)?.query_row([id.bytes()], |row| Ok(stored(row))).optional()?.transpose()
}

fn stored(row: &Row<'_>) -> Result<StoredConversation> {
    let encoded: Option<Vec<u8>> = row.get(1)?;
    let (low, have): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(StoredConversation {
        id: Id::from_bytes(row.get(0)?),
        row: encoded.map(decode).transpose()?,
        head: from_sql(row.get(2)?),
        range: low.zip(have).map(|(low, have)| Range { low: from_sql(low), have: from_sql(have) }),
        read_wanted: from_sql(row.get(5)?),
    })
}

fn outgoing(row: &Row<'_>) -> Result<Outgoing> {
    let append: Append = decode(row.get(3)?)?;
    Ok(Outgoing {
        op: Op::from_bytes(row.get(0)?),
        conversation: ConversationId::from_bytes(row.get(1)?),
        base_seq: from_sql(row.get(2)?),
        append,
    })
}

fn decode<M: Message + Default>(encoded: Vec<u8>) -> Result<M> {
    M::decode(&encoded[..]).map_err(|_| StoreError::Corrupt("a message that cannot be decoded"))
}

/// SQLite counts to 2^63. No log is that long; what a server may say beyond is cut to it.
fn to_sql(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

fn from_sql(seq: i64) -> Seq {
    Seq(u64::try_from(seq).unwrap_or_default())
}
