//! What group commit promises: answers after the commit and in its order, neighbours kept apart, numbers without
//! a gap, a bounded queue.

mod support;

use std::sync::{Arc, Mutex};

use parlor_embedded::{Db, JobError, Options, SubmitError, WriteError};
use support::{Job, Refused, SCHEMA, Write, count, file, folder, gate, get, open, put};
use tokio::sync::mpsc;

#[tokio::test]
async fn g1_answers_come_after_the_commit_and_in_its_order() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    let held = gate(&db);
    held.entered.await.unwrap();
    let (answers, mut answered) = mpsc::channel(64);
    for n in 0..20_i64 {
        let (answers, path) = (answers.clone(), path.clone());
        db.submit(
            move |tx| put(tx, &format!("k{n}"), n),
            move |result: Write<()>| {
                result.unwrap();
                // A connection of its own sees committed rows only: the whole group must be there already.
                let other = parlor_embedded::rusqlite::Connection::open(path).unwrap();
                let seen: i64 = other.query_row("SELECT count(*) FROM kv", [], |row| row.get(0)).unwrap();
                answers.try_send((n, seen)).unwrap();
            },
        )
        .unwrap();
    }
    held.open.send(()).unwrap();
    for n in 0..20 {
        assert_eq!(
            answered.recv().await.unwrap(),
            (n, 20),
            "G1: answer {n} before its commit, or out of order"
        );
    }
    // The gate's group, then all 20 in one.
    assert_eq!(db.commit_number(), 2);
}

#[tokio::test]
async fn a_failing_job_leaves_its_neighbours_alone() {
    let folder = folder();
    let db = open(&file(&folder));
    let held = gate(&db);
    held.entered.await.unwrap();
    let results = Arc::new(Mutex::new(Vec::new()));
    for n in 0..9_i64 {
        let results = Arc::clone(&results);
        let job = move |tx: &mut parlor_embedded::Tx<'_>| -> Job<()> {
            put(tx, &format!("k{n}"), n)?;
            match n % 3 {
                0 => Ok(()),
                1 => Err(JobError::Domain(Refused)),
                _ => Ok(tx.execute_batch("INSERT INTO kv (key, value) VALUES ('k0', 1)")?),
            }
        };
        db.submit(job, move |result: Write<()>| results.lock().unwrap().push(result)).unwrap();
    }
    held.open.send(()).unwrap();
    db.write(|_| Job::Ok(())).await.unwrap();
    for (n, result) in results.lock().unwrap().iter().enumerate() {
        match n % 3 {
            0 => assert!(result.is_ok(), "{n}: {result:?}"),
            1 => assert!(matches!(result, Err(WriteError::Domain(Refused))), "{n}: {result:?}"),
            _ => assert!(matches!(result, Err(WriteError::Sqlite(_))), "{n}: {result:?}"),
        }
    }
    let kept = db.read(|snapshot| (0..9).map(|n| get(snapshot, &format!("k{n}"))).collect()).await;
    let kept: Vec<Option<i64>> = kept.unwrap();
    assert_eq!(kept, [Some(0), None, None, Some(3), None, None, Some(6), None, None]);
}

#[tokio::test]
async fn commit_numbers_have_no_gap_and_snapshots_know_theirs() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    assert_eq!(db.commit_number(), 0);
    for n in 1..=5_u64 {
        let number = db.write(|tx| Job::Ok(tx.commit_number())).await.unwrap();
        assert_eq!((number, db.commit_number()), (n, n));
        let refused: Write<()> = db.write(|_| Err(JobError::Domain(Refused))).await;
        assert!(refused.is_err());
        assert_eq!(db.commit_number(), n, "a group that changed nothing uses no number");
        assert_eq!(db.read(|snapshot| Ok(snapshot.commit_number())).await.unwrap(), n);
    }
    drop(db);
    assert_eq!(open(&path).commit_number(), 5, "the number is kept in the file");
}

#[tokio::test]
async fn a_snapshot_holds_exactly_the_commits_up_to_its_number() {
    let folder = folder();
    let db = open(&file(&folder));
    let writer = tokio::spawn({
        let db = db.clone();
        async move {
            for _ in 0..200 {
                let job = |tx: &mut parlor_embedded::Tx<'_>| {
                    let number = i64::try_from(tx.commit_number()).unwrap();
                    put(tx, &format!("k{number}"), number)
                };
                db.write(job).await.unwrap();
            }
        }
    });
    while !writer.is_finished() {
        let seen = db
            .read(|snapshot| {
                let rows = count(snapshot)?;
                let highest: Option<i64> =
                    snapshot.query_row("SELECT max(value) FROM kv", [], |r| r.get(0))?;
                Ok((snapshot.commit_number(), rows, highest.unwrap_or(0)))
            })
            .await
            .unwrap();
        let number = i64::try_from(seen.0).unwrap();
        assert_eq!((seen.1, seen.2), (number, number));
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(db.commit_number(), 200);
}

#[tokio::test]
async fn g8_a_full_queue_answers_busy_and_does_not_call_back() {
    let folder = folder();
    let mut options = Options::new(file(&folder));
    options.queue = 3;
    let db = Db::open(options, SCHEMA).unwrap();
    let held = gate(&db);
    held.entered.await.unwrap();
    let called = Arc::new(Mutex::new(Vec::new()));
    let submit = |n: i64| {
        let called = Arc::clone(&called);
        db.submit(move |tx| put(tx, "k", n), move |_: Write<()>| called.lock().unwrap().push(n))
    };
    for n in 0..3 {
        submit(n).unwrap();
    }
    assert_eq!(submit(3), Err(SubmitError::Busy));
    let written: Write<()> = db.write(|_| Ok(())).await;
    assert!(matches!(written, Err(WriteError::Busy)), "{written:?}");
    held.open.send(()).unwrap();
    // Room again once the writer has taken the queue.
    while submit(4) == Err(SubmitError::Busy) {
        tokio::task::yield_now().await;
    }
    drop(db);
    assert_eq!(*called.lock().unwrap(), [0, 1, 2, 4]);
}

#[tokio::test]
async fn dropping_the_last_handle_finishes_the_queue() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    let held = gate(&db);
    held.entered.await.unwrap();
    let (answers, answered) = std::sync::mpsc::sync_channel(64);
    for n in 0..10_i64 {
        let answers = answers.clone();
        db.submit(
            move |tx| put(tx, &format!("k{n}"), n),
            move |r: Write<()>| answers.send(r.is_ok()).unwrap(),
        )
        .unwrap();
    }
    held.open.send(()).unwrap();
    drop(db);
    drop(answers);
    assert_eq!(answered.iter().filter(|ok| *ok).count(), 10);
    let log = path.with_file_name("store.db-wal");
    assert!(!log.exists(), "the log is moved into the file and removed");
    assert_eq!(open(&path).read(count).await.unwrap(), 10);
}

#[tokio::test]
async fn the_last_handle_may_be_dropped_on_the_writer_thread() {
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    let (answer, answered) = tokio::sync::oneshot::channel();
    let last = db.clone();
    let held = gate(&db);
    held.entered.await.unwrap();
    db.submit(
        |tx| put(tx, "k", 1),
        move |result: Write<()>| {
            drop(last);
            answer.send(result.is_ok()).unwrap();
        },
    )
    .unwrap();
    drop(db);
    held.open.send(()).unwrap();
    assert!(answered.await.unwrap());
}
