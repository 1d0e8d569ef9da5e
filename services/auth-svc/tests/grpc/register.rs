//! Register.

use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

#[tokio::test]
async fn a_new_account_is_logged_in() {
    let (_folder, server) = Server::start().await;
    let credentials = server.register("Ada").await;
    assert_eq!(credentials.access_token_seconds, 600);
    let profile =
        server.people().get_profile(with(&credentials.access_token, GetProfileRequest::default())).await;
    let profile = profile.unwrap().into_inner().profile.unwrap();
    assert_eq!(profile.user_id, credentials.user_id);
    assert_eq!((profile.username.as_str(), profile.display_name.as_str()), ("ada", "ada"));
    assert_eq!((profile.version, profile.kind()), (1, AccountKind::Person));
    server.refresh(&credentials.refresh_token, &op()).await.unwrap();
}

#[tokio::test]
async fn g2_a_retry_makes_one_account_and_one_session() {
    let (_folder, server) = Server::start().await;
    let request = RegisterRequest { display_name: "Ada L.".to_owned(), ..registration("ada") };
    let first = server.auth().register(request.clone()).await.unwrap().into_inner().credentials.unwrap();
    let again = server.auth().register(request.clone()).await.unwrap().into_inner().credentials.unwrap();
    assert_eq!((first.user_id, first.session_id), (again.user_id.clone(), again.session_id));
    // With another password it is not a retry of its owner.
    let other = RegisterRequest { password: OTHER_PASSWORD.to_owned(), ..request.clone() };
    assert_eq!(reason(server.auth().register(other).await), ErrorReason::UsernameTaken);
}

#[tokio::test]
async fn g2_retries_at_once_make_one_account() {
    let (_folder, server) = Server::start().await;
    let request = registration("ada");
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let (mut client, request) = (server.auth(), request.clone());
            tokio::spawn(async move { client.register(request).await })
        })
        .collect();
    let mut made = Vec::new();
    for call in calls {
        let credentials = call.await.unwrap().unwrap().into_inner().credentials.unwrap();
        made.push((credentials.user_id, credentials.session_id));
    }
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
}

#[tokio::test]
async fn a_name_is_taken_in_upper_and_lower_case() {
    let (_folder, server) = Server::start().await;
    server.register("ada").await;
    for name in ["ada", "ADA"] {
        assert_eq!(reason(server.auth().register(registration(name)).await), ErrorReason::UsernameTaken);
    }
}

#[tokio::test]
async fn ill_formed_fields_are_named_all_at_once() {
    let (_folder, server) = Server::start().await;
    for name in ["", "ab", "ada lovelace", ".ada", "ada\u{7}", "ad\u{e4}", &"a".repeat(33)] {
        assert_eq!(fields(server.auth().register(registration(name)).await), ["username"], "{name:?}");
    }
    for password in ["", "1234567", &"x".repeat(129)] {
        let request = RegisterRequest { password: password.to_owned(), ..registration("ada") };
        assert_eq!(fields(server.auth().register(request).await), ["password"]);
    }
    for display_name in ["A\u{7}da", " ", &"x".repeat(65)] {
        let request = RegisterRequest { display_name: display_name.to_owned(), ..registration("ada") };
        assert_eq!(fields(server.auth().register(request).await), ["display_name"], "{display_name:?}");
    }
    let nothing = server.auth().register(RegisterRequest::default()).await;
    assert_eq!(fields(nothing), ["op", "username", "password", "device"]);
    let device = Device { device_id: "phone".to_owned(), name: String::new() };
    let request = RegisterRequest { device: Some(device), ..registration("ada") };
    assert_eq!(fields(server.auth().register(request).await), ["device.device_id", "device.name"]);
}

#[tokio::test]
async fn a_password_that_is_easy_to_guess_is_refused_before_it_is_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let hasher = Counting::new(64);
    let server = Server::start_hashing(config(folder.path()), Some(hasher.clone())).await;
    for (username, password) in [("ada", "password1"), ("lovelace1815", "lovelace1815")] {
        let request = RegisterRequest { password: password.to_owned(), ..registration(username) };
        assert_eq!(reason(server.auth().register(request).await), ErrorReason::PasswordWeak, "{password}");
    }
    let known = RegisterRequest {
        display_name: "Zyxomma Petiolatum".to_owned(),
        password: "zyxomma petiolatum".to_owned(),
        ..registration("ada")
    };
    assert_eq!(reason(server.auth().register(known).await), ErrorReason::PasswordWeak);
    assert_eq!(hasher.take(), (0, 0));
}
