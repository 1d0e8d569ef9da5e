//! Concurrent writers against a plain map: what was answered is what is stored, now and after opening again.

mod support;

use std::collections::HashMap;

use parlor_embedded::{Db, JobError, Options, WriteError};
use proptest::prelude::*;
use support::{Job, Refused, SCHEMA, file, folder, open, put};

#[derive(Clone, Debug)]
enum Op {
    Put(u8, i64),
    Delete(u8),
    /// Changes the key, then refuses.
    Refuse(u8),
    /// Changes the key, then runs into a constraint.
    Clash(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..6_u8, any::<i64>()).prop_map(|(key, value)| Op::Put(key, value)),
        2 => (0..6_u8).prop_map(Op::Delete),
        1 => (0..6_u8).prop_map(Op::Refuse),
        1 => (0..6_u8).prop_map(Op::Clash),
    ]
}

/// Applies `op` to the store, and to the model if the store says it was done.
async fn apply(db: &Db, writer: usize, op: Op, model: &mut HashMap<String, i64>) {
    let name = |key: u8| format!("{writer}/{key}");
    match op {
        Op::Put(key, value) => {
            let key = name(key);
            model.insert(key.clone(), value);
            db.write(move |tx| put(tx, &key, value)).await.expect("a put is stored");
        }
        Op::Delete(key) => {
            let key = name(key);
            let was = model.remove(&key).is_some();
            let job = move |tx: &mut parlor_embedded::Tx<'_>| {
                Job::Ok(tx.execute("DELETE FROM kv WHERE key = ?1", [&key])? == 1)
            };
            assert_eq!(db.write(job).await.expect("a delete is stored"), was);
        }
        Op::Refuse(key) => {
            let key = name(key);
            let result = db
                .write(move |tx| {
                    put(tx, &key, -1)?;
                    Job::<()>::Err(JobError::Domain(Refused))
                })
                .await;
            assert!(matches!(result, Err(WriteError::Domain(Refused))), "{result:?}");
        }
        Op::Clash(key) => {
            let key = name(key);
            let result = db
                .write(move |tx| {
                    put(tx, &key, -1)?;
                    Job::Ok(tx.execute("INSERT INTO kv (key, value) VALUES (?1, 0)", [&key])?)
                })
                .await;
            assert!(matches!(result, Err(WriteError::Sqlite(_))), "{result:?}");
        }
    }
}

async fn stored(db: &Db) -> HashMap<String, i64> {
    db.read(|snapshot| {
        let mut statement = snapshot.prepare("SELECT key, value FROM kv")?;
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    })
    .await
    .expect("reads go on")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn concurrent_writers_match_the_model(
        scripts in prop::collection::vec(prop::collection::vec(op(), 0..30), 1..6),
        batch in 1..8_usize,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let folder = folder();
            let path = file(&folder);
            let mut options = Options::new(&path);
            options.batch = batch;
            let db = Db::open(options, SCHEMA).unwrap();
            let writers: Vec<_> = (0..).zip(scripts).map(|(writer, script)| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut model = HashMap::new();
                    for op in script {
                        apply(&db, writer, op, &mut model).await;
                    }
                    model
                })
            }).collect();
            let mut model = HashMap::new();
            for writer in writers {
                model.extend(writer.await.unwrap());
            }
            assert_eq!(stored(&db).await, model);
            drop(db);
            assert_eq!(stored(&open(&path)).await, model);
        });
    }
}

#[tokio::test]
async fn g8_the_log_does_not_grow_for_ever() {
    const ROUNDS: usize = 100;
    const BODY: usize = 1 << 20;
    let folder = folder();
    let path = file(&folder);
    let db = open(&path);
    for _ in 0..ROUNDS {
        let job = |tx: &mut parlor_embedded::Tx<'_>| {
            Job::Ok(tx.execute("INSERT INTO blob (body) VALUES (?1)", [vec![1_u8; BODY]])?)
        };
        db.write(job).await.unwrap();
    }
    let log = path.with_file_name("store.db-wal").metadata().unwrap().len();
    assert!(log < 68 * BODY as u64, "{ROUNDS} MiB written, {log} bytes still in the log");
}
