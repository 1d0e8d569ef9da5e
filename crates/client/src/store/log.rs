//! Conversations, entries, the outbox and the cursor.

use bytes::Bytes;
use parlor_types::{ConversationId, Id, Op, Seq, UserId};
use parlor_wire::chat::v1::{Append, Conversation, Entry, SyncResponse};
use rusqlite::{Row, Transaction, params};

use super::mutation::apply;
use super::sql::{decode, first, from_sql, rows, run, to_sql};
use super::{Result, Store, preferences};
use crate::core::{MAX_AGAIN, Mutation, Outgoing, Range, Saved, SavedConversation};

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
    /// The server's read mark, as far as it is known.
    pub read: Seq,
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
            read: self.read,
            read_wanted: self.read_wanted,
            marked_unread: row.and_then(|row| row.preferences.as_ref()).is_some_and(|set| set.marked_unread),
        }
    }
}

impl Store {
    /// All that a core begins with.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn load(&self) -> Result<Saved> {
        self.read(saved)
    }

    /// Enters what another call than the stream told of the server's generation: the first is kept, a new one empties
    /// the store as the fifth rule says. Answers whether it was new.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
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

    /// Enters a page of a unary sync; `begins` is true of the first page of one that had no cursor, in which everybody
    /// comes anew. With the last page comes the cursor: a stream goes on from there, and fetches by the heads of the rows.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn keep_sync(&self, page: SyncResponse, begins: bool) -> Result<()> {
        self.meet_generation(&page.generation)?;
        let mut changes: Vec<_> = begins.then_some(Mutation::ForgetPeople).into_iter().collect();
        let mut heads = Vec::new();
        for row in page.conversations {
            let Some(id) = ConversationId::parse(&row.id) else { continue };
            heads.push((id, Seq(row.head)));
            changes.push(Mutation::Row(id, Box::new(row)));
        }
        let people =
            page.people.into_iter().filter_map(|person| Some((UserId::parse(&person.user_id)?, person)));
        changes.extend(people.map(|(user, person)| Mutation::Person(user, Box::new(person))));
        changes.extend(page.privacy.map(Mutation::Privacy));
        changes.extend((!page.cursor.is_empty()).then(|| Mutation::Cursor(page.cursor)));
        self.write(|tx| {
            changes.iter().try_for_each(|change| apply(tx, change))?;
            heads.into_iter().try_for_each(|(id, head)| {
                raise_head(tx, id, head)?;
                let sql = "UPDATE conversation SET low = head + 1, have = head WHERE id = ? AND low IS NULL";
                run(tx, sql, [id.bytes()])
            })
        })
    }

    /// Notes a head heard of elsewhere than on the stream.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn raise_head(&self, id: ConversationId, head: Seq) -> Result<()> {
        self.write(|tx| raise_head(tx, id, head))
    }

    /// Puts `outgoing` into the outbox; its base is the highest head known when this is called.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
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
    /// [`StoreError`](super::StoreError).
    pub fn outbox(&self, of: Option<ConversationId>) -> Result<Vec<Outgoing>> {
        let sql = "SELECT op, conversation_id, base_seq, append,
                          EXISTS (SELECT 1 FROM parcel WHERE parcel.op = outbox.op AND again < ?2)
                   FROM outbox WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY position";
        self.read(|tx| rows(tx, sql, params![of.map(Id::bytes), MAX_AGAIN], outgoing))
    }

    /// One conversation.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn conversation(&self, id: ConversationId) -> Result<Option<StoredConversation>> {
        self.read(|tx| conversation(tx, id))
    }

    /// All conversations that are known, in no order.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn conversations(&self) -> Result<Vec<StoredConversation>> {
        self.read(conversations)
    }

    /// The saved entries from `from` to `to`, both included, lowest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn entries(&self, id: ConversationId, from: Seq, to: Seq, limit: u32) -> Result<Vec<Entry>> {
        let sql = "SELECT entry FROM entry
                   WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?";
        self.read(|tx| {
            rows(tx, sql, params![id.bytes(), to_sql(from), to_sql(to), limit], |row| decode(row.get(0)?))
        })
    }
}

fn raise_head(tx: &Transaction<'_>, id: ConversationId, head: Seq) -> Result<()> {
    let sql = "INSERT INTO conversation (id, head) VALUES (?1, ?2)
               ON CONFLICT (id) DO UPDATE SET head = max(head, excluded.head)";
    run(tx, sql, params![id.bytes(), to_sql(head)])
}

const CONVERSATION: &str = "SELECT id, row, head, low, have, read, read_wanted FROM conversation";

pub fn conversations(tx: &Transaction<'_>) -> Result<Vec<StoredConversation>> {
    rows(tx, CONVERSATION, [], stored)
}

pub fn conversation(tx: &Transaction<'_>, id: ConversationId) -> Result<Option<StoredConversation>> {
    let sql = format!("{CONVERSATION} WHERE id = ?");
    first(tx, &sql, [id.bytes()], stored)
}

/// The newest saved entry.
pub fn last_entry(tx: &Transaction<'_>, id: ConversationId) -> Result<Option<Entry>> {
    let sql = "SELECT entry FROM entry WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1";
    first(tx, sql, [id.bytes()], |row| decode(row.get(0)?))
}

fn stored(row: &Row<'_>) -> Result<StoredConversation> {
    let encoded: Option<Vec<u8>> = row.get(1)?;
    let (low, have): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(StoredConversation {
        id: Id::from_bytes(row.get(0)?),
        row: encoded.map(decode).transpose()?,
        head: from_sql(row.get(2)?),
        range: low.zip(have).map(|(low, have)| Range { low: from_sql(low), have: from_sql(have) }),
        read: from_sql(row.get(5)?),
        read_wanted: from_sql(row.get(6)?),
    })
}

fn outgoing(row: &Row<'_>) -> Result<Outgoing> {
    let append: Append = decode(row.get(3)?)?;
    Ok(Outgoing {
        op: Op::from_bytes(row.get(0)?),
        conversation: ConversationId::from_bytes(row.get(1)?),
        base_seq: from_sql(row.get(2)?),
        append,
        recallable: row.get(4)?,
    })
}

pub(super) fn saved(tx: &Transaction<'_>) -> Result<Saved> {
    let (generation, cursor): (_, Vec<u8>) =
        tx.query_row("SELECT generation, cursor FROM sync", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let conversations = conversations(tx)?.iter().map(StoredConversation::saved).collect();
    let wishes = preferences::wishes(tx)?;
    Ok(Saved { generation, cursor: Bytes::from(cursor), conversations, wishes })
}
