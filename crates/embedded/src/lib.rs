//! The embedded store engine: one SQLite file, one writer thread, group commit.
//!
//! It guarantees:
//! - a write is answered only after the commit that holds it is on disk (G1), in commit order;
//! - a job that fails undoes its own changes and nobody else's;
//! - commits are numbered 1, 2, 3, … without a gap, and every snapshot knows the number it ends at;
//! - one process per file; memory bounded by the queue (G8);
//! - after a write or fsync that failed nothing is carried on: the process ends;
//! - a damaged file is not opened, if it is small, and never copied.
//!
//! It knows no tables but its own `embedded_commit`; what is stored, and the SQL for it, is the caller's.

mod backup;
mod checkpoint;
mod error;
mod files;
mod job;
mod migrate;
mod open;
mod options;
mod reader;
mod tx;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::oneshot;

pub use rusqlite;

pub use backup::Backup;
pub use error::{BackupError, JobError, OpenError, ReadError, StoreError, SubmitError, WriteError};
pub use files::{CheckError, backup_file, check_file, closed};
pub use migrate::Migration;
pub use options::{OnFatal, Options};
pub use tx::{ReadTx, Tx};

use job::Pending;
use reader::Readers;
use writer::Writer;

/// An open store. Clones share it; dropping the last one finishes what is queued, moves the log into the file
/// and ends the threads (so that drop may block for as long as the queue takes).
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

/// Field order is drop order: the readers end before the writer's last checkpoint, which wants the file alone.
struct Inner {
    readers: Readers,
    writer: Writer,
    state: Arc<State>,
    path: PathBuf,
}

/// What the threads that write tell everybody else.
struct State {
    committed: AtomicU64,
    stopped: AtomicBool,
    on_fatal: OnFatal,
}

impl State {
    /// The store must not go on.
    fn stop(&self, reason: &str) {
        self.stopped.store(true, Ordering::Release);
        tracing::error!(%reason, "the store must not go on");
        (self.on_fatal)(reason);
    }
}

impl Db {
    /// Opens or creates the file, applies the migrations it lacks and starts the threads.
    ///
    /// # Errors
    /// The file is in use by another process, newer than `migrations`, or cannot be opened as wanted; or it is damaged, which
    /// is looked for up to [`Options::checked_bytes`].
    pub fn open(options: Options, migrations: &[Migration]) -> Result<Self, OpenError> {
        let lock = open::lock(&options.path)?;
        let mut connection = open::writer(&options)?;
        open::check(&connection, &options)?;
        migrate::apply(&mut connection, migrations)?;
        open::sync_folder(&options.path)?;
        let state = Arc::new(State {
            committed: AtomicU64::new(tx::stored_commit_number(&connection)?),
            stopped: AtomicBool::new(false),
            on_fatal: Arc::clone(&options.on_fatal),
        });
        let path = options.path.clone();
        let readers = Readers::start(&options)?;
        let writer = Writer::start(connection, lock, options, Arc::clone(&state))?;
        Ok(Self { inner: Arc::new(Inner { readers, writer, state, path }) })
    }

    /// Runs `job` on the writer thread, in a savepoint of the group's transaction, and returns its value once the
    /// group is on disk. If the future is dropped, the job still runs.
    ///
    /// A job hands on SQLite's errors (`?` does) instead of hiding them, does not begin or end transactions, and
    /// does not panic: a panic here is taken for a broken store and ends the process.
    ///
    /// # Errors
    /// The job's own error, or why it could not be done. After any error but `Stopped` its changes are not there.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, WriteError<E>>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, JobError<E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let done = move |result| drop(answer.send(result));
        self.submit(job, done)?;
        answered.await.unwrap_or(Err(WriteError::Stopped))
    }

    /// As [`Db::write`], for callers that are not async: `done` is called exactly once, on the writer thread, after
    /// the commit, in the order of the jobs. The next group waits for it, so it must be quick; it must not panic.
    ///
    /// # Errors
    /// The queue is full or the store has stopped; `done` is then not called.
    pub fn submit<T, E, F, D>(&self, job: F, done: D) -> Result<(), SubmitError>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, JobError<E>> + Send + 'static,
        D: FnOnce(Result<T, WriteError<E>>) + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.inner.writer.submit(Pending::new(job, done))
    }

    /// Runs `job` on a reader thread over one snapshot, which holds every write answered before this call.
    /// If the future is dropped before the job has begun, the job is skipped.
    ///
    /// # Errors
    /// The queue is full, the store has stopped, or SQLite reports an error.
    pub async fn read<T, F>(&self, job: F) -> Result<T, ReadError>
    where
        F: FnOnce(&ReadTx<'_>) -> rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        if self.inner.state.stopped.load(Ordering::Acquire) {
            return Err(ReadError::Stopped);
        }
        let (answer, answered) = oneshot::channel();
        self.inner.readers.submit(job, answer)?;
        answered.await.unwrap_or(Err(ReadError::Stopped))
    }

    /// Number of the last commit that is on disk and visible to readers; 0 before the first.
    #[must_use]
    pub fn commit_number(&self) -> u64 {
        self.inner.state.committed.load(Ordering::Acquire)
    }

    /// Writes a complete copy of one snapshot to `path`, which must not exist, while reads and writes go on.
    /// When it returns, the copy and its folder entry are on disk; a copy cut short never has the name `path`.
    ///
    /// # Errors
    /// The path exists, or the copy cannot be made.
    pub async fn backup_to(&self, path: &Path) -> Result<Backup, BackupError> {
        if self.inner.state.stopped.load(Ordering::Acquire) {
            return Err(BackupError::Stopped);
        }
        backup::run(&self.inner.path, path).await
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("path", &self.inner.path).field("commit", &self.commit_number()).finish()
    }
}
