//! G7: only a good access token lets anybody in, on every kind of call.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_grpc_kit::Audience;
use parlor_testkit::{PATIENCE, StreamClient, TestAuth, eventually, reason};
use parlor_wire::chat::v1::{
    AppendRequest, CreateConversationRequest, FetchRequest, GetBadgeRequest, GetConversationRequest,
    GetReceiptsRequest, ListConversationsRequest, ListMessagesRequest, MarkReadRequest, MarkReceivedRequest,
    PushRequest, SetPreferencesRequest, SyncRequest,
};
use parlor_wire::errors::v1::ErrorReason;

use crate::support::{Scene, hello};

/// Why each call of the service is refused with this token; the requests themselves are empty.
async fn refusals(scene: &Scene, token: Option<&str>) -> Vec<ErrorReason> {
    let mut chat = scene.calling(token).await;
    vec![
        reason(StreamClient::open(&chat).await),
        reason(StreamClient::subscribe(&chat, hello()).await),
        reason(chat.push(PushRequest::default()).await),
        reason(chat.create_conversation(CreateConversationRequest::default()).await),
        reason(chat.append(AppendRequest::default()).await),
        reason(chat.fetch(FetchRequest::default()).await),
        reason(chat.list_messages(ListMessagesRequest::default()).await),
        reason(chat.get_conversation(GetConversationRequest::default()).await),
        reason(chat.list_conversations(ListConversationsRequest::default()).await),
        reason(chat.sync(SyncRequest::default()).await),
        reason(chat.mark_received(MarkReceivedRequest::default()).await),
        reason(chat.mark_read(MarkReadRequest::default()).await),
        reason(chat.get_receipts(GetReceiptsRequest::default()).await),
        reason(chat.set_preferences(SetPreferencesRequest::default()).await),
        reason(chat.get_badge(GetBadgeRequest {}).await),
    ]
}

#[tokio::test]
async fn g7_tokens_that_are_not_good_are_refused_by_every_call() {
    let scene = Scene::start().await;
    let ada = scene.auth.person();
    let (now, minutes) = (SystemTime::now(), |minutes: u64| Duration::from_secs(60 * minutes));
    let expired = parlor_grpc_kit::Caller { expires_at: now - minutes(1), ..ada.caller.clone() };
    let expired = scene.auth.token(&expired, Audience::Public, now - minutes(11));
    let other_audience = scene.auth.token(&ada.caller, Audience::Internal, now);
    let forged = TestAuth::new().token(&ada.caller, Audience::Public, now);
    let (header, rest) = ada.token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"test"}"#);
    let revoked = scene.auth.person();
    scene.auth.revoke(&revoked);
    eventually("the revocation is known", PATIENCE, async || {
        scene.calling(Some(&revoked.token)).await.sync(SyncRequest::default()).await.is_err()
    })
    .await;
    for (token, wanted) in [
        (None, ErrorReason::TokenMissing),
        (Some(""), ErrorReason::TokenInvalid),
        (Some("garbage"), ErrorReason::TokenInvalid),
        (Some(expired.as_str()), ErrorReason::TokenExpired),
        (Some(other_audience.as_str()), ErrorReason::TokenInvalid),
        (Some(forged.as_str()), ErrorReason::TokenInvalid),
        (Some(format!("{none}.{claims}.").as_str()), ErrorReason::TokenInvalid),
        (Some(format!("{none}.{claims}.{signature}").as_str()), ErrorReason::TokenInvalid),
        (Some(format!("{header}.{claims}.").as_str()), ErrorReason::TokenInvalid),
        (Some(revoked.token.as_str()), ErrorReason::SessionEnded),
    ] {
        assert_eq!(refusals(&scene, token).await, [wanted; 15], "G7: {token:?}");
    }
    let mut good = scene.calling(Some(&ada.token)).await;
    good.sync(SyncRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_stream_outlives_the_token_it_was_opened_with() {
    let scene = Scene::start().await;
    let mut ada = scene.auth.person();
    // Within the leeway of 5 s for clocks that differ, and soon no longer.
    ada.caller.expires_at = SystemTime::now() - Duration::from_secs(3);
    ada.token =
        scene.auth.token(&ada.caller, Audience::Public, ada.caller.expires_at - Duration::from_secs(60));
    let ada = scene.session(ada).await;
    let mut stream = ada.stream().await;
    eventually("the token expires", PATIENCE, async || {
        let answer = ada.chat.clone().sync(SyncRequest::default()).await;
        answer.is_err_and(|status| reason(Err::<(), _>(status)) == ErrorReason::TokenExpired)
    })
    .await;
    stream.ping().await;
}
