//! WatchRevocations and ListRevocations: how others learn that a session has ended.

use std::time::Duration;

use parlor_testkit::in_time;
use parlor_wire::auth::v1::{Credentials, LogoutRequest};
use parlor_wire::internal::auth::v1::*;
use tonic::Streaming;

use crate::support::*;

async fn list(server: &Server, cursor: u64) -> (Vec<String>, u64) {
    let request = with(&server.service_token().await, ListRevocationsRequest { cursor });
    let answer = server.internal().list_revocations(request).await.unwrap().into_inner();
    (answer.revocations.into_iter().map(|revocation| revocation.session_id).collect(), answer.cursor)
}

async fn watch(server: &Server, cursor: u64) -> Streaming<WatchRevocationsResponse> {
    let request = with(&server.service_token().await, WatchRevocationsRequest { cursor });
    server.internal().watch_revocations(request).await.unwrap().into_inner()
}

async fn next(watch: &mut Streaming<WatchRevocationsResponse>) -> (Vec<String>, u64) {
    let answer = in_time("the next revocations", watch.message()).await;
    let answer = answer.unwrap().expect("the stream goes on");
    (answer.revocations.into_iter().map(|revocation| revocation.session_id).collect(), answer.cursor)
}

async fn log_out(server: &Server, credentials: &Credentials) -> String {
    server.auth().logout(with(&credentials.access_token, LogoutRequest {})).await.unwrap();
    credentials.session_id.clone()
}

#[tokio::test]
async fn g7_a_follower_hears_of_each_end_in_order() {
    let (_folder, server) = Server::start().await;
    let mut stream = watch(&server, 0).await;
    assert_eq!(next(&mut stream).await, (Vec::new(), 0), "the first answer comes at once");
    let mut heard = Vec::new();
    let mut ended = Vec::new();
    for name in ["ada", "ben", "eve"] {
        let credentials = server.register(name).await;
        ended.push(log_out(&server, &credentials).await);
        heard.extend(next(&mut stream).await.0);
    }
    assert_eq!(heard, ended);
    assert_eq!(list(&server, 0).await, (ended.clone(), 3));
    assert_eq!(list(&server, 2).await, (vec![ended[2].clone()], 3));
    assert_eq!(list(&server, 3).await, (Vec::new(), 3));
    let mut resumed = watch(&server, 1).await;
    assert_eq!(next(&mut resumed).await, (ended[1..].to_vec(), 3));
}

#[tokio::test]
async fn without_a_cursor_the_last_eleven_minutes_are_told() {
    let (_folder, server) = Server::start().await;
    let old = log_out(&server, &server.register("ada").await).await;
    server.clock.advance(Duration::from_secs(6 * 60));
    let young = log_out(&server, &server.register("ben").await).await;
    assert_eq!(list(&server, 0).await, (vec![old, young.clone()], 2));
    server.clock.advance(Duration::from_secs(5 * 60 + 1));
    assert_eq!(list(&server, 0).await, (vec![young], 2));
    server.clock.advance(LONG);
    assert_eq!(list(&server, 0).await, (Vec::new(), 2));
}

#[tokio::test]
async fn a_cursor_the_store_has_not_reached_begins_anew() {
    let (_folder, server) = Server::start().await;
    let ended = log_out(&server, &server.register("ada").await).await;
    assert_eq!(list(&server, 1_000).await, (vec![ended.clone()], 1));
    assert_eq!(list(&server, u64::MAX).await, (vec![ended.clone()], 1));
    let mut stream = watch(&server, 1_000).await;
    assert_eq!(next(&mut stream).await, (vec![ended], 1));
}

#[tokio::test]
async fn every_way_a_session_ends_is_told() {
    use parlor_wire::auth::v1::*;
    let (_folder, server) = Server::start().await;
    let here = server.register("ada").await;
    let mut cursor = 0;
    for way in ["end", "others", "password", "reuse"] {
        let other = server.login("ada", PASSWORD, device()).await.unwrap();
        let (mut auth, token) = (server.auth(), &here.access_token);
        match way {
            "end" => {
                let request = EndSessionRequest { session_id: other.session_id.clone() };
                auth.end_session(with(token, request)).await.unwrap();
            }
            "others" => drop(auth.end_other_sessions(with(token, EndOtherSessionsRequest {})).await.unwrap()),
            "password" => {
                let password = || PASSWORD.to_owned();
                let request =
                    ChangePasswordRequest { current_password: password(), new_password: password() };
                auth.change_password(with(token, request)).await.unwrap();
            }
            _ => {
                server.refresh(&other.refresh_token, &op()).await.unwrap();
                server.refresh(&other.refresh_token, &op()).await.unwrap_err();
            }
        }
        let told;
        (told, cursor) = list(&server, cursor).await;
        assert_eq!(told, [other.session_id], "{way}");
    }
}

#[tokio::test]
async fn a_session_that_expires_is_ended_by_housekeeping() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    server.clock.advance(Duration::from_secs(60 * 24 * 3600));
    assert_eq!(list(&server, 0).await.0, [] as [&str; 0]);
    // The first round comes with the start.
    let server = server.restart().await;
    let mut stream = watch(&server, 0).await;
    let mut told = next(&mut stream).await.0;
    if told.is_empty() {
        told = next(&mut stream).await.0;
    }
    assert_eq!(told, [ada.session_id]);
}

#[tokio::test]
async fn followers_are_let_go_when_the_service_stops() {
    let (_folder, server) = Server::start().await;
    let mut stream = watch(&server, 0).await;
    next(&mut stream).await;
    assert!(server.app.ready().now().ready());
    server.app.shutdown(Duration::from_secs(10)).await.unwrap();
    assert!(in_time("the end of the stream", stream.message()).await.unwrap().is_none());
    assert!(!server.app.ready().now().ready());
}
