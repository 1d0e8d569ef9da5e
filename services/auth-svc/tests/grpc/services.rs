//! Service accounts, and what only services may call.

use parlor_types::{UserId, Username};
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::auth::v1::{CheckUsersRequest, ListRevocationsRequest};
use tonic::{Response, Status};

use crate::support::*;

struct Bot {
    id: String,
    secret: String,
}

async fn bot(server: &Server, name: &str, internal: bool) -> Bot {
    use secrecy::ExposeSecret as _;
    let made = server.app.create_service_account(Username::new(name).unwrap(), internal).await.unwrap();
    Bot { id: made.user_id.to_string(), secret: made.secret.expose_secret().to_owned() }
}

async fn log_in(
    server: &Server,
    bot: &Bot,
    device: Device,
) -> Result<Response<LoginServiceResponse>, Status> {
    let request = LoginServiceRequest {
        service_account_id: bot.id.clone(),
        secret: bot.secret.clone(),
        device: Some(device),
    };
    server.auth().login_service(request).await
}

async fn credentials(server: &Server, bot: &Bot, device: Device) -> Credentials {
    log_in(server, bot, device).await.unwrap().into_inner().credentials.unwrap()
}

#[tokio::test]
async fn a_bot_logs_in_with_its_secret_and_is_shown_as_one() {
    let (_folder, server) = Server::start().await;
    let (bot, device) = (bot(&server, "weather", false).await, device());
    let first = credentials(&server, &bot, device.clone()).await;
    let again = credentials(&server, &bot, device).await;
    assert_eq!(first.session_id, again.session_id, "one session per installation");
    assert_eq!(first.refresh_token, "", "it logs in again instead");
    let own = server.people().get_profile(with(&first.access_token, GetProfileRequest::default())).await;
    let own = own.unwrap().into_inner().profile.unwrap();
    assert_eq!((own.username.as_str(), own.kind()), ("weather", AccountKind::Service));
}

#[tokio::test]
async fn a_wrong_secret_looks_like_an_unknown_account() {
    let (_folder, server) = Server::start().await;
    let (person, right) = (server.register("ada").await, bot(&server, "weather", false).await);
    let mut answers = Vec::new();
    for (id, secret) in [
        (&right.id, "wrong"),
        (&right.id, ""),
        (&UserId::new().to_string(), &right.secret),
        (&person.user_id, PASSWORD),
    ] {
        let wrong = Bot { id: id.clone(), secret: secret.to_owned() };
        let refused = log_in(&server, &wrong, device()).await.unwrap_err();
        answers.push(bytes_of(&refused));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    let wrong = Bot { id: right.id, secret: "wrong".to_owned() };
    assert_eq!(reason(log_in(&server, &wrong, device()).await), ErrorReason::CredentialsInvalid);
    let ill_formed = Bot { id: "weather".to_owned(), secret: String::new() };
    assert_eq!(fields(log_in(&server, &ill_formed, device()).await), ["service_account_id"]);
}

#[tokio::test]
async fn a_bot_has_no_password_to_change() {
    let (_folder, server) = Server::start().await;
    let bot = bot(&server, "weather", false).await;
    let token = credentials(&server, &bot, device()).await.access_token;
    let request =
        ChangePasswordRequest { current_password: bot.secret, new_password: OTHER_PASSWORD.to_owned() };
    let refused = server.auth().change_password(with(&token, request)).await;
    assert_eq!(reason(refused), ErrorReason::CredentialsInvalid);
    assert_eq!(
        reason(server.login("weather", OTHER_PASSWORD, device()).await),
        ErrorReason::CredentialsInvalid
    );
}

#[tokio::test]
async fn names_of_services_and_people_are_one_space() {
    let (_folder, server) = Server::start().await;
    bot(&server, "weather", false).await;
    assert_eq!(reason(server.auth().register(registration("weather")).await), ErrorReason::UsernameTaken);
    server.register("ada").await;
    let taken = server.app.create_service_account(Username::new("ada").unwrap(), false).await;
    assert!(matches!(taken, Err(auth_svc::Refusal::UsernameTaken)));
}

#[tokio::test]
async fn only_internal_services_call_the_internal_api_and_they_call_nothing_else() {
    let (_folder, server) = Server::start().await;
    let person = server.register("ada").await;
    let bot_token = credentials(&server, &bot(&server, "weather", false).await, device()).await.access_token;
    let chat_token = credentials(&server, &bot(&server, "chat", true).await, device()).await.access_token;
    let local_token = server.service_token().await;
    let ask = |token: &str| {
        let (mut client, request) = (server.internal(), with(token, ListRevocationsRequest { cursor: 0 }));
        async move { client.list_revocations(request).await }
    };
    for token in [&person.access_token, &bot_token] {
        assert_eq!(reason(ask(token).await), ErrorReason::TokenInvalid);
    }
    for token in [&chat_token, &local_token] {
        ask(token).await.unwrap();
        assert_eq!(server.check(token).await, Err(ErrorReason::TokenInvalid));
    }
    let without = server.internal().list_revocations(ListRevocationsRequest { cursor: 0 }).await;
    assert_eq!(reason(without), ErrorReason::TokenMissing);
}

#[tokio::test]
async fn the_internal_api_is_not_on_the_public_address() {
    let (_folder, server) = Server::start().await;
    let mut outside =
        parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient::new(
            server.channel(),
        );
    let request = with(&server.service_token().await, ListRevocationsRequest { cursor: 0 });
    assert_eq!(outside.list_revocations(request).await.unwrap_err().code(), tonic::Code::Unimplemented);
}

#[tokio::test]
async fn services_ask_which_users_there_are() {
    let (_folder, server) = Server::start().await;
    let (ada, token) = (server.register("ada").await, server.service_token().await);
    let check = |user_ids| {
        let (mut client, token) = (server.internal(), token.clone());
        async move { client.check_users(with(&token, CheckUsersRequest { user_ids })).await }
    };
    let found = check(vec![UserId::new().to_string(), ada.user_id.clone()]).await.unwrap();
    assert_eq!(found.into_inner().existing, std::slice::from_ref(&ada.user_id));
    assert_eq!(fields(check(vec![ada.user_id.clone(); 201]).await), ["user_ids"]);
    assert_eq!(fields(check(Vec::new()).await), ["user_ids"]);
    assert_eq!(fields(check(vec!["ada".to_owned()]).await), ["user_ids[0]"]);
}
