//! What an account keeps on disk: one SQLite file.
//!
//! Every change is one transaction that is on disk when the call returns (WAL, `synchronous=FULL`). Two processes may
//! use the file at once: changes wait for each other, and what one saved the other reads. Calls block; whoever calls
//! from async code moves them to a blocking thread.

mod account;
mod carry_over;
mod changes;
mod chats;
mod claim;
mod files;
mod lease;
mod log;
mod marks;
mod mutation;
mod people;
mod preferences;
mod profiles;
mod search;
mod sql;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use account::{Account, RefreshAttempt, Tokens};
pub use chats::{Badge, Chat, Chats};
pub use claim::Claim;
pub use lease::Lease;
pub use log::StoredConversation;
pub use marks::{MemberReceipt, Receipts};

/// What brings a file from each version to the next, from an empty one on. `PRAGMA user_version` counts those done.
const SCHEMA: [&str; 6] = [
    include_str!("schema/1_account_and_log.sql"),
    include_str!("schema/2_marks_preferences_people.sql"),
    include_str!("schema/3_changes.sql"),
    include_str!("schema/4_files.sql"),
    include_str!("schema/5_lease.sql"),
    include_str!("schema/6_files_again.sql"),
];
/// How long to wait for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements that are kept: all there are.
const STATEMENTS: usize = 64;
/// The name of the file in a profile's folder.
const FILE: &str = "account.sqlite";

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or file cannot be used.
    #[error("cannot use {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error("the local store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file holds something this program did not write.
    #[error("the local store holds something unreadable: {0}")]
    Corrupt(&'static str),
    /// Somebody else began to write down what a stream says.
    #[error("another stream of this account has taken over its store")]
    TakenOver,
    /// The file was made by a later version.
    #[error("the local store has version {0}, this program reads up to {latest}", latest = SCHEMA.len())]
    Newer(u32),
}

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The file.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    /// None: it is in memory, and nobody else's.
    folder: Option<PathBuf>,
}

impl Store {
    /// Opens the store in `folder`; makes both if they are not there, readable by their owner alone.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be used or the file is not ours.
    pub fn open(folder: &Path) -> Result<Self> {
        let io = |source| StoreError::Io { path: folder.to_owned(), source };
        make_private_folder(folder).map_err(io)?;
        let path = folder.join(FILE);
        make_private_file(&path).map_err(io)?;
        Self::prepare(Connection::open(path)?, Some(folder.to_owned()))
    }

    /// A store that is gone when dropped, for tests.
    ///
    /// # Panics
    /// There is no memory for it.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::prepare(Connection::open_in_memory().expect("memory"), None).expect("an empty store")
    }

    /// The same content in another store that is gone when dropped, for tests of what a backup of a device brings back.
    ///
    /// # Panics
    /// There is no memory for it.
    #[must_use]
    pub fn copy(&self) -> Self {
        let mut target = Connection::open_in_memory().expect("memory");
        let source = self.lock();
        let backup = rusqlite::backup::Backup::new(&source, &mut target).expect("both are open");
        backup.run_to_completion(1_000, Duration::ZERO, None).expect("memory has room");
        drop(backup);
        Self { connection: Mutex::new(target), folder: None }
    }

    fn prepare(mut connection: Connection, folder: Option<PathBuf>) -> Result<Self> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        // What is deleted is overwritten.
        connection.pragma_update(None, "secure_delete", "on")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let missing = SCHEMA.get(version as usize..).ok_or(StoreError::Newer(version))?;
        missing.iter().try_for_each(|step| transaction.execute_batch(step))?;
        if version == 1 {
            carry_over::from_version_1(&transaction)?;
        }
        if version == 0 {
            transaction
                .execute("INSERT INTO sync (only_one, generation, cursor) VALUES (1, NULL, x'')", [])?;
            let device = parlor_types::DeviceId::new();
            let sql = "INSERT INTO account (only_one, device_id) VALUES (1, ?)";
            transaction.execute(sql, [parlor_types::Id::bytes(device)])?;
        }
        if !missing.is_empty() {
            transaction.pragma_update(None, "user_version", SCHEMA.len() as u32)?;
        }
        transaction.commit()?;
        Ok(Self { connection: Mutex::new(connection), folder })
    }

    /// A transaction is rolled back when dropped, so a panic while the lock was held left nothing half done.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `job` in a transaction that no other process can come between.
    fn write<T>(&self, job: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = job(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// Runs `job` on one state of the store.
    fn read<T>(&self, job: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        job(&transaction)
    }
}

#[cfg(unix)]
fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// SQLite gives the files beside this one its mode.
#[cfg(unix)]
fn make_private_file(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn make_private_folder(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn make_private_file(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path).map(drop)
}
