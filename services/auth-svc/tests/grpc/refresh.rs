//! Refresh.

use std::time::Duration;

use parlor_types::SessionId;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_lost_answer_is_no_log_out() {
    let (_folder, server) = Server::start().await;
    let start = server.register("ada").await;
    let op_1 = op();
    let first = server.refresh(&start.refresh_token, &op_1).await.unwrap();
    server.clock.advance(LONG);
    let again = server.refresh(&start.refresh_token, &op_1).await.unwrap();
    assert_eq!(first.refresh_token, again.refresh_token, "the same successor");
    assert_eq!(first.session_id, start.session_id);
    server.check(&again.access_token).await.unwrap();
    let next = server.refresh(&again.refresh_token, &op()).await.unwrap();
    assert_ne!(next.refresh_token, first.refresh_token);
}

#[tokio::test]
async fn a_token_used_by_two_ends_the_session() {
    let (_folder, server) = Server::start().await;
    let start = server.register("ada").await;
    let owner = server.refresh(&start.refresh_token, &op()).await.unwrap();
    assert_eq!(reason(server.refresh(&start.refresh_token, &op()).await), ErrorReason::RefreshReused);
    for token in [&start.refresh_token, &owner.refresh_token] {
        assert_eq!(reason(server.refresh(token, &op()).await), ErrorReason::SessionEnded);
    }
    for token in [&start.access_token, &owner.access_token] {
        assert_eq!(server.check(token).await, Err(ErrorReason::SessionEnded));
    }
    let log_in = server.login("ada", PASSWORD, device()).await.unwrap();
    server.check(&log_in.access_token).await.unwrap();
}

#[tokio::test]
async fn g2_retries_at_once_get_one_successor() {
    let (_folder, server) = Server::start().await;
    let start = server.register("ada").await;
    let request = RefreshRequest { refresh_token: start.refresh_token, op: op() };
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (mut client, request) = (server.auth(), request.clone());
            tokio::spawn(async move { client.refresh(request).await })
        })
        .collect();
    let mut successors = Vec::new();
    for call in calls {
        successors.push(call.await.unwrap().unwrap().into_inner().credentials.unwrap().refresh_token);
    }
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

#[tokio::test]
async fn what_is_not_our_token_is_invalid() {
    let (_folder, server) = Server::start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let token = &ada.refresh_token;
    let with_session = |session: &str| token.replace(&ada.session_id, session);
    for forged in [
        String::new(),
        "v1".to_owned(),
        ada.access_token.clone(),
        token.replace(".1.", ".2."),
        other_mac(token),
        with_session(&ben.session_id),
        with_session(&SessionId::new().to_string()),
        token.to_uppercase(),
    ] {
        assert_eq!(reason(server.refresh(&forged, &op()).await), ErrorReason::TokenInvalid, "{forged}");
    }
    assert_eq!(reason(server.refresh(token, "op").await), ErrorReason::FieldInvalid);
    // None of this did any harm.
    server.refresh(token, &op()).await.unwrap();
    server.refresh(&ben.refresh_token, &op()).await.unwrap();
}

#[tokio::test]
async fn a_session_ends_after_sixty_idle_days() {
    let (_folder, server) = Server::start().await;
    let start = server.register("ada").await;
    server.clock.advance(59 * DAY);
    let next = server.refresh(&start.refresh_token, &op()).await.unwrap();
    server.clock.advance(59 * DAY);
    let next = server.refresh(&next.refresh_token, &op()).await.unwrap();
    server.clock.advance(60 * DAY);
    assert_eq!(reason(server.refresh(&next.refresh_token, &op()).await), ErrorReason::SessionEnded);
}

#[tokio::test]
async fn a_session_ends_a_year_after_the_log_in_however_often_it_is_refreshed() {
    let (_folder, server) = Server::start().await;
    let device = device();
    server.register("ada").await;
    let mut token = server.login("ada", PASSWORD, device.clone()).await.unwrap().refresh_token;
    for _ in 0..12 {
        server.clock.advance(30 * DAY);
        token = server.refresh(&token, &op()).await.unwrap().refresh_token;
    }
    server.clock.advance(5 * DAY - Duration::from_secs(60));
    let last = server.refresh(&token, &op()).await.unwrap();
    assert_eq!(last.access_token_seconds, 60, "the access token ends with the session");
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(reason(server.refresh(&last.refresh_token, &op()).await), ErrorReason::SessionEnded);
    let anew = server.login("ada", PASSWORD, device).await.unwrap();
    assert_ne!(anew.session_id, last.session_id);
    server.refresh(&anew.refresh_token, &op()).await.unwrap();
}

#[tokio::test]
async fn a_store_put_back_to_an_older_copy_logs_nobody_out() {
    let (folder, server) = Server::start().await;
    let mut credentials = server.register("ada").await;
    let (database, keys) = (folder.path().join("copy.db"), folder.path().join("copy.json"));
    server.app.backup_to(&database, &keys).await.unwrap();
    for _ in 0..3 {
        credentials = server.refresh(&credentials.refresh_token, &op()).await.unwrap();
    }
    let (config, clock) = (server.config.clone(), server.clock.clone());
    server.stop().await;

    std::fs::rename(&database, &config.store.path).unwrap();
    std::fs::rename(&keys, &config.keys.path).unwrap();
    let server = Server::start_at(config, None, clock).await;
    let next = server.refresh(&credentials.refresh_token, &op()).await.unwrap();
    assert_eq!(next.session_id, credentials.session_id);
    server.refresh(&next.refresh_token, &op()).await.unwrap();
}

/// The token with one letter in the middle of its MAC changed.
fn other_mac(token: &str) -> String {
    let (head, tail) = token.split_at(token.len() - 20);
    let letter = if tail.starts_with('A') { "B" } else { "A" };
    format!("{head}{letter}{}", &tail[1..])
}
