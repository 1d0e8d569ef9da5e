//! Store files that this process does not have open: another has them, or nobody.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _};
use thiserror::Error;

use crate::backup::{self, Backup};
use crate::error::{BackupError, OpenError};
use crate::open;

/// How often a lock is tried that cannot be waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// As [`Db::backup_to`](crate::Db::backup_to), of a file that another process may be writing to. It takes no lock
/// that the writer waits for.
///
/// # Errors
/// There is no store at `store`, `target` exists, or the copy cannot be made.
pub async fn backup_file(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    backup::run(store, target).await
}

/// Waits until nobody has the file open as a store. Dropping a [`Db`](crate::Db) is not yet that, as long as others
/// hold handles of it.
///
/// # Errors
/// The lock beside the file cannot be used.
pub async fn closed(store: &Path) -> Result<(), OpenError> {
    loop {
        match open::lock(store) {
            Ok(_) => return Ok(()),
            Err(OpenError::InUse { .. }) => tokio::time::sleep(LOOK_AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

/// Why a file is not to be trusted.
#[derive(Debug, Error)]
pub enum CheckError {
    /// SQLite found a fault: its own words for the first one.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The file could not be read as a database.
    #[error("cannot be checked: {0}")]
    Unreadable(#[from] OpenError),
}

/// Whether SQLite finds every page, index and reference of a file in order. Reads all of it.
///
/// # Errors
/// It does not, or cannot tell.
pub fn check_file(path: &Path) -> Result<(), CheckError> {
    let connection = open::reader(path)?;
    let found = first_fault(&connection).map_err(OpenError::Sqlite)?;
    found.map_or(Ok(()), |fault| Err(CheckError::Damaged(fault)))
}

/// SQLite's own words for the first fault it finds, if there is one. Reads everything.
pub(crate) fn first_fault(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Some(verdict));
    }
    let dangling = |row: &rusqlite::Row<'_>| {
        let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {from} refers to one that {to} does not have"))
    };
    connection.query_row("PRAGMA foreign_key_check", [], dangling).optional()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;

    fn made(path: &Path, sql: &str) {
        Connection::open(path).unwrap().execute_batch(sql).unwrap();
    }

    const ROWS: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b);
        WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
        INSERT INTO t SELECT i, hex(randomblob(50)) FROM n;";

    #[test]
    fn a_sound_file_passes_and_one_with_a_page_overwritten_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        made(&path, ROWS);
        check_file(&path).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(size / 2)).unwrap();
        file.write_all(&[0x5a; 4096]).unwrap();
        check_file(&path).unwrap_err();
    }

    /// A file with an index that lacks a row of its table: it was out of the schema when the row was written.
    fn with_a_row_missing_from_its_index(path: &Path) {
        made(path, crate::tx::COMMIT_TABLE);
        made(path, ROWS);
        made(
            path,
            "PRAGMA writable_schema = ON; CREATE TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'i';
             DELETE FROM sqlite_schema WHERE name = 'i';",
        );
        made(
            path,
            "INSERT INTO t (b) VALUES ('not in the index');
             PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept; DROP TABLE kept;",
        );
    }

    #[tokio::test]
    async fn g1_an_index_that_lacks_a_row_is_found_and_neither_opened_nor_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("store.db"), folder.path().join("copy.db"));
        with_a_row_missing_from_its_index(&path);
        let CheckError::Damaged(fault) = check_file(&path).unwrap_err() else { panic!("not damaged") };
        assert!(fault.ends_with("index i"), "{fault}");
        let copied = backup_file(&path, &copy).await;
        assert!(matches!(copied, Err(BackupError::Damaged { .. })), "{copied:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "there is no copy, nor half of one");

        let opened = |options| crate::Db::open(options, &[]);
        let refused = opened(crate::Options::new(&path));
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{refused:?}");
        let larger_than_checked = crate::Options { checked_bytes: 0, ..crate::Options::new(&path) };
        opened(larger_than_checked).unwrap();
    }

    #[test]
    fn what_is_no_database_or_not_there_does_not_pass() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        check_file(&path).unwrap_err();
        assert!(!path.exists(), "checking made a file");
        fs::write(&path, "no database at all, but long enough to be taken for a header").unwrap();
        check_file(&path).unwrap_err();
    }

    #[test]
    fn a_reference_to_nothing_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        made(
            &path,
            "PRAGMA foreign_keys = OFF; CREATE TABLE a (id INTEGER PRIMARY KEY);
             CREATE TABLE b (a INTEGER REFERENCES a (id)); INSERT INTO b VALUES (7);",
        );
        let CheckError::Damaged(fault) = check_file(&path).unwrap_err() else { panic!("not damaged") };
        assert_eq!(fault, "a row of b refers to one that a does not have");
    }

    #[tokio::test]
    async fn a_file_is_copied_while_another_connection_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (store, copy) = (folder.path().join("store.db"), folder.path().join("copy.db"));
        let db = crate::Db::open(
            crate::Options::new(&store),
            &[crate::Migration { version: 1, sql: "CREATE TABLE t (a INTEGER)" }],
        )
        .unwrap();
        let write = |value: i64| {
            db.write(move |tx| {
                tx.execute("INSERT INTO t VALUES (?1)", [value])?;
                Ok::<_, crate::JobError<std::convert::Infallible>>(())
            })
        };
        write(1).await.unwrap();
        let backup = backup_file(&store, &copy).await.unwrap();
        write(2).await.unwrap();
        assert_eq!(backup.commit_number, 1);
        check_file(&copy).unwrap();
        let rows: i64 = Connection::open(&copy)
            .unwrap()
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
        assert!(matches!(backup_file(&store, &copy).await, Err(BackupError::Exists { .. })));
    }

    #[tokio::test]
    async fn a_store_is_closed_with_its_last_handle() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store.db");
        let db = crate::Db::open(crate::Options::new(&store), &[]).unwrap();
        let other = db.clone();
        drop(db);
        let mut waiting = std::pin::pin!(closed(&store));
        let early = tokio::time::timeout(4 * LOOK_AGAIN, &mut waiting).await;
        assert!(early.is_err(), "a handle is left");
        drop(other);
        waiting.await.unwrap();
    }
}
