//! A store of one key-value table in a folder of its own, and what the tests do with it.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use parlor_embedded::rusqlite::{self, OptionalExtension, params};
use parlor_embedded::{Db, JobError, Migration, Options, ReadTx, Tx, WriteError};
use tempfile::TempDir;

pub const SCHEMA: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE kv (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
          CREATE TABLE blob (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;",
}];

/// What a job of these tests refuses with.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused;

pub type Write<T> = Result<T, WriteError<Refused>>;
pub type Job<T> = Result<T, JobError<Refused>>;

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("store.db")
}

pub fn open(path: &Path) -> Db {
    Db::open(Options::new(path), SCHEMA).expect("the store opens")
}

/// Options whose fatal hook keeps the reasons instead of ending the process.
pub fn surviving(path: &Path) -> (Options, Arc<Mutex<Vec<String>>>) {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let mut options = Options::new(path);
    let kept = Arc::clone(&reasons);
    options.on_fatal =
        Arc::new(move |reason| kept.lock().expect("no test panics with it").push(reason.to_owned()));
    (options, reasons)
}

pub fn put(tx: &Tx<'_>, key: &str, value: i64) -> Job<()> {
    let sql = "INSERT INTO kv (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
    tx.prepare_cached(sql)?.execute(params![key, value])?;
    Ok(())
}

pub fn get(connection: &rusqlite::Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT value FROM kv WHERE key = ?1", [key], |row| row.get(0)).optional()
}

pub fn count(snapshot: &ReadTx<'_>) -> rusqlite::Result<i64> {
    snapshot.query_row("SELECT count(*) FROM kv", [], |row| row.get(0))
}

/// Keeps the writer inside a job until it is let go, so that what is submitted meanwhile queues up behind it.
pub struct Gate {
    pub entered: tokio::sync::oneshot::Receiver<()>,
    pub open: std::sync::mpsc::SyncSender<()>,
}

pub fn gate(db: &Db) -> Gate {
    let (entered_tx, entered) = tokio::sync::oneshot::channel();
    let (open, wait) = std::sync::mpsc::sync_channel::<()>(1);
    db.submit(
        move |_| -> Job<()> {
            entered_tx.send(()).expect("the test waits for the writer");
            // Also let go when the test ends without opening it.
            wait.recv().ok();
            Ok(())
        },
        drop,
    )
    .expect("room in an empty queue");
    Gate { entered, open }
}
