//! What a restart keeps, and what it refuses.

use auth_svc::{App, Parts, StartError};
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

#[tokio::test]
async fn g1_keys_sessions_and_accounts_are_there_after_a_restart() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let keys = server.auth().get_jwks(GetJwksRequest {}).await.unwrap().into_inner();
    let server = server.restart().await;
    assert_eq!(server.auth().get_jwks(GetJwksRequest {}).await.unwrap().into_inner(), keys);
    server.check(&ada.access_token).await.unwrap();
    let next = server.refresh(&ada.refresh_token, &op()).await.unwrap();
    assert_eq!(next.session_id, ada.session_id);
    server.login("ada", PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn g7_an_ended_session_stays_ended_after_a_restart() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    server.auth().logout(with(&ada.access_token, LogoutRequest {})).await.unwrap();
    let server = server.restart().await;
    assert_eq!(server.check(&ada.access_token).await, Err(ErrorReason::SessionEnded));
    assert_eq!(reason(server.refresh(&ada.refresh_token, &op()).await), ErrorReason::SessionEnded);
}

#[tokio::test]
async fn a_damaged_key_file_stops_the_start_and_stays_as_it_is() {
    let (_folder, server) = Server::start().await;
    server.register("ada").await;
    let config = server.config.clone();
    server.stop().await;
    let text = std::fs::read_to_string(&config.keys.path).unwrap();
    for damaged in ["", "{}", &text[..text.len() / 2], &text.replace("\"version\": 1", "\"version\": 2")] {
        std::fs::write(&config.keys.path, damaged).unwrap();
        let refused = App::build(config.clone(), Parts::default()).await.unwrap_err();
        assert!(matches!(refused, StartError::Keys(_)), "{refused}");
        assert_eq!(std::fs::read_to_string(&config.keys.path).unwrap(), damaged);
    }
    std::fs::write(&config.keys.path, text).unwrap();
    Server::start_with(config).await.login("ada", PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn a_lost_key_file_stops_the_start_until_the_operator_says_otherwise() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let mut config = server.config.clone();
    server.stop().await;
    std::fs::remove_file(&config.keys.path).unwrap();
    let refused = App::build(config.clone(), Parts::default()).await.unwrap_err();
    assert!(matches!(refused, StartError::KeysLost { .. }), "{refused}");
    assert!(!config.keys.path.exists());

    config.keys.replace_lost = true;
    let server = Server::start_with(config).await;
    assert_eq!(server.check(&ada.access_token).await, Err(ErrorReason::TokenInvalid));
    assert_eq!(reason(server.refresh(&ada.refresh_token, &op()).await), ErrorReason::TokenInvalid);
    server.login("ada", PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn the_files_are_of_one_process_and_the_keys_of_their_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, server) = Server::start().await;
    let second = App::build(server.config.clone(), Parts::default()).await.unwrap_err();
    assert!(matches!(second, StartError::Store(_)), "{second}");
    let mode = std::fs::metadata(&server.config.keys.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_configuration_out_of_range_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.session.access_token = std::time::Duration::from_secs(601);
    config.password.passes = 0;
    let refused = App::build(config, Parts::default()).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("session.access_token") && text.contains("password.passes"), "{text}");
}
