//! The store on one SQLite file: the default on one machine.
//!
//! An entry and all it changes are one savepoint of one group commit; `done` is called after the fsync. Reads are
//! snapshots. What SQLite holds that this code did not write is an error, never a guess.

mod around;
mod audience;
mod changes;
mod columns;
mod frozen;
mod marks;
mod media;
mod members;
mod people;
mod preferences;
mod read;
mod rows;
mod unread;
mod withheld;
mod write;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_trait::async_trait;
use parlor_embedded::{Db, JobError, Migration, OpenError, Options, ReadTx, Tx, WriteError};
use parlor_types::{ConversationId, Seq, UserId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::{
    AppendError, Batch, Changed, Commit, Done, Generation, Page, ReadError, Row, Slice, Snapshot, Store,
    Stored,
};
use crate::conversation::{Content, Target};
use crate::log::OpRow;

/// The schema, oldest first; a release only ever adds to the end.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("schema.sql") },
    Migration { version: 2, sql: include_str!("schema/2_people.sql") },
    Migration { version: 3, sql: include_str!("schema/3_members.sql") },
    Migration { version: 4, sql: include_str!("schema/4_withheld.sql") },
    Migration { version: 5, sql: include_str!("schema/5_preferences.sql") },
    Migration { version: 6, sql: include_str!("schema/6_frozen.sql") },
    Migration { version: 7, sql: include_str!("schema/7_changes.sql") },
    Migration { version: 8, sql: include_str!("schema/8_media.sql") },
];

/// See the module.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    db: Db,
    generation: Generation,
}

impl SqliteStore {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// The file is in use, too new, or not to be opened.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let path = options.path.clone();
        let db = Db::open(options, MIGRATIONS)?;
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let bytes = connection.query_row("SELECT generation FROM store", [], |row| row.get(0))?;
        Ok(Self { db, generation: Generation(uuid::Uuid::from_bytes(bytes)) })
    }

    fn writing<T: Send + 'static>(
        &self,
        done: Done<T>,
        job: impl FnOnce(&mut Tx<'_>) -> Result<T, JobError<Conflict>> + Send + 'static,
    ) {
        // Both the engine's `done` and a refusal to queue need the caller's.
        let done = Arc::new(Mutex::new(Some(done)));
        let answer = {
            let done = Arc::clone(&done);
            move |result: Result<T, WriteError<Conflict>>| tell(&done, result.map_err(append_error))
        };
        if let Err(error) = self.db.submit(job, answer) {
            tell(&done, Err(append_error(error.into())));
        }
    }

    async fn reading<T: Send + 'static>(
        &self,
        job: impl FnOnce(&ReadTx<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.db.read(job).await.map_err(|error| {
            tracing::error!(%error, "read failed");
            ReadError
        })
    }
}

/// Gives a restored file a new generation, so that clients which know what the backup did not hold start afresh. The
/// file must not be open elsewhere.
///
/// # Errors
/// The file is not a store of this service.
pub fn new_generation(path: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let generation = uuid::Uuid::new_v4().into_bytes();
    match connection.execute("UPDATE store SET generation = ?1", [generation])? {
        1 => Ok(()),
        _ => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

/// Why a batch job did nothing.
#[derive(Debug)]
struct Conflict;

fn append_error(error: WriteError<Conflict>) -> AppendError {
    match error {
        WriteError::Domain(Conflict) => AppendError::Conflict,
        WriteError::StorageFull => AppendError::Full,
        WriteError::Busy => AppendError::Busy,
        WriteError::Stopped => AppendError::Unavailable,
        WriteError::Sqlite(error) => {
            tracing::error!(%error, "write refused");
            AppendError::Unavailable
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn generation(&self) -> Generation {
        self.generation
    }

    fn append(&self, batch: Arc<Batch>, done: Done<Stored>) {
        self.writing(done, move |tx| {
            if batch.entries.iter().any(|new| new.entry.content == Content::Delete) {
                tx.erase();
            }
            write::append(tx, &batch)?.ok_or(JobError::Domain(Conflict))
        });
    }

    async fn load(&self, conversation: ConversationId, after: Seq) -> Result<Option<Snapshot>, ReadError> {
        self.reading(move |tx| read::load(tx, conversation, after)).await
    }

    async fn targets(
        &self,
        conversation: ConversationId,
        wanted: Vec<(UserId, Seq)>,
    ) -> Result<Vec<Option<Target>>, ReadError> {
        self.reading(move |tx| {
            wanted.iter().map(|(user, seq)| changes::target(tx, conversation, *user, *seq)).collect()
        })
        .await
    }

    async fn first(&self, conversation: ConversationId) -> Result<Option<OpRow>, ReadError> {
        self.reading(move |tx| Ok(read::ops(tx, conversation, Seq(0), Seq::FIRST)?.pop())).await
    }

    async fn changed(&self, user: UserId, since: Commit) -> Result<(Commit, Vec<Changed>), ReadError> {
        self.reading(move |tx| Ok((Commit(tx.commit_number()), rows::changed(tx, user, since)?))).await
    }

    async fn rows(&self, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Row>, ReadError> {
        self.reading(move |tx| {
            conversations.iter().filter_map(|id| rows::row(tx, user, *id).transpose()).collect()
        })
        .await
    }

    async fn read(
        &self,
        user: UserId,
        conversation: ConversationId,
        slice: Slice,
    ) -> Result<Option<Page>, ReadError> {
        self.reading(move |tx| read::page(tx, user, conversation, slice)).await
    }

    async fn audience(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Vec<UserId>>, ReadError> {
        self.reading(move |tx| audience::audience(tx, user, conversation)).await
    }

    async fn seq_at(&self, conversation: ConversationId, time: SystemTime) -> Result<Seq, ReadError> {
        self.reading(move |tx| read::seq_at(tx, conversation, time)).await
    }

    async fn memberships(&self, users: Vec<UserId>) -> Result<Vec<usize>, ReadError> {
        self.reading(move |tx| users.iter().map(|user| rows::memberships(tx, *user)).collect()).await
    }
}

fn tell<T>(done: &Mutex<Option<Done<T>>>, result: Result<T, AppendError>) {
    let done = done.lock().ok().and_then(|mut done| done.take());
    if let Some(done) = done {
        done(result);
    }
}

/// A query for at most one row.
fn one<T, P: rusqlite::Params>(
    tx: &Connection,
    sql: &str,
    params: P,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    tx.prepare_cached(sql)?.query_row(params, read).optional()
}
