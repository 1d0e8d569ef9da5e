//! What a job sees of the store: a connection inside a transaction, and the number of a commit.

use std::ops::Deref;

use rusqlite::Connection;

/// The engine's one table: one row with the number of the last commit.
pub(crate) const COMMIT_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS embedded_commit (
        one    INTEGER PRIMARY KEY CHECK (one = 1),
        number INTEGER NOT NULL
    ) STRICT;
    INSERT OR IGNORE INTO embedded_commit (one, number) VALUES (1, 0);";

/// The transaction of a group commit, as one job of it sees it. Derefs to the connection.
#[derive(Debug)]
pub struct Tx<'a> {
    connection: &'a Connection,
    number: u64,
    erases: bool,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a Connection, number: u64) -> Self {
        Self { connection, number, erases: false }
    }

    /// What this job overwrites is not to outlive it in the log beside the file either: soon after the commit the log is
    /// moved into the file and cut off.
    pub fn erase(&mut self) {
        self.erases = true;
    }

    pub(crate) fn erases(&self) -> bool {
        self.erases
    }

    /// The connection, for `prepare_cached` and the like.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        self.connection
    }

    /// The number this group's commit will have.
    #[must_use]
    pub fn commit_number(&self) -> u64 {
        self.number
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// One snapshot of the store. Derefs to a connection that refuses writes.
#[derive(Debug)]
pub struct ReadTx<'a> {
    connection: &'a Connection,
    number: u64,
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(connection: &'a Connection, number: u64) -> Self {
        Self { connection, number }
    }

    /// The connection, for `prepare_cached` and the like.
    #[must_use]
    pub fn conn(&self) -> &Connection {
        self.connection
    }

    /// The last commit this snapshot contains: all up to it, and nothing later.
    #[must_use]
    pub fn commit_number(&self) -> u64 {
        self.number
    }
}

impl Deref for ReadTx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// The commit number in the current transaction's view; reading it is also what fixes a snapshot.
pub(crate) fn stored_commit_number(connection: &Connection) -> rusqlite::Result<u64> {
    let number: i64 =
        connection.prepare_cached("SELECT number FROM embedded_commit")?.query_row([], |row| row.get(0))?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

/// Records `number` as that of the transaction about to commit.
pub(crate) fn store_commit_number(connection: &Connection, number: u64) -> rusqlite::Result<()> {
    let number = i64::try_from(number).expect("2^63 commits take longer than the disk lasts");
    connection.prepare_cached("UPDATE embedded_commit SET number = ?1")?.execute([number]).map(drop)
}
