//! G7: who may not see somebody cannot tell them from nobody, and who is not a service cannot ask where people are.

use parlor_testkit::{Bearer, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::internal::presence::v1::presence_internal_service_client::PresenceInternalServiceClient;
use parlor_wire::internal::presence::v1::{AttachRequest, LocateRequest, SnapshotDone};
use parlor_wire::presence::v1::{
    Appearance, Availability, BatchGetPresenceRequest, GetStatusRequest, Presence, SetStatusRequest,
    WatchRequest,
};
use prost::Message as _;
use tonic::{Code, Status};

use crate::support::*;

#[tokio::test]
async fn g7_a_stranger_gets_the_bytes_of_an_unknown_id() {
    let scene = Scene::start().await;
    let (ada, eve, node) = (scene.user().await, scene.user().await, scene.node().await);
    let nobody = nobody();
    for user in [&ada.id(), &nobody] {
        scene.chat.allow(&eve.person, user, false, false);
    }
    let stream = node.open(&ada, true).await;
    for (foreground, appearance) in [
        (true, Appearance::Online),
        (true, Appearance::DoNotDisturb),
        (false, Appearance::Online),
        (true, Appearance::Invisible),
    ] {
        node.open_as(&stream, &ada, foreground, false).await;
        ada.choose(appearance, "a word").await;
        let answer = eve.batch(&[ada.id(), nobody.clone()]).await.unwrap();
        let bytes: Vec<Vec<u8>> = answer
            .into_iter()
            .map(|presence| Presence { user_id: "somebody".to_owned(), ..presence }.encode_to_vec())
            .collect();
        assert_eq!(bytes[0], bytes[1], "G7: {appearance:?}");
        let nothing = Presence { user_id: "somebody".to_owned(), ..Presence::default() };
        assert_eq!(bytes[0], nothing.encode_to_vec(), "G7: {appearance:?}");
    }
    // By Watch, too: of those who may be seen it tells, of the others the same, once.
    let ben = scene.user().await;
    let users = vec![ada.id(), nobody.clone(), ben.id()];
    let mut watch = eve.presence.clone().watch(WatchRequest { user_ids: users }).await.unwrap().into_inner();
    let mut told = Vec::new();
    while !told.iter().any(|presence: &Presence| presence.availability() == Availability::Online) {
        node.open(&ben, true).await;
        told.extend(parlor_testkit::in_time("news", watch.message()).await.unwrap().unwrap().presences);
    }
    let mut of_others: Vec<_> = told.into_iter().filter(|presence| presence.user_id != ben.id()).collect();
    of_others.sort_by_key(|presence| presence.user_id != ada.id());
    let nothing = [ada.id(), nobody].map(|user_id| Presence { user_id, ..Presence::default() });
    assert_eq!(of_others, nothing, "G7");
}

#[tokio::test]
async fn g7_last_seen_is_in_no_answer_to_one_who_may_not_see_it() {
    let scene = Scene::start().await;
    let (ada, eve, mut node) = (scene.user().await, scene.user().await, scene.node().await);
    scene.chat.allow(&eve.person, &ada.id(), true, false);
    let (watcher, stream) = (node.open(&eve, true).await, node.open(&ada, true).await);
    node.watch(&watcher, &[&ada]).await;
    node.hears(&watcher, &ada, Availability::Online).await;
    node.close(&stream, true).await;
    assert_eq!(node.hears(&watcher, &ada, Availability::Offline).await.last_seen, None, "G7");
    assert_eq!(eve.sees(&ada).await.last_seen, None, "G7");
    assert!(scene.shows(&ada, Availability::Offline).await.last_seen.is_some(), "others may");

    // And who may see that alone cannot tell from it whether somebody is there now.
    scene.chat.allow(&eve.person, &ada.id(), false, true);
    let left = eve.sees(&ada).await;
    assert!(left.last_seen.is_some() && left.availability() == Availability::Unspecified, "{left:?}");
    node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
    assert_eq!(eve.sees(&ada).await, left, "G7");
}

#[tokio::test]
async fn g7_what_only_services_may_ask_is_not_there_for_clients() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let locate = || LocateRequest { user_ids: vec![ada.id()] };
    let frames = || AttachRequest { frames: Vec::new() };
    let bearer = |token: Option<&str>| Bearer::new(token);
    let code = |answer: Result<(), Status>| answer.unwrap_err().code();

    let channel = scene.public_channel().await;
    let token = parlor_grpc_kit::TokenSource::token(&scene.auth).await.unwrap();
    for token in [ada.person.token.as_str(), &token] {
        let mut public =
            PresenceInternalServiceClient::with_interceptor(channel.clone(), bearer(Some(token)));
        assert_eq!(code(public.locate(locate()).await.map(drop)), Code::Unimplemented, "G7");
        let attach = public.attach(tokio_stream::once(frames())).await;
        assert_eq!(code(attach.map(drop)), Code::Unimplemented, "G7");
    }
    let channel = scene.internal_channel().await;
    for (token, why) in [
        (None, ErrorReason::TokenMissing),
        (Some(ada.person.token.as_str()), ErrorReason::TokenInvalid),
        (Some("garbage"), ErrorReason::TokenInvalid),
    ] {
        let mut internal = PresenceInternalServiceClient::with_interceptor(channel.clone(), bearer(token));
        assert_eq!(reason(internal.locate(locate()).await), why, "G7: {token:?}");
        let attach = internal.attach(tokio_stream::once(frames())).await;
        assert_eq!(reason(attach.map(drop)), why, "G7: {token:?}");
    }
    let node = scene.node().await;
    node.say(Kind::SnapshotDone(SnapshotDone {})).await;
}

#[tokio::test]
async fn g7_every_public_call_wants_a_good_token() {
    let scene = Scene::start().await;
    let service = parlor_grpc_kit::TokenSource::token(&scene.auth).await.unwrap();
    for (token, why) in [
        (None, ErrorReason::TokenMissing),
        (Some("garbage"), ErrorReason::TokenInvalid),
        (Some(service.as_str()), ErrorReason::TokenInvalid),
    ] {
        let mut client = scene.calling(token).await;
        let refusals = [
            reason(client.set_status(SetStatusRequest::default()).await),
            reason(client.get_status(GetStatusRequest {}).await),
            reason(client.batch_get_presence(BatchGetPresenceRequest::default()).await),
            reason(client.watch(WatchRequest::default()).await.map(drop)),
        ];
        assert_eq!(refusals, [why; 4], "G7: {token:?}");
    }
}
