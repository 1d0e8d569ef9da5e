use std::sync::{Arc, Mutex};

use parlor_embedded::Options;
use parlor_testkit::in_time;
use parlor_types::Id as _;
use tempfile::TempDir;

use super::*;
use crate::store::conformance::{self, Fixture, Told};

fn open(folder: &TempDir, max_bytes: Option<u64>) -> (SqliteStore, Told) {
    let told = Told::default();
    let options = Options { max_bytes, ..Options::new(folder.path().join("auth.db")) };
    let store = SqliteStore::open(options, conformance::listener(&told)).unwrap();
    (store, told)
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let (store, told) = open(&folder, None);
    Fixture { store: Arc::new(store), told, _folder: Some(folder) }
}

conformance::suite!(fixture);

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder, None);
    let account = conformance::account(1, "ada", "Ada");
    store.create_accounts(vec![account.clone()]).await.unwrap();
    let session = conformance::session(1, 1, 0);
    conformance::put(&store, session.clone()).await;
    let other = conformance::session(1, 2, 0);
    conformance::put(&store, other.clone()).await;
    conformance::end(&store, &other, 5).await;
    drop(store);

    let (store, told) = open(&folder, None);
    assert_eq!(store.account(account.user_id).await, Ok(Some(account.clone())));
    assert_eq!(store.sessions(account.user_id).await, Ok(vec![session]));
    let page = store.revocations(0, Moment::from_millis(0), 10).await.unwrap();
    assert_eq!((page.revocations.len(), page.newest), (1, 1));
    assert!(told.lock().unwrap().is_empty(), "nothing is told twice");
}

#[tokio::test]
async fn without_room_writes_are_refused_and_reads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&folder, Some(200 * 1024));
    store.create_accounts(vec![conformance::account(1, "ada", "Ada")]).await.unwrap();
    let mut made = 0;
    let refused = loop {
        let many = (0..100).map(|n| conformance::account_numbered(made * 100 + n)).collect();
        match store.create_accounts(many).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, Error::Full);
    assert!(store.account(UserId::from_bytes([1; 16])).await.unwrap().is_some());
}

#[tokio::test]
async fn g7_an_end_is_told_even_if_its_caller_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let told = Mutex::new(Some(told));
    let on_revoked: OnRevoked = Arc::new(move |revocation: &Revocation| {
        if let Some(told) = told.lock().unwrap().take() {
            told.try_send(revocation.session_id).unwrap();
        }
    });
    let store = SqliteStore::open(Options::new(folder.path().join("auth.db")), on_revoked).unwrap();
    store.create_accounts(vec![conformance::account(1, "ada", "Ada")]).await.unwrap();
    let session = conformance::session(1, 1, 0);
    conformance::put(&store, session.clone()).await;
    {
        let rule = conformance::ending(&session, 5);
        let mut call = std::pin::pin!(store.update(session.user_id, rule));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // Polled once: the job is on its way when the caller goes.
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(in_time("word of the end", heard.recv()).await, Some(session.id));
}
