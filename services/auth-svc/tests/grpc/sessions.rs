//! Logout, ListSessions, EndSession, EndOtherSessions.

use std::time::Duration;

use parlor_types::SessionId;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;

use crate::support::*;

async fn list(server: &Server, token: &str) -> Vec<Session> {
    let answer = server.auth().list_sessions(with(token, ListSessionsRequest {})).await;
    answer.unwrap().into_inner().sessions
}

async fn end(server: &Server, token: &str, session: &str) -> Result<(), tonic::Status> {
    let request = EndSessionRequest { session_id: session.to_owned() };
    server.auth().end_session(with(token, request)).await.map(drop)
}

#[tokio::test]
async fn the_list_shows_the_last_used_first() {
    let (_folder, server) = Server::start().await;
    let phone = server.register("ada").await;
    server.clock.advance(Duration::from_secs(1));
    let laptop = Device { name: "laptop".to_owned(), ..device() };
    let second = server.login("ada", PASSWORD, laptop.clone()).await.unwrap();
    server.register("ben").await;
    let sessions = list(&server, &phone.access_token).await;
    let ids: Vec<_> = sessions.iter().map(|session| session.session_id.clone()).collect();
    assert_eq!(ids, [second.session_id.clone(), phone.session_id.clone()]);
    assert_eq!(sessions[0].device, Some(laptop));
    assert_eq!((sessions[0].current, sessions[1].current), (false, true));
    let (created, expires) = (sessions[1].created_at.unwrap(), sessions[1].expires_at.unwrap());
    assert_eq!(expires.seconds - created.seconds, 60 * 24 * 3600);

    server.clock.advance(Duration::from_secs(1));
    server.refresh(&phone.refresh_token, &op()).await.unwrap();
    assert_eq!(list(&server, &phone.access_token).await[0].session_id, phone.session_id);
}

#[tokio::test]
async fn g7_a_log_out_counts_at_once() {
    let (_folder, server) = Server::start().await;
    let (ada, other) = (server.register("ada").await, server.register("ben").await);
    server.auth().logout(with(&ada.access_token, LogoutRequest {})).await.unwrap();
    assert_eq!(server.check(&ada.access_token).await, Err(ErrorReason::SessionEnded));
    let again = server.auth().logout(with(&ada.access_token, LogoutRequest {})).await;
    assert_eq!(reason(again), ErrorReason::SessionEnded);
    assert_eq!(reason(server.refresh(&ada.refresh_token, &op()).await), ErrorReason::SessionEnded);
    server.check(&other.access_token).await.unwrap();
}

#[tokio::test]
async fn one_s_own_sessions_can_be_ended_twice() {
    let (_folder, server) = Server::start().await;
    let (phone, laptop) =
        (server.register("ada").await, server.login("ada", PASSWORD, device()).await.unwrap());
    for _ in 0..2 {
        end(&server, &phone.access_token, &laptop.session_id).await.unwrap();
    }
    assert_eq!(server.check(&laptop.access_token).await, Err(ErrorReason::SessionEnded));
    assert_eq!(list(&server, &phone.access_token).await.len(), 1);
    assert_eq!(reason(end(&server, &phone.access_token, "it").await), ErrorReason::FieldInvalid);
}

#[tokio::test]
async fn g7_a_stranger_s_session_looks_like_none() {
    let (_folder, server) = Server::start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let stranger_s = end(&server, &ada.access_token, &ben.session_id).await.unwrap_err();
    let random = end(&server, &ada.access_token, &SessionId::new().to_string()).await.unwrap_err();
    assert_eq!(from_status(&random).reason(), ErrorReason::SessionNotFound);
    assert_eq!(bytes_of(&stranger_s), bytes_of(&random));
    server.check(&ben.access_token).await.unwrap();
}

#[tokio::test]
async fn all_others_end_and_this_one_stays() {
    let (_folder, server) = Server::start().await;
    let here = server.register("ada").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(server.login("ada", PASSWORD, device()).await.unwrap());
    }
    let stranger = server.register("ben").await;
    for expected in [3, 0] {
        let request = with(&here.access_token, EndOtherSessionsRequest {});
        assert_eq!(server.auth().end_other_sessions(request).await.unwrap().into_inner().ended, expected);
    }
    for other in &others {
        assert_eq!(server.check(&other.access_token).await, Err(ErrorReason::SessionEnded));
    }
    server.check(&here.access_token).await.unwrap();
    server.check(&stranger.access_token).await.unwrap();
}
