use std::sync::Arc;

use parlor_embedded::Options;
use tempfile::TempDir;

use super::*;
use crate::media::Stage;
use crate::store::conformance::{self, Fixture, at, begin, image};

fn open(folder: &TempDir, max_bytes: Option<u64>) -> SqliteStore {
    SqliteStore::open(Options { max_bytes, ..Options::new(folder.path().join("media.db")) }).unwrap()
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture { store: Arc::new(open(&folder, None)), _folder: Some(folder) }
}

conformance::suite!(fixture);

#[tokio::test]
async fn g1_what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, None);
    let record = store.begin(begin(1, 1, 10)).await.unwrap();
    assert!(store.finish(record.id, image(), at(50)).await.unwrap());
    let key = store.random(Random::LinkKey, [7; 32]).await.unwrap();
    let before = store.records(vec![record.id]).await.unwrap();
    drop(store);
    let store = open(&folder, None);
    assert_eq!(store.records(vec![record.id]).await.unwrap(), before, "G1");
    assert_eq!(store.random(Random::LinkKey, [8; 32]).await, Ok(key), "G1");
}

#[tokio::test]
async fn a_copy_that_is_disowned_is_another_store_with_the_same_links() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, None);
    let made = async |store: &SqliteStore, byte| {
        let made = [Random::LinkKey, Random::StoreId].map(|which| store.random(which, [byte; 32]));
        futures_util::future::join_all(made).await.into_iter().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(made(&store, 1).await, [[1; 32], [1; 32]]);
    drop(store);
    disown_copy(&folder.path().join("media.db")).unwrap();
    assert_eq!(made(&open(&folder, None), 2).await, [[1; 32], [2; 32]]);
}

#[tokio::test]
async fn without_room_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder, Some(160 * 1024));
    let first = store.begin(begin(600, 0, 1)).await.unwrap();
    let mut refused = None;
    for n in 1..2_000 {
        refused = store.begin(begin(n % 100, n, 1)).await.err();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(BeginError::Store(Error::Full)));
    let found = store.records(vec![first.id]).await.unwrap();
    assert!(matches!(&found[..], [Some(Record { stage: Stage::Uploading { .. }, .. })]));
}
