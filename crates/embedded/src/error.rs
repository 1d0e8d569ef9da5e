//! One error per call, and how SQLite's codes are read.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has the file open.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The SQLite file.
        path: PathBuf,
    },
    /// The file, its lock or its folder cannot be used.
    #[error("cannot open {}: {source}", path.display())]
    Io {
        /// What was opened.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is not as SQLite has written it.
    #[error("{} is damaged: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's own words for the first fault.
        fault: String,
    },
    /// A setting the guarantees rest on did not take.
    #[error("pragma {name} is {found}, wanted {wanted}")]
    Pragma {
        /// Name of the pragma.
        name: &'static str,
        /// What was asked for.
        wanted: String,
        /// What SQLite says.
        found: String,
    },
    /// The file was written by a newer release.
    #[error("the file has schema version {found}, this release knows up to {known}")]
    TooNew {
        /// Version of the file.
        found: u32,
        /// Newest version known.
        known: u32,
    },
    /// The list of migrations does not count 1, 2, 3, ….
    #[error("migration {found} stands where {expected} belongs")]
    MigrationOrder {
        /// Version that stands there.
        found: u32,
        /// Version that belongs there.
        expected: u32,
    },
    /// A migration failed; the file is as the one before left it.
    #[error("migration {version}: {source}")]
    Migration {
        /// Version of the migration.
        version: u32,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
}

/// What a write job may answer.
#[derive(Debug, Error)]
pub enum JobError<E> {
    /// The job's own refusal.
    #[error("{0}")]
    Domain(E),
    /// An error of SQLite; `?` makes it.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Why a write has not been done. None of its changes are there, but for `Stopped`, where that is not known.
#[derive(Debug, Error)]
pub enum WriteError<E> {
    /// The job's own refusal.
    #[error("{0}")]
    Domain(E),
    /// SQLite refused a statement of the job.
    #[error("SQLite: {0}")]
    Sqlite(rusqlite::Error),
    /// No room, on the disk or under `max_bytes`. Reads go on, and writes do once there is room.
    #[error("no room left for the store")]
    StorageFull,
    /// The queue is full, or a foreign process locks the file; may be tried again.
    #[error("the store has more writes waiting than it takes")]
    Busy,
    /// The store has stopped; the write may or may not be in the file.
    #[error("the store has stopped")]
    Stopped,
}

/// Why a write was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// The queue is full.
    #[error("the store has more writes waiting than it takes")]
    Busy,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

impl<E> From<SubmitError> for WriteError<E> {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Busy => Self::Busy,
            SubmitError::Stopped => Self::Stopped,
        }
    }
}

/// Why a read has no answer.
#[derive(Debug, Error)]
pub enum ReadError {
    /// SQLite refused a statement of the job.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The queue is full.
    #[error("the store has more reads waiting than it takes")]
    Busy,
    /// The job panicked; the store goes on.
    #[error("a read job panicked: {0}")]
    Panicked(String),
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Why a store does not answer, where it is no matter whether it was to read or to write. Nothing was changed, but for
/// `Stopped`: whether a write is in the file shows when it is opened again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// No room for a write; reads go on.
    #[error("the store has no room")]
    Full,
    /// More work than the store queues; may be tried again.
    #[error("the store is busy")]
    Busy,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
    /// A fault, with what is known of it.
    #[error("the store failed: {0}")]
    Broken(String),
}

impl<E> WriteError<E> {
    /// The job's own refusal.
    ///
    /// # Errors
    /// It did not refuse; this is wrong with the store.
    pub fn refusal(self) -> Result<E, StoreError> {
        match self {
            Self::Domain(refusal) => Ok(refusal),
            Self::Sqlite(error) => Err(StoreError::Broken(error.to_string())),
            Self::StorageFull => Err(StoreError::Full),
            Self::Busy => Err(StoreError::Busy),
            Self::Stopped => Err(StoreError::Stopped),
        }
    }
}

impl From<WriteError<Infallible>> for StoreError {
    fn from(error: WriteError<Infallible>) -> Self {
        let Err(error) = error.refusal();
        error
    }
}

impl From<SubmitError> for StoreError {
    fn from(error: SubmitError) -> Self {
        WriteError::<Infallible>::from(error).into()
    }
}

impl From<ReadError> for StoreError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Busy => Self::Busy,
            ReadError::Stopped => Self::Stopped,
            ReadError::Sqlite(_) | ReadError::Panicked(_) => Self::Broken(error.to_string()),
        }
    }
}

/// Why there is no backup.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something has that name already; backups never overwrite.
    #[error("{} exists", path.display())]
    Exists {
        /// The path asked for.
        path: PathBuf,
    },
    /// The copy or its folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// What was written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// SQLite could not read the store or write the copy.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What is to be copied is not as SQLite has written it; there is no copy.
    #[error("{} is damaged: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's own words for the first fault.
        fault: String,
    },
    /// The copy came out unfinished, as another process locked one of the files.
    #[error("the copy was interrupted by a lock")]
    Locked,
    /// The store has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// Out of room: worth telling the caller, no danger to what is stored.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Somebody else holds a lock.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Errors after which the file, or what the process believes of it, cannot be trusted.
pub(crate) fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::InternalMalfunction
        )
    )
}
