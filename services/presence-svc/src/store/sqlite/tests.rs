use parlor_embedded::Options;
use parlor_testkit::in_time;
use tempfile::TempDir;

use super::*;
use crate::status::Appearance;
use crate::store::conformance::{self, Fixture, Told, user};

fn open(folder: &TempDir, max_bytes: Option<u64>) -> (SqliteStore, Told) {
    let told = Told::default();
    let options = Options { max_bytes, ..Options::new(folder.path().join("presence.db")) };
    (SqliteStore::open(options, conformance::listener(&told)).unwrap(), told)
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let (store, told) = open(&folder, None);
    Fixture { store: std::sync::Arc::new(store), told, _folder: Some(folder) }
}

conformance::suite!(fixture);

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder, None);
    let away = conformance::status(Appearance::Away, "away", Some(60_000));
    store.set_status(user(1), away.clone()).await.unwrap();
    store.set_last_seen(vec![(user(1), Minute(5))]).await.unwrap();
    drop(store);
    let (store, told) = open(&folder, None);
    let record = Record { status: away, last_seen: Some(Minute(5)) };
    assert_eq!(store.records(vec![user(1)]).await, Ok(vec![record]));
    assert!(told.lock().unwrap().is_empty(), "nothing is told twice");
}

#[tokio::test]
async fn without_room_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder, Some(64 * 1024));
    store.set_last_seen(vec![(user(1), Minute(5))]).await.unwrap();
    let mut refused = None;
    for _ in 0..1_000 {
        let many = (0..100).map(|_| (UserId::new(), Minute(1))).collect();
        refused = store.set_last_seen(many).await.err();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused, Some(Error::Full));
    assert_eq!(store.records(vec![user(1)]).await.unwrap()[0].last_seen, Some(Minute(5)));
}

#[tokio::test]
async fn a_status_is_told_even_if_its_caller_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let on_status: OnStatus = std::sync::Arc::new(move |user, _| told.try_send(user).unwrap());
    let store = SqliteStore::open(Options::new(folder.path().join("presence.db")), on_status).unwrap();
    {
        let mut call = std::pin::pin!(store.set_status(user(1), Status::default()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // Polled once: the job is on its way when the caller goes.
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(in_time("word of the status", heard.recv()).await, Some(user(1)));
}
