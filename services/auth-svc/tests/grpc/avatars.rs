//! Pictures of users: claimed at media-svc, shown in profiles, given up when another takes their place.

use parlor_testkit::{Mood, PATIENCE, TestMedia, eventually};
use parlor_types::{Id as _, MediaId, UserId};
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::auth::v1::FindMediaReferencesRequest;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, ReleaseRequest, Use};
use parlor_wire::media::v1::{Media, Purpose};
use tempfile::TempDir;
use tonic::{Response, Status};

use crate::support::*;

async fn start() -> (TempDir, TestMedia, Server) {
    let (folder, media) = (tempfile::tempdir().unwrap(), TestMedia::new());
    let server = Server::start_with_media(config(folder.path()), media.channel()).await;
    (folder, media, server)
}

fn picture_of(media: &TestMedia, who: &Credentials, purpose: Purpose) -> Media {
    media.upload(UserId::parse(&who.user_id).unwrap(), purpose)
}

async fn update(
    server: &Server,
    who: &Credentials,
    request: UpdateProfileRequest,
) -> Result<Response<UpdateProfileResponse>, Status> {
    server.people().update_profile(with(&who.access_token, request)).await
}

async fn set(server: &Server, who: &Credentials, id: &str) -> Result<Profile, Status> {
    let request = UpdateProfileRequest { avatar_id: Some(id.to_owned()), ..Default::default() };
    Ok(update(server, who, request).await?.into_inner().profile.unwrap())
}

async fn seen(server: &Server, by: &Credentials, who: &Credentials) -> Profile {
    let request = GetProfileRequest { user: Some(User::UserId(who.user_id.clone())) };
    let answer = server.people().get_profile(with(&by.access_token, request)).await.unwrap();
    answer.into_inner().profile.unwrap()
}

async fn used(server: &Server, media_ids: Vec<String>) -> Result<Vec<String>, Status> {
    let request = with(&server.service_token().await, FindMediaReferencesRequest { media_ids });
    Ok(server.internal().find_media_references(request).await?.into_inner().referenced_ids)
}

fn profile_of(who: &Credentials) -> Option<Use> {
    Some(Use { place: Some(Place::ProfileUserId(who.user_id.clone())) })
}

#[tokio::test]
async fn a_picture_is_claimed_shown_and_found_again() {
    let (_folder, media, server) = start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let picture = picture_of(&media, &ada, Purpose::Avatar);
    let changed = set(&server, &ada, &picture.id).await.unwrap();
    assert_eq!((&changed.avatar, changed.version), (&Some(picture.clone()), 2));
    let claim = ClaimRequest {
        user_id: ada.user_id.clone(),
        r#use: profile_of(&ada),
        media_ids: vec![picture.id.clone()],
        readable_ids: Vec::new(),
    };
    assert_eq!(media.claims(), [claim]);
    assert_eq!(seen(&server, &ben, &ada).await, changed);
    let batch = BatchGetProfilesRequest { user_ids: vec![ada.user_id.clone()] };
    let batch = server.people().batch_get_profiles(with(&ben.access_token, batch)).await.unwrap();
    assert_eq!(batch.into_inner().profiles, std::slice::from_ref(&changed));
    let search = SearchUsersRequest { prefix: "ada".to_owned(), ..SearchUsersRequest::default() };
    let search = server.people().search_users(with(&ben.access_token, search)).await.unwrap();
    assert_eq!(search.into_inner().profiles, std::slice::from_ref(&changed));
    let unknown = MediaId::new().to_string();
    assert_eq!(
        used(&server, vec![unknown, picture.id.clone()]).await.unwrap(),
        std::slice::from_ref(&picture.id)
    );

    let server = server.restart().await;
    assert_eq!(seen(&server, &ben, &ada).await, changed, "G1");
    assert_eq!(used(&server, vec![picture.id.clone()]).await.unwrap(), [picture.id]);
}

#[tokio::test]
async fn g2_a_retry_changes_nothing_and_needs_no_media_svc() {
    let (_folder, media, server) = start().await;
    let ada = server.register("ada").await;
    let picture = picture_of(&media, &ada, Purpose::Avatar);
    let changed = set(&server, &ada, &picture.id).await.unwrap();
    media.set(Mood::Fails(ErrorReason::Unavailable));
    assert_eq!(set(&server, &ada, &picture.id).await.unwrap(), changed, "G2");
    let form = UpdateProfileRequest {
        display_name: Some("Ada L.".to_owned()),
        avatar_id: Some(picture.id.clone()),
        ..Default::default()
    };
    let filled = update(&server, &ada, form).await.unwrap().into_inner().profile.unwrap();
    assert_eq!((filled.display_name.as_str(), filled.version), ("Ada L.", 3));
    assert_eq!((filled.avatar, media.claims().len()), (Some(picture), 1));
    assert!(media.releases().is_empty());
}

#[tokio::test]
async fn the_old_picture_is_given_up() {
    let (_folder, media, server) = start().await;
    let ada = server.register("ada").await;
    let [first, second] = [(); 2].map(|()| picture_of(&media, &ada, Purpose::Avatar));
    set(&server, &ada, &first.id).await.unwrap();
    let both = UpdateProfileRequest {
        bio: Some("words".to_owned()),
        avatar_id: Some(second.id.clone()),
        ..Default::default()
    };
    let changed = update(&server, &ada, both).await.unwrap().into_inner().profile.unwrap();
    assert_eq!((changed.version, changed.avatar), (3, Some(second.clone())), "one change, one version");
    let release =
        |picture: &Media| ReleaseRequest { r#use: profile_of(&ada), media_ids: vec![picture.id.clone()] };
    eventually("the first is released", PATIENCE, async || media.releases() == [release(&first)]).await;
    // What media-svc does not hear now it finds out later; nobody waits for it.
    media.set(Mood::Hangs);
    let removed = set(&server, &ada, "").await.unwrap();
    assert_eq!((removed.version, removed.avatar), (4, None));
    assert_eq!(set(&server, &ada, "").await.unwrap().version, 4, "G2");
    eventually("so is the second", PATIENCE, async || {
        media.releases() == [release(&first), release(&second)]
    })
    .await;
    assert_eq!(used(&server, vec![first.id, second.id]).await.unwrap(), [] as [String; 0]);
}

#[tokio::test]
async fn what_is_no_picture_of_the_caller_s_is_refused_and_nothing_changes() {
    let (_folder, media, server) = start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let mine = picture_of(&media, &ada, Purpose::Avatar);
    set(&server, &ada, &mine.id).await.unwrap();
    for (id, expected) in [
        (picture_of(&media, &ben, Purpose::Avatar).id, ErrorReason::MediaNotFound),
        (MediaId::new().to_string(), ErrorReason::MediaNotFound),
        (picture_of(&media, &ada, Purpose::Image).id, ErrorReason::MediaTypeMismatch),
        (picture_of(&media, &ada, Purpose::File).id, ErrorReason::MediaTypeMismatch),
    ] {
        assert_eq!(reason(set(&server, &ada, &id).await), expected);
    }
    // Seen by all is not owned: another's picture cannot be taken.
    assert_eq!(reason(set(&server, &ben, &mine.id).await), ErrorReason::MediaNotFound);
    let request = UpdateProfileRequest {
        bio: Some("\u{7}".to_owned()),
        avatar_id: Some("me.jpg".to_owned()),
        ..Default::default()
    };
    assert_eq!(fields(update(&server, &ada, request).await), ["bio", "avatar_id"]);
    let other = picture_of(&media, &ada, Purpose::Avatar);
    for (mood, expected, retries) in [
        (ErrorReason::MediaRefused, ErrorReason::MediaRefused, false),
        (ErrorReason::StorageFull, ErrorReason::StorageFull, true),
        (ErrorReason::Internal, ErrorReason::Unavailable, true),
    ] {
        media.set(Mood::Fails(mood));
        let request = UpdateProfileRequest { avatar_id: Some(other.id.clone()), ..Default::default() };
        let problem = problem(update(&server, &ada, request).await);
        assert_eq!((problem.reason(), problem.retry_after.is_some()), (expected, retries));
    }
    assert_eq!((seen(&server, &ben, &ada).await.avatar, media.releases().len()), (Some(mine), 0));
}

#[tokio::test]
async fn without_media_svc_everything_else_of_a_profile_changes() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let id = MediaId::new().to_string();
    assert_eq!(reason(set(&server, &ada, &id).await), ErrorReason::Unavailable);
    let request = UpdateProfileRequest { bio: Some("words".to_owned()), ..Default::default() };
    assert_eq!(update(&server, &ada, request).await.unwrap().into_inner().profile.unwrap().version, 2);
    assert_eq!(set(&server, &ada, "").await.unwrap().version, 2, "there was none");

    let (_folder, media, server) = start().await;
    let ada = server.register("ada").await;
    let picture = picture_of(&media, &ada, Purpose::Avatar);
    media.set(Mood::Hangs);
    assert_eq!(reason(set(&server, &ada, &picture.id).await), ErrorReason::Unavailable, "within 2 s");
}

#[tokio::test]
async fn questions_about_pictures_have_1_to_200_ids_and_are_for_services() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let crowd: Vec<String> = (0..201).map(|_| MediaId::new().to_string()).collect();
    assert_eq!(used(&server, crowd[..200].to_vec()).await.unwrap(), [] as [String; 0]);
    for (media_ids, field) in [
        (Vec::new(), "media_ids"),
        (crowd.clone(), "media_ids"),
        (vec![crowd[0].clone(), "me.jpg".to_owned()], "media_ids[1]"),
    ] {
        let request = with(&server.service_token().await, FindMediaReferencesRequest { media_ids });
        assert_eq!(fields(server.internal().find_media_references(request).await), [field]);
    }
    let request = with(&ada.access_token, FindMediaReferencesRequest { media_ids: crowd[..1].to_vec() });
    let refused = server.internal().find_media_references(request).await;
    assert_eq!(reason(refused), ErrorReason::TokenInvalid, "G7");
}
