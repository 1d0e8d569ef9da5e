//! Out of room: writes are refused and leave nothing behind, reads go on, and room made is used again.

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use parlor_embedded::{Db, Options, Tx, WriteError};
use support::{Job, SCHEMA, Write, count, file, folder, gate, put};

const BLOB: usize = 20_000;

fn open_small(path: &Path, max_bytes: u64) -> Db {
    let mut options = Options::new(path);
    options.max_bytes = Some(max_bytes);
    Db::open(options, SCHEMA).expect("the store opens")
}

fn put_blob(tx: &Tx<'_>) -> Job<()> {
    tx.execute("INSERT INTO blob (body) VALUES (?1)", [vec![7_u8; BLOB]])?;
    Ok(())
}

async fn fill(db: &Db) -> i64 {
    for stored in 0..1000 {
        match db.write(|tx| put_blob(tx)).await {
            Ok(()) => {}
            Err(WriteError::StorageFull) => return stored,
            other => panic!("{other:?}"),
        }
    }
    panic!("max_bytes has no effect");
}

#[tokio::test]
async fn a_full_store_refuses_writes_serves_reads_and_recovers_by_deleting() {
    let folder = folder();
    let db = open_small(&file(&folder), 300_000);
    let stored = fill(&db).await;
    assert!((5..15).contains(&stored), "{stored} blobs of {BLOB} bytes in 300 kB");
    let number = db.commit_number();
    let blobs = db.read(|s| s.query_row("SELECT count(*) FROM blob", [], |row| row.get::<_, i64>(0))).await;
    assert_eq!(blobs.unwrap(), stored);
    assert!(matches!(db.write(|tx| put_blob(tx)).await, Err(WriteError::StorageFull)));
    assert_eq!(db.commit_number(), number, "a refused write uses no number");
    let delete = |tx: &mut Tx<'_>| Job::Ok(tx.execute("DELETE FROM blob WHERE id <= 2", [])?);
    assert_eq!(db.write(delete).await.unwrap(), 2);
    db.write(|tx| put_blob(tx)).await.unwrap();
    assert_eq!(db.commit_number(), number + 2);
}

#[tokio::test]
async fn a_full_store_recovers_by_raising_the_limit() {
    let folder = folder();
    let path = file(&folder);
    let db = open_small(&path, 300_000);
    fill(&db).await;
    drop(db);
    let db = open_small(&path, 100_000);
    assert!(matches!(db.write(|tx| put_blob(tx)).await, Err(WriteError::StorageFull)));
    drop(db);
    open_small(&path, 400_000).write(|tx| put_blob(tx)).await.unwrap();
}

/// SQLite gives up the whole transaction here: those before the large job share its fate, those after do not.
#[tokio::test]
async fn no_job_of_a_lost_group_is_answered_ok() {
    let folder = folder();
    let db = open_small(&file(&folder), 300_000);
    let stored = fill(&db).await;
    let held = gate(&db);
    held.entered.await.unwrap();
    let answers = Arc::new(Mutex::new(Vec::new()));
    for n in 0..7_i64 {
        let answers = Arc::clone(&answers);
        let job = move |tx: &mut Tx<'_>| {
            if n == 3 {
                put_blob(tx)?;
            }
            put(tx, &format!("k{n}"), n)
        };
        db.submit(job, move |result: Write<()>| answers.lock().unwrap().push((n, result.is_ok()))).unwrap();
    }
    held.open.send(()).unwrap();
    db.write(|_| Job::Ok(())).await.unwrap();
    let answers = answers.lock().unwrap().clone();
    let wanted = [(0, false), (1, false), (2, false), (3, false), (4, true), (5, true), (6, true)];
    assert_eq!(answers, wanted);
    assert_eq!(db.read(count).await.unwrap(), 3, "G1: an answer and the store disagree");
    let blobs = db.read(|s| s.query_row("SELECT count(*) FROM blob", [], |row| row.get::<_, i64>(0))).await;
    assert_eq!(blobs.unwrap(), stored);
}
