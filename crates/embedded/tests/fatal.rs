//! Fail-stop: what the store cannot carry on from ends it, and nobody is told of a success that may not be one.

mod support;

use std::io::{Seek, SeekFrom, Write as _};
use std::process::Command;
use std::sync::mpsc;

use parlor_embedded::{BackupError, Db, Migration, Options, ReadError, SubmitError, WriteError};
use support::{Job, SCHEMA, Write, count, file, folder, gate, get, open, put, surviving};

/// Set for the child of [`by_default_the_process_exits_with_code_70`] to the folder it works in.
const CHILD: &str = "PARLOR_TEST_FATAL_CHILD";

async fn assert_stopped(db: &Db) {
    let written: Write<()> = db.write(|_| Ok(())).await;
    assert!(matches!(written, Err(WriteError::Stopped)), "{written:?}");
    assert!(matches!(db.read(count).await, Err(ReadError::Stopped)));
    let backup = db.backup_to(std::path::Path::new("/nowhere")).await;
    assert!(matches!(backup, Err(BackupError::Stopped)), "{backup:?}");
}

#[tokio::test]
async fn a_panic_in_a_job_stops_the_store_and_undoes_its_group() {
    let folder = folder();
    let path = file(&folder);
    let (options, reasons) = surviving(&path);
    let db = Db::open(options, SCHEMA).unwrap();
    let held = gate(&db);
    held.entered.await.unwrap();
    let (answers, answered) = mpsc::sync_channel(64);
    let neighbour = answers.clone();
    db.submit(|tx| put(tx, "a", 1), move |r: Write<()>| neighbour.send(r).unwrap()).unwrap();
    db.submit(|_| panic!("a bug"), move |r: Write<()>| answers.send(r).unwrap()).unwrap();
    held.open.send(()).unwrap();
    for answer in answered {
        assert!(matches!(answer, Err(WriteError::Stopped)), "{answer:?}");
    }
    assert_eq!(*reasons.lock().unwrap(), ["a write job panicked: a bug"]);
    assert_stopped(&db).await;
    drop(db);
    assert_eq!(open(&path).read(|s| get(s, "a")).await.unwrap(), None);
}

#[tokio::test]
async fn a_panic_in_a_completion_stops_the_store_but_not_the_commit() {
    let folder = folder();
    let path = file(&folder);
    let (options, reasons) = surviving(&path);
    let db = Db::open(options, SCHEMA).unwrap();
    db.submit(|tx| put(tx, "a", 1), |_: Write<()>| panic!("a bug")).unwrap();
    while db.submit(|_| Job::Ok(()), drop) != Err(SubmitError::Stopped) {
        tokio::task::yield_now().await;
    }
    assert_eq!(*reasons.lock().unwrap(), ["a completion panicked: a bug"]);
    assert_stopped(&db).await;
    drop(db);
    assert_eq!(open(&path).read(|s| get(s, "a")).await.unwrap(), Some(1));
}

#[tokio::test]
async fn a_job_that_ends_the_transaction_stops_the_store() {
    let folder = folder();
    let (options, reasons) = surviving(&file(&folder));
    let db = Db::open(options, SCHEMA).unwrap();
    let written: Write<()> = db.write(|tx| Ok(tx.execute_batch("COMMIT")?)).await;
    assert!(matches!(written, Err(WriteError::Stopped)), "{written:?}");
    assert_eq!(*reasons.lock().unwrap(), ["a write job ended the transaction of its group"]);
    assert_stopped(&db).await;
}

#[tokio::test]
async fn a_damaged_page_stops_the_store() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    db.write(|tx| put(tx, "a", 1)).await.unwrap();
    let find_root = "SELECT rootpage FROM sqlite_schema WHERE name = 'kv'";
    let root: u64 = db.read(|s| s.query_row(find_root, [], |row| row.get::<_, u32>(0))).await.unwrap().into();
    let page_size: u64 = db
        .read(|s| s.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0)))
        .await
        .unwrap()
        .into();
    drop(db);
    let mut raw = std::fs::File::options().write(true).open(&path).unwrap();
    raw.seek(SeekFrom::Start((root - 1) * page_size)).unwrap();
    raw.write_all(&[0xaa; 512]).unwrap();
    drop(raw);

    let (options, reasons) = surviving(&path);
    // As if it were too large to be looked through before it is opened.
    let db = Db::open(Options { checked_bytes: 0, ..options }, SCHEMA).unwrap();
    let written = db.write(|tx| put(tx, "b", 2)).await;
    assert!(matches!(written, Err(WriteError::Stopped)), "{written:?}");
    assert_eq!(reasons.lock().unwrap().len(), 1);
    assert_stopped(&db).await;
}

#[test]
fn by_default_the_process_exits_with_code_70() {
    if let Some(folder) = std::env::var_os(CHILD) {
        child(std::path::Path::new(&folder));
    }
    let folder = folder();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "by_default_the_process_exits_with_code_70"])
        .env(CHILD, folder.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(70));
    assert!(!folder.path().join("told").exists(), "an answer was given before the process ended");
}

fn child(folder: &std::path::Path) -> ! {
    const NONE: &[Migration] = &[];
    let db = Db::open(parlor_embedded::Options::new(folder.join("store.db")), NONE).expect("the store opens");
    let told = folder.join("told");
    let done = move |_: Write<()>| drop(std::fs::File::create(told).expect("the folder is there"));
    db.submit(|_| panic!("a bug"), done).expect("room in an empty queue");
    loop {
        std::thread::park();
    }
}
