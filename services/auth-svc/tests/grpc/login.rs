//! Login.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use auth_svc::{Argon2id, FailureConfig, Hasher, Password, PasswordHash};
use parlor_testkit::in_time;
use parlor_types::Username;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;

use crate::support::*;

#[tokio::test]
async fn g2_a_device_has_one_session_however_often_it_logs_in() {
    let (_folder, server) = Server::start().await;
    let registered = server.register("ada").await;
    let device = device();
    let first = server.login("Ada", PASSWORD, device.clone()).await.unwrap();
    let again = server.login("ada", PASSWORD, device.clone()).await.unwrap();
    assert_eq!(first.user_id, registered.user_id);
    assert_ne!(first.session_id, registered.session_id);
    assert_eq!(first.session_id, again.session_id);
    // The log-in gave up the token before it; that token is refused and does no harm.
    assert_eq!(reason(server.refresh(&first.refresh_token, &op()).await), ErrorReason::TokenInvalid);
    server.refresh(&again.refresh_token, &op()).await.unwrap();
}

#[tokio::test]
async fn composed_and_decomposed_letters_are_one_password() {
    let (_folder, server) = Server::start().await;
    let request = parlor_wire::auth::v1::RegisterRequest {
        password: "gru\u{308}n-wolken-lampe".to_owned(),
        ..registration("ada")
    };
    server.auth().register(request).await.unwrap();
    server.login("ada", "gr\u{fc}n-wolken-lampe", device()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_costs_and_looks_like_a_wrong_password() {
    let folder = tempfile::tempdir().unwrap();
    let hasher = Counting::new(64);
    let server = Server::start_hashing(config(folder.path()), Some(hasher.clone())).await;
    server.register("ada").await;
    server.app.create_service_account(Username::new("bot").unwrap(), false).await.unwrap();
    hasher.take();
    let mut answers = Vec::new();
    for name in ["ada", "nobody", "bot"] {
        let refused = server.login(name, OTHER_PASSWORD, device()).await.unwrap_err();
        assert_eq!(hasher.take(), (0, 1), "{name}");
        answers.push(bytes_of(&refused));
    }
    assert_eq!(reason(server.login("ada", OTHER_PASSWORD, device()).await), ErrorReason::CredentialsInvalid);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn ill_formed_fields_are_named() {
    let (_folder, server) = Server::start().await;
    assert_eq!(fields(server.auth().login(login("a", "", device())).await), ["username", "password"]);
    let long = "x".repeat(129);
    assert_eq!(fields(server.auth().login(login("ada", &long, device())).await), ["password"]);
}

#[tokio::test]
async fn beyond_twenty_the_session_used_longest_ago_ends() {
    let (_folder, server) = Server::start().await;
    let first = server.register("ada").await;
    let mut others = Vec::new();
    for _ in 0..19 {
        server.clock.advance(Duration::from_secs(1));
        others.push(server.login("ada", PASSWORD, device()).await.unwrap());
    }
    server.clock.advance(Duration::from_secs(1));
    // Used again, so now the second is the oldest.
    let first = server.refresh(&first.refresh_token, &op()).await.unwrap();
    let newest = server.login("ada", PASSWORD, device()).await.unwrap();
    assert_eq!(server.check(&others[0].access_token).await, Err(ErrorReason::SessionEnded));
    assert_eq!(reason(server.refresh(&others[0].refresh_token, &op()).await), ErrorReason::SessionEnded);
    for alive in [&first, &others[1], &newest] {
        server.check(&alive.access_token).await.unwrap();
    }
}

#[tokio::test]
async fn a_hash_of_another_cost_is_renewed_by_a_log_in() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(config(folder.path())).await;
    server.register("ada").await;
    server.stop().await;

    let hasher = Counting::new(128);
    let server = Server::start_hashing(config(folder.path()), Some(hasher.clone())).await;
    server.login("ada", OTHER_PASSWORD, device()).await.unwrap_err();
    assert_eq!(hasher.take(), (0, 1), "a wrong password renews nothing");
    server.login("ada", PASSWORD, device()).await.unwrap();
    assert_eq!(hasher.take(), (1, 1));
    server.login("ada", PASSWORD, device()).await.unwrap();
    assert_eq!(hasher.take(), (0, 1), "renewed once");
}

#[tokio::test]
async fn guessing_is_slow_and_keeps_no_owner_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.throttle.account = FailureConfig { burst: 3, every: Duration::from_secs(60) };
    let server = Server::start_with(config).await;
    let own = device();
    server.register("ada").await;
    server.login("ada", PASSWORD, own.clone()).await.unwrap();
    for _ in 0..3 {
        let wrong = server.login("ada", OTHER_PASSWORD, device()).await;
        assert_eq!(reason(wrong), ErrorReason::CredentialsInvalid);
    }
    let refused = from_status(&server.login("ada", PASSWORD, device()).await.unwrap_err());
    assert_eq!(refused.reason(), ErrorReason::RateLimited);
    assert_eq!(refused.retry_after.unwrap().seconds, 60);
    // A device that has been here before is not held up, and another user neither.
    server.login("ada", PASSWORD, own).await.unwrap();
    server.register("ben").await;
    server.login("ben", PASSWORD, device()).await.unwrap();

    server.clock.advance(Duration::from_secs(60));
    server.login("ada", PASSWORD, device()).await.unwrap();
    server.login("ada", PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn an_unknown_user_is_guessed_as_slowly() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.throttle.account = FailureConfig { burst: 2, every: Duration::from_secs(60) };
    let server = Server::start_with(config).await;
    for expected in
        [ErrorReason::CredentialsInvalid, ErrorReason::CredentialsInvalid, ErrorReason::RateLimited]
    {
        assert_eq!(reason(server.login("nobody", PASSWORD, device()).await), expected);
    }
}

#[tokio::test]
async fn an_address_that_fails_too_often_waits_whatever_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.throttle.address = FailureConfig { burst: 2, every: Duration::from_secs(60) };
    let server = Server::start_with(config).await;
    server.register("ada").await;
    for name in ["one", "two"] {
        assert_eq!(reason(server.login(name, PASSWORD, device()).await), ErrorReason::CredentialsInvalid);
    }
    assert_eq!(reason(server.login("ada", PASSWORD, device()).await), ErrorReason::RateLimited);
}

/// Verifies when it is let.
struct Gated {
    inner: Argon2id,
    begun: tokio::sync::mpsc::Sender<()>,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl Hasher for Gated {
    fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.inner.hash(password)
    }

    fn verify(&self, password: &Password, hash: &PasswordHash) -> bool {
        self.begun.blocking_send(()).unwrap();
        self.gate.lock().unwrap().recv().unwrap();
        self.inner.verify(password, hash)
    }

    fn is_current(&self, hash: &PasswordHash) -> bool {
        self.inner.is_current(hash)
    }
}

#[tokio::test]
async fn g8_more_log_ins_than_can_wait_are_told_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    (config.password.at_once, config.password.waiting) = (1, 0);
    let (begun, mut begins) = tokio::sync::mpsc::channel(8);
    let (open, gate) = mpsc::sync_channel(8);
    let hasher = Gated { inner: Argon2id::new(64, 1, 1).unwrap(), begun, gate: Mutex::new(gate) };
    let server = Server::start_hashing(config, Some(Arc::new(hasher))).await;
    server.register("ada").await;
    let first = tokio::spawn({
        let mut client = server.auth();
        async move { client.login(login("ada", PASSWORD, device())).await }
    });
    in_time("the first hash", begins.recv()).await.unwrap();
    let refused = problem(server.auth().login(login("ada", PASSWORD, device())).await);
    assert_eq!(refused.reason(), ErrorReason::Overloaded);
    assert!(refused.retry_after.is_some());
    open.send(()).unwrap();
    first.await.unwrap().unwrap();
    open.send(()).unwrap();
    server.login("ada", PASSWORD, device()).await.unwrap();
}
