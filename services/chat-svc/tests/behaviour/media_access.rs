//! Who may have a file for an entry that names it: what media-svc asks.

use std::sync::Arc;

use parlor_grpc_kit::{Authorized, local_channel};
use parlor_testkit::{compose, reason};
use parlor_types::MediaId;
use parlor_wire::chat::v1::SetAvatar;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::chat::v1::chat_internal_service_client::ChatInternalServiceClient;
use parlor_wire::internal::chat::v1::{CheckMediaAccessRequest, FindMediaReferencesRequest};
use parlor_wire::media::v1::{Media, Purpose};
use parlor_wire::reason::from_status;

use crate::media::image;
use crate::support::{Scene, User};

/// What media-svc asks.
pub struct Internal(ChatInternalServiceClient<Authorized>);

impl Internal {
    pub fn of(scene: &Scene) -> Self {
        let channel = Authorized::new(local_channel(scene.app.internal()), Arc::new(scene.auth.clone()));
        Self(ChatInternalServiceClient::new(channel))
    }

    /// Which of these the user can have, by their places among them.
    pub async fn can_have(&self, user: &User, media: &[Media]) -> Vec<usize> {
        let request = CheckMediaAccessRequest { user_id: user.id(), media_ids: ids(media) };
        let answer = self.0.clone().check_media_access(request).await.expect("an answer").into_inner();
        places(media, &answer.readable_ids)
    }

    pub async fn referenced(&self, media: &[Media]) -> Vec<usize> {
        let request = FindMediaReferencesRequest { media_ids: ids(media) };
        let answer = self.0.clone().find_media_references(request).await.expect("an answer").into_inner();
        places(media, &answer.referenced_ids)
    }
}

fn ids(media: &[Media]) -> Vec<String> {
    media.iter().map(|media| media.id.clone()).collect()
}

fn places(media: &[Media], found: &[String]) -> Vec<usize> {
    (0..media.len()).filter(|place| found.contains(&media[*place].id)).collect()
}

#[tokio::test]
async fn g7_a_file_follows_what_can_be_read() {
    let scene = Scene::start().await;
    let internal = Internal::of(&scene);
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let media: Vec<Media> = (0..5).map(|_| scene.upload(&ada, Purpose::Image)).collect();
    ada.does(&tea, image(&media[0])).await.unwrap();
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    ada.does(&tea, image(&media[1])).await.unwrap();
    assert_eq!(internal.can_have(&ben, &media).await, [0], "G7: up to the removal");
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    ada.does(&tea, image(&media[2])).await.unwrap();
    assert_eq!(internal.can_have(&ben, &media).await, [0, 2], "G7: nothing of the time in between");
    ben.block(&ada).await;
    ada.does(&tea, image(&media[3])).await.unwrap();
    ben.unblock(&ada).await;
    assert_eq!(internal.can_have(&ben, &media).await, [0, 2], "G7: withheld for ever");
    assert_eq!(internal.can_have(&ada, &media).await, [0, 1, 2, 3]);
    assert!(internal.can_have(&cleo, &media).await.is_empty(), "G7: a stranger");
    assert_eq!(internal.referenced(&media).await, [0, 1, 2, 3]);
}

#[tokio::test]
async fn g7_who_joins_can_have_the_picture_of_the_group_and_nothing_else_of_before() {
    let scene = Scene::start().await;
    let internal = Internal::of(&scene);
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[]).await;
    let avatar = |media: &Media| Kind::SetAvatar(SetAvatar { media: Some(media.clone()) });
    let media: Vec<Media> = (0..3).map(|_| scene.upload(&ada, Purpose::Avatar)).collect();
    ada.does(&tea, avatar(&media[0])).await.unwrap();
    ada.does(&tea, avatar(&media[1])).await.unwrap();
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().avatar, Some(media[1].clone()));
    assert_eq!(internal.can_have(&ben, &media).await, [1], "G7");
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    ada.does(&tea, avatar(&media[2])).await.unwrap();
    assert_eq!(ben.row(&tea).await.unwrap().avatar, Some(media[1].clone()), "G7: as it was when he left");
    assert_eq!(internal.can_have(&ben, &media).await, [1], "G7");
    assert_eq!(internal.can_have(&ada, &media).await, [0, 1, 2]);
}

#[tokio::test]
async fn who_can_read_a_file_can_send_it_on_and_nobody_else() {
    let scene = Scene::start().await;
    let internal = Internal::of(&scene);
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let (tea, chess) = (ada.group(&[&ben]).await, ben.group(&[&cleo]).await);
    let picture = scene.upload(&ada, Purpose::Image);
    let refused = |result| assert_eq!(reason(result), ErrorReason::MediaNotFound, "G7");
    refused(ben.does(&chess, image(&picture)).await);
    ada.does(&tea, image(&picture)).await.unwrap();
    refused(cleo.does(&chess, image(&picture)).await);
    ben.does(&chess, image(&picture)).await.unwrap();
    let claim = scene.media.claims().pop().expect("a claim");
    assert_eq!((claim.user_id, claim.readable_ids), (ben.id(), vec![picture.id.clone()]));
    assert_eq!(internal.can_have(&cleo, std::slice::from_ref(&picture)).await, [0]);
    cleo.does(&chess, image(&picture)).await.unwrap();
    let stored = cleo.log(&chess).await.unwrap().pop().and_then(|entry| entry.content);
    let expected = Kind::Image(parlor_wire::chat::v1::Image { media: Some(picture), caption: String::new() });
    assert_eq!(stored.and_then(|content| content.kind), Some(expected), "described as the first time");
}

/// The answers to a stranger and to an ex-member are those to an unknown id, whatever media-svc knows of the file.
#[tokio::test]
async fn g7_strangers_claim_nothing() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let picture = scene.upload(&ben, Purpose::Image);
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    let stranger = scene.user().await;
    let unknown = parlor_types::ConversationId::new().to_string();
    let mut answers = Vec::new();
    for (user, conversation) in [(&ben, &tea), (&stranger, &tea), (&ada, &unknown)] {
        for media in [&picture, &Media { id: MediaId::new().to_string(), ..Media::default() }] {
            let answer = user.append(&compose::append(conversation, 1, image(media))).await.unwrap_err();
            answers.push((answer.code(), answer.message().to_owned(), answer.details().to_vec()));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "G7: {answers:?}");
    assert!(scene.media.claims().is_empty());
}

#[tokio::test]
async fn questions_have_1_to_200_ids_and_are_for_services() {
    let scene = Scene::start().await;
    let internal = Internal::of(&scene);
    let ada = scene.user().await;
    let crowd: Vec<String> = (0..201).map(|_| MediaId::new().to_string()).collect();
    let some = || crowd[..1].to_vec();
    for (user_id, media_ids, field) in [
        ("ada".to_owned(), some(), "user_id"),
        (ada.id(), Vec::new(), "media_ids"),
        (ada.id(), crowd.clone(), "media_ids"),
        (ada.id(), vec![crowd[0].clone(), "picture.jpg".to_owned()], "media_ids[1]"),
    ] {
        let named = |status: &tonic::Status| from_status(status).violations[0].field.clone();
        if field != "user_id" {
            let request = FindMediaReferencesRequest { media_ids: media_ids.clone() };
            assert_eq!(named(&internal.0.clone().find_media_references(request).await.unwrap_err()), field);
        }
        let request = CheckMediaAccessRequest { user_id, media_ids };
        assert_eq!(named(&internal.0.clone().check_media_access(request).await.unwrap_err()), field);
    }
    let most = FindMediaReferencesRequest { media_ids: crowd[..200].to_vec() };
    assert!(
        internal
            .0
            .clone()
            .find_media_references(most.clone())
            .await
            .unwrap()
            .into_inner()
            .referenced_ids
            .is_empty()
    );
    let mut bare = ChatInternalServiceClient::new(local_channel(scene.app.internal()));
    assert_eq!(reason(bare.find_media_references(most).await), ErrorReason::TokenMissing, "G7");
    let request = CheckMediaAccessRequest { user_id: ada.id(), media_ids: some() };
    assert_eq!(reason(bare.check_media_access(request).await), ErrorReason::TokenMissing, "G7");
}
