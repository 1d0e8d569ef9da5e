//! Opening: one process per file, schemas go forward only, settings are what the guarantees rest on.

mod support;

use parlor_embedded::rusqlite::{self, Connection, StatementStatus};
use parlor_embedded::{Db, Migration, OpenError, Options, Tx};
use support::{Job, SCHEMA, file, folder, get, open, put};

const UPGRADE: &[Migration] = &[
    SCHEMA[0],
    Migration { version: 2, sql: "ALTER TABLE kv ADD COLUMN note TEXT; UPDATE kv SET note = key;" },
    Migration { version: 3, sql: "CREATE INDEX kv_note ON kv (note);" },
];

#[tokio::test]
async fn a_second_open_is_refused_until_the_first_is_closed() {
    let folder = folder();
    let path = file(&folder);
    let first = open(&path);
    let second = Db::open(Options::new(&path), SCHEMA);
    assert!(matches!(&second, Err(OpenError::InUse { path: held }) if *held == path), "{second:?}");
    first.write(|tx| put(tx, "a", 1)).await.unwrap();
    drop(first);
    assert_eq!(open(&path).read(|s| get(s, "a")).await.unwrap(), Some(1));
}

#[tokio::test]
async fn an_older_file_is_brought_up_and_a_newer_one_refused() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    db.write(|tx| put(tx, "a", 1)).await.unwrap();
    drop(db);
    let db = Db::open(Options::new(&path), UPGRADE).unwrap();
    let note: String = db.read(|s| s.query_row("SELECT note FROM kv", [], |row| row.get(0))).await.unwrap();
    assert_eq!((note.as_str(), db.commit_number()), ("a", 1));
    drop(db);
    drop(Db::open(Options::new(&path), UPGRADE).unwrap());
    let older = Db::open(Options::new(&path), SCHEMA);
    assert!(matches!(older, Err(OpenError::TooNew { found: 3, known: 1 })), "{older:?}");
}

#[tokio::test]
async fn a_failed_migration_leaves_the_step_before() {
    const BROKEN: &[Migration] =
        &[SCHEMA[0], Migration { version: 2, sql: "CREATE TABLE half (n INTEGER); SELECT nonsense;" }];
    let folder = folder();
    let path = file(&folder);
    let failed = Db::open(Options::new(&path), BROKEN);
    assert!(matches!(failed, Err(OpenError::Migration { version: 2, .. })), "{failed:?}");
    let halves = "SELECT count(*) FROM sqlite_schema WHERE name = 'half'";
    let db = open(&path);
    assert_eq!(db.read(|s| s.query_row(halves, [], |row| row.get::<_, i64>(0))).await.unwrap(), 0);
}

#[test]
fn migrations_count_from_one() {
    let folder = folder();
    let gap = [SCHEMA[0], Migration { version: 3, sql: "" }];
    let opened = Db::open(Options::new(file(&folder)), &gap);
    assert!(matches!(opened, Err(OpenError::MigrationOrder { found: 3, expected: 2 })), "{opened:?}");
}

#[test]
fn a_missing_folder_and_a_foreign_file_are_refused() {
    let folder = folder();
    let missing = Db::open(Options::new(folder.path().join("no/store.db")), SCHEMA);
    assert!(matches!(missing, Err(OpenError::Io { .. })), "{missing:?}");
    std::fs::write(file(&folder), "not a database, but long enough to be looked at as one").unwrap();
    let foreign = Db::open(Options::new(file(&folder)), SCHEMA);
    assert!(matches!(foreign, Err(OpenError::Sqlite(_))), "{foreign:?}");
}

#[tokio::test]
async fn g1_the_writer_syncs_every_commit() {
    let folder = folder();
    let db = open(&file(&folder));
    let settings = db
        .write(|tx| {
            let text = |name: &str| tx.pragma_query_value(None, name, |row| row.get::<_, String>(0));
            let number = |name: &str| tx.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            Job::Ok((text("journal_mode")?, number("synchronous")?, number("foreign_keys")?))
        })
        .await
        .unwrap();
    assert_eq!(settings, ("wal".to_owned(), 2, 1), "G1: journal mode, synchronous, foreign keys");
}

#[tokio::test]
async fn a_statement_is_planned_once_whatever_is_bound_to_it() {
    let folder = folder();
    let db = open(&file(&folder));
    let planned_again = |connection: &Connection| {
        let mut statement = connection.prepare("SELECT key FROM kv WHERE value > ?1 LIMIT ?2")?;
        for limit in 0..3 {
            statement.query((limit, limit))?.next()?;
        }
        rusqlite::Result::Ok(statement.get_status(StatementStatus::RePrepare))
    };
    let writing = move |tx: &mut Tx<'_>| -> Job<i32> { Ok(planned_again(tx)?) };
    let on_the_writer = db.write(writing).await.unwrap();
    let on_a_reader = db.read(move |s| planned_again(s)).await.unwrap();
    assert_eq!((on_the_writer, on_a_reader), (0, 0));
}
