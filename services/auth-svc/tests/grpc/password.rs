//! ChangePassword.

use std::time::Duration;

use auth_svc::FailureConfig;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use tonic::{Response, Status};

use crate::support::*;

async fn change(
    server: &Server,
    token: &str,
    current: &str,
    new: &str,
) -> Result<Response<ChangePasswordResponse>, Status> {
    let request =
        ChangePasswordRequest { current_password: current.to_owned(), new_password: new.to_owned() };
    server.auth().change_password(with(token, request)).await
}

#[tokio::test]
async fn the_new_password_counts_and_other_sessions_end() {
    let (_folder, server) = Server::start().await;
    let here = server.register("ada").await;
    let other = server.login("ada", PASSWORD, device()).await.unwrap();
    let ended =
        change(&server, &here.access_token, PASSWORD, OTHER_PASSWORD).await.unwrap().into_inner().ended;
    assert_eq!(ended, 1);
    assert_eq!(server.check(&other.access_token).await, Err(ErrorReason::SessionEnded));
    server.check(&here.access_token).await.unwrap();
    server.refresh(&here.refresh_token, &op()).await.unwrap();
    assert_eq!(reason(server.login("ada", PASSWORD, device()).await), ErrorReason::CredentialsInvalid);
    server.login("ada", OTHER_PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn g2_a_retry_finds_the_new_password_set_and_succeeds() {
    let (_folder, server) = Server::start().await;
    let here = server.register("ada").await;
    for _ in 0..2 {
        change(&server, &here.access_token, PASSWORD, OTHER_PASSWORD).await.unwrap();
    }
    server.login("ada", OTHER_PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn the_present_password_must_be_right_and_the_new_one_good() {
    let (_folder, server) = Server::start().await;
    let here = server.register("ada").await;
    let token = &here.access_token;
    let wrong = change(&server, token, "not the password", OTHER_PASSWORD).await;
    assert_eq!(reason(wrong), ErrorReason::CredentialsInvalid);
    assert_eq!(reason(change(&server, token, PASSWORD, "password1").await), ErrorReason::PasswordWeak);
    assert_eq!(reason(change(&server, token, PASSWORD, "ada ada ada").await), ErrorReason::PasswordWeak);
    assert_eq!(fields(change(&server, token, "", "short").await), ["current_password", "new_password"]);
    server.login("ada", PASSWORD, device()).await.unwrap();
}

#[tokio::test]
async fn guesses_at_the_present_password_are_slow_and_apart_from_log_ins() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.throttle.account = FailureConfig { burst: 2, every: Duration::from_secs(60) };
    let server = Server::start_with(config).await;
    let here = server.register("ada").await;
    for _ in 0..2 {
        server.login("ada", OTHER_PASSWORD, device()).await.unwrap_err();
    }
    assert_eq!(reason(server.login("ada", PASSWORD, device()).await), ErrorReason::RateLimited);
    change(&server, &here.access_token, PASSWORD, OTHER_PASSWORD).await.unwrap();
    for expected in
        [ErrorReason::CredentialsInvalid, ErrorReason::CredentialsInvalid, ErrorReason::RateLimited]
    {
        let guess = change(&server, &here.access_token, "not the password", PASSWORD).await;
        assert_eq!(reason(guess), expected);
    }
}
