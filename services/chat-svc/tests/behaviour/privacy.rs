//! Settings: who may bring whom into a conversation, who may see whom.

use std::sync::Arc;

use parlor_grpc_kit::{Authorized, local_channel};
use parlor_testkit::{Serving, StreamClient, compose, reason};
use parlor_types::UserId;
use parlor_wire::chat::v1::server_frame::Kind as Frame;
use parlor_wire::chat::v1::{Audience, Privacy, SetPrivacyRequest};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::chat::v1::CheckVisibilityRequest;
use parlor_wire::internal::chat::v1::chat_internal_service_client::ChatInternalServiceClient;
use parlor_wire::reason::from_status;
use tonic::Request;

use crate::support::{Scene, User};

fn direct(audience: Audience) -> SetPrivacyRequest {
    SetPrivacyRequest { direct: audience.into(), ..SetPrivacyRequest::default() }
}

fn groups(audience: Audience) -> SetPrivacyRequest {
    SetPrivacyRequest { groups: audience.into(), ..SetPrivacyRequest::default() }
}

async fn told(stream: &mut StreamClient) -> Privacy {
    let privacy = stream.find("a SyncPrivacy", |frame| match frame {
        Frame::SyncPrivacy(changed) => changed.privacy,
        _ => None,
    });
    privacy.await
}

#[tokio::test]
async fn settings_are_the_same_on_all_devices() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let defaults = Privacy {
        read_receipts: true,
        online: Audience::Contacts.into(),
        last_seen: Audience::Contacts.into(),
        direct: Audience::Everyone.into(),
        groups: Audience::Everyone.into(),
    };
    assert_eq!(ada.privacy().await, defaults);
    let tablet = scene.another_session(&ada).await;
    let mut on_tablet = tablet.stream().await;
    assert_eq!(told(&mut on_tablet).await, defaults, "a first sync says them, changed or not");
    let wanted = Privacy { read_receipts: false, direct: Audience::Nobody.into(), ..defaults };
    let request = SetPrivacyRequest { read_receipts: Some(false), ..direct(Audience::Nobody) };
    assert_eq!(ada.set_privacy(request).await, wanted);
    assert_eq!(told(&mut on_tablet).await, wanted);
    assert_eq!(tablet.privacy().await, wanted);
    ada.set_privacy(request).await;
    ada.set_privacy(SetPrivacyRequest::default()).await;
    on_tablet.ping().await;
    assert!(on_tablet.take_mail().is_empty(), "what is not changed is not told");
}

/// Whether `asking` may begin a direct conversation with `asked`.
async fn begins(asking: &User, asked: &User) -> Result<(), ErrorReason> {
    asking
        .create(compose::direct(&asked.id()))
        .await
        .map(drop)
        .map_err(|status| from_status(&status).reason())
}

#[tokio::test]
async fn who_may_begin_a_direct_conversation() {
    let scene = Scene::start().await;
    let (ada, friend) = (scene.user().await, scene.user().await);
    friend.befriend(&ada).await;
    let not_accepting = Err(ErrorReason::PersonNotAccepting);
    ada.set_privacy(direct(Audience::Contacts)).await;
    let stranger = scene.user().await;
    stranger.request(&ada, "please").await.unwrap();
    assert_eq!(begins(&stranger, &ada).await, not_accepting, "who asks to be a contact is not one");
    assert_eq!(begins(&friend, &ada).await, Ok(()));
    ada.set_privacy(direct(Audience::Nobody)).await;
    assert_eq!(begins(&friend, &ada).await, Ok(()), "the one that is there is found");
    let late_friend = scene.user().await;
    late_friend.befriend(&ada).await;
    assert_eq!(begins(&late_friend, &ada).await, not_accepting);
    assert_eq!(begins(&ada, &stranger).await, Ok(()), "what Ada begins depends on the other");
    assert_eq!(begins(&ada, &ada).await, Ok(()), "notes to oneself");
    ada.set_privacy(direct(Audience::Everyone)).await;
    assert_eq!(begins(&late_friend, &ada).await, Ok(()));
}

#[tokio::test]
async fn who_may_add_somebody_to_a_group() {
    let scene = Scene::start().await;
    let (ada, friend, stranger) = (scene.user().await, scene.user().await, scene.user().await);
    friend.befriend(&ada).await;
    ada.set_privacy(groups(Audience::Contacts)).await;
    let refused = reason(stranger.create(compose::group("Tea", &[ada.id()])).await);
    assert_eq!(refused, ErrorReason::PersonNotAccepting);
    let theirs = stranger.group(&[]).await;
    let add = || compose::add(&[ada.id()]);
    assert_eq!(reason(stranger.does(&theirs, add()).await), ErrorReason::PersonNotAccepting);
    assert_eq!(stranger.row(&theirs).await.unwrap().head, 1, "nothing is stored");
    let tea = friend.group(&[&ada]).await;
    ada.set_privacy(groups(Audience::Nobody)).await;
    // Whoever is a member already is not asked again.
    let other = scene.user().await;
    friend.does(&tea, compose::add(&[ada.id(), other.id()])).await.unwrap();
    assert_eq!(friend.row(&tea).await.unwrap().member_count, 3);
    ada.does(&tea, compose::leave()).await.unwrap();
    assert_eq!(reason(friend.does(&tea, add()).await), ErrorReason::PersonNotAccepting);
}

#[tokio::test]
async fn g2_a_retry_of_what_is_stored_is_answered() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let group = compose::group("Tea", &[ada.id()]);
    let tea = ben.create(group.clone()).await.unwrap().0.id;
    let direct_one = compose::direct(&ada.id());
    ben.create(direct_one.clone()).await.unwrap();
    let chess = ben.group(&[]).await;
    let add = compose::append(&chess, 1, compose::add(&[ada.id()]));
    let stored = ben.append(&add).await.unwrap();
    ada.set_privacy(SetPrivacyRequest { ..groups(Audience::Nobody) }).await;
    ada.set_privacy(direct(Audience::Nobody)).await;
    ada.block(&ben).await;
    let (again, existed) = ben.create(group).await.unwrap();
    assert_eq!((again.id, existed), (tea, true), "G2");
    assert!(ben.create(direct_one).await.unwrap().1, "G2");
    ada.does(&chess, compose::leave()).await.unwrap();
    let again = ben.append(&add).await.unwrap();
    assert_eq!((again.seq, again.duplicate), (stored.seq, true), "G2");
}

struct Internal {
    client: ChatInternalServiceClient<Authorized>,
}

impl Internal {
    fn of(scene: &Scene) -> Self {
        let channel = local_channel(scene.app.internal());
        let client = ChatInternalServiceClient::new(Authorized::new(channel, Arc::new(scene.auth.clone())));
        Self { client }
    }

    /// Online and last seen of each, in the order asked for.
    async fn sees(&self, viewer: &User, users: &[&User]) -> Vec<(bool, bool)> {
        let user_ids: Vec<String> = users.iter().map(|user| user.id()).collect();
        let request = CheckVisibilityRequest { viewer_id: viewer.id(), user_ids: user_ids.clone() };
        let answer = self.client.clone().check_visibility(request).await.expect("an answer").into_inner();
        let named: Vec<String> = answer.visibilities.iter().map(|seen| seen.user_id.clone()).collect();
        assert_eq!(named, user_ids);
        answer.visibilities.iter().map(|seen| (seen.online, seen.last_seen)).collect()
    }
}

#[tokio::test]
async fn g7_other_services_learn_who_may_see_whom() {
    let scene = Scene::start().await;
    let internal = Internal::of(&scene);
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let (yes, no) = ((true, true), (false, false));
    assert_eq!(internal.sees(&ada, &[&ben, &ada, &cleo, &ben]).await, [no, yes, no, no]);
    ada.befriend(&ben).await;
    ada.group(&[&cleo]).await;
    assert_eq!(internal.sees(&ada, &[&ben, &cleo]).await, [yes, yes]);
    assert_eq!(internal.sees(&ben, &[&ada, &cleo]).await, [yes, no]);
    ben.set_privacy(SetPrivacyRequest { online: Audience::Nobody.into(), ..SetPrivacyRequest::default() })
        .await;
    assert_eq!(internal.sees(&ada, &[&ben]).await, [(false, true)]);
    assert_eq!(internal.sees(&ben, &[&ada, &ben]).await, [(false, true), yes], "mutual, and oneself");
    cleo.block(&ada).await;
    assert_eq!(internal.sees(&ada, &[&cleo]).await, [no], "G7");
    assert_eq!(internal.sees(&cleo, &[&ada]).await, [no]);
}

#[tokio::test]
async fn g7_the_internal_calls_are_for_services_alone() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let request = || CheckVisibilityRequest { viewer_id: ada.id(), user_ids: vec![ada.id()] };
    let internal = Serving::start(scene.app.internal()).await;
    let mut client = ChatInternalServiceClient::new(internal.channel().await);
    assert_eq!(reason(client.check_visibility(request()).await), ErrorReason::TokenMissing);
    let mut with_token = Request::new(request());
    let bearer = format!("Bearer {}", ada.person.token);
    with_token.metadata_mut().insert("authorization", bearer.parse().unwrap());
    assert_eq!(reason(client.check_visibility(with_token).await), ErrorReason::TokenInvalid, "G7");
    let mut outside = ChatInternalServiceClient::new(scene.channel().await);
    let answer = outside.check_visibility(request()).await.unwrap_err();
    assert_eq!(answer.code(), tonic::Code::Unimplemented, "the public address does not know it");
    let internal = Internal::of(&scene);
    let crowd: Vec<String> = (0..201).map(|_| UserId::new().to_string()).collect();
    for (viewer_id, user_ids, field) in [
        ("ada".to_owned(), vec![ada.id()], "viewer_id"),
        (ada.id(), Vec::new(), "user_ids"),
        (ada.id(), crowd.clone(), "user_ids"),
        (ada.id(), vec![ada.id(), "ben".to_owned()], "user_ids[1]"),
    ] {
        let request = CheckVisibilityRequest { viewer_id, user_ids };
        let problem = from_status(&internal.client.clone().check_visibility(request).await.unwrap_err());
        assert_eq!(
            (problem.reason(), problem.violations[0].field.as_str()),
            (ErrorReason::FieldInvalid, field)
        );
    }
    let most = CheckVisibilityRequest { viewer_id: ada.id(), user_ids: crowd[..200].to_vec() };
    let answer = internal.client.clone().check_visibility(most).await.unwrap().into_inner();
    assert!(answer.visibilities.iter().all(|seen| !seen.online && !seen.last_seen), "nobody's");
}
