//! GetProfile, BatchGetProfiles, UpdateProfile, SearchUsers.

use parlor_types::UserId;
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;
use tonic::{Response, Status};

use crate::support::*;

async fn get(
    server: &Server,
    token: &str,
    user: Option<User>,
) -> Result<Response<GetProfileResponse>, Status> {
    server.people().get_profile(with(token, GetProfileRequest { user })).await
}

async fn update(
    server: &Server,
    token: &str,
    name: Option<&str>,
    bio: Option<&str>,
) -> Result<Profile, Status> {
    let request = UpdateProfileRequest {
        display_name: name.map(str::to_owned),
        bio: bio.map(str::to_owned),
        ..Default::default()
    };
    let answer = server.people().update_profile(with(token, request)).await?;
    Ok(answer.into_inner().profile.unwrap())
}

async fn search(
    server: &Server,
    token: &str,
    request: SearchUsersRequest,
) -> Result<SearchUsersResponse, Status> {
    server.people().search_users(with(token, request)).await.map(Response::into_inner)
}

fn prefix(text: &str) -> SearchUsersRequest {
    SearchUsersRequest { prefix: text.to_owned(), ..SearchUsersRequest::default() }
}

fn names(found: &SearchUsersResponse) -> Vec<&str> {
    found.profiles.iter().map(|profile| profile.username.as_str()).collect()
}

#[tokio::test]
async fn a_profile_is_found_by_id_and_by_name() {
    let (_folder, server) = Server::start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let token = &ada.access_token;
    let own = get(&server, token, None).await.unwrap().into_inner().profile.unwrap();
    assert_eq!(own.user_id, ada.user_id);
    let by_id = get(&server, token, Some(User::UserId(ben.user_id.clone()))).await.unwrap().into_inner();
    let by_name = get(&server, token, Some(User::Username("BEN".to_owned()))).await.unwrap().into_inner();
    assert_eq!(by_id, by_name);
    assert_eq!(by_id.profile.unwrap().user_id, ben.user_id);

    for nobody in [User::UserId(UserId::new().to_string()), User::Username("nobody".to_owned())] {
        assert_eq!(reason(get(&server, token, Some(nobody)).await), ErrorReason::UserNotFound);
    }
    assert_eq!(fields(get(&server, token, Some(User::UserId("ben".to_owned()))).await), ["user_id"]);
    assert_eq!(fields(get(&server, token, Some(User::Username("b".to_owned()))).await), ["username"]);
}

#[tokio::test]
async fn a_batch_keeps_its_order_and_leaves_out_who_is_not_there() {
    let (_folder, server) = Server::start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let batch = |user_ids| {
        let (mut client, token) = (server.people(), ada.access_token.clone());
        async move { client.batch_get_profiles(with(&token, BatchGetProfilesRequest { user_ids })).await }
    };
    let ids = vec![ben.user_id.clone(), UserId::new().to_string(), ada.user_id.clone()];
    let found = batch(ids).await.unwrap().into_inner().profiles;
    let found: Vec<_> = found.into_iter().map(|profile| profile.user_id).collect();
    assert_eq!(found, [ben.user_id.clone(), ada.user_id.clone()]);

    assert_eq!(batch(vec![ada.user_id.clone(); 200]).await.unwrap().into_inner().profiles.len(), 200);
    assert_eq!(fields(batch(vec![ada.user_id.clone(); 201]).await), ["user_ids"]);
    assert_eq!(fields(batch(Vec::new()).await), ["user_ids"]);
    assert_eq!(fields(batch(vec![ada.user_id.clone(), "ben".to_owned()]).await), ["user_ids[1]"]);
}

#[tokio::test]
async fn a_change_is_seen_and_a_retry_changes_nothing() {
    let (_folder, server) = Server::start().await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let changed = update(&server, &ada.access_token, Some(" Ada L. "), None).await.unwrap();
    assert_eq!((changed.display_name.as_str(), changed.bio.as_str(), changed.version), ("Ada L.", "", 2));
    let changed = update(&server, &ada.access_token, None, Some("one\ntwo")).await.unwrap();
    assert_eq!(
        (changed.display_name.as_str(), changed.bio.as_str(), changed.version),
        ("Ada L.", "one\ntwo", 3)
    );
    let again = update(&server, &ada.access_token, Some("Ada L."), Some("one\ntwo")).await.unwrap();
    assert_eq!(again, changed);
    let seen = get(&server, &ben.access_token, Some(User::UserId(ada.user_id))).await.unwrap().into_inner();
    assert_eq!(seen.profile, Some(changed));
    let cleared = update(&server, &ada.access_token, None, Some("")).await.unwrap();
    assert_eq!((cleared.bio.as_str(), cleared.version), ("", 4));
}

#[tokio::test]
async fn bad_words_are_refused_and_nothing_changes() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let (long_name, long_bio) = ("x".repeat(65), "x".repeat(301));
    for (name, bio) in [("", "\u{7}"), ("a\nb", long_bio.as_str()), (long_name.as_str(), "\u{1b}[2J")] {
        let request = UpdateProfileRequest {
            display_name: Some(name.to_owned()),
            bio: Some(bio.to_owned()),
            ..Default::default()
        };
        let refused = server.people().update_profile(with(&ada.access_token, request)).await;
        assert_eq!(fields(refused), ["display_name", "bio"]);
    }
    let profile = get(&server, &ada.access_token, None).await.unwrap().into_inner().profile.unwrap();
    assert_eq!((profile.version, profile.display_name.as_str()), (1, "ada"));
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_either_name() {
    let (_folder, server) = Server::start().await;
    let ada = server.register("ada").await;
    let greek = server.register("odysseus").await;
    update(&server, &greek.access_token, Some("ΟΔΥΣΣΕΥΣ"), None).await.unwrap();
    let zoe = server.register("zoe").await;
    update(&server, &zoe.access_token, Some("Ada Straße"), None).await.unwrap();
    let token = &ada.access_token;
    assert_eq!(names(&search(&server, token, prefix("AD")).await.unwrap()), ["ada", "zoe"]);
    assert_eq!(names(&search(&server, token, prefix("οδυς")).await.unwrap()), ["odysseus"]);
    assert_eq!(names(&search(&server, token, prefix("ada STRASS")).await.unwrap()), ["zoe"]);
    assert_eq!(names(&search(&server, token, prefix("da")).await.unwrap()), [] as [&str; 0]);
    for bad in ["", " ", &"x".repeat(65)] {
        let refused = server.people().search_users(with(token, prefix(bad))).await;
        assert_eq!(fields(refused), ["prefix"]);
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let (_folder, server) = Server::start().await;
    let mut token = String::new();
    let expected: Vec<_> = (10..35).map(|n| format!("user{n}")).collect();
    for name in expected.iter().rev() {
        token = server.register(name).await.access_token;
    }
    let mut request = SearchUsersRequest { page_size: 7, ..prefix("user") };
    let (mut found, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = search(&server, &token, request.clone()).await.unwrap();
        sizes.push(page.profiles.len());
        found.extend(page.profiles.into_iter().map(|profile| profile.username));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((found, sizes), (expected, vec![7, 7, 7, 4]));

    let default = search(&server, &token, prefix("user")).await.unwrap();
    assert_eq!(default.profiles.len(), 20);
    let greedy = SearchUsersRequest { page_size: u32::MAX, ..prefix("user") };
    assert_eq!(search(&server, &token, greedy).await.unwrap().profiles.len(), 25);
    // The token of one search is none of another's.
    for (text, page_token) in [("use", default.next_page_token.as_str()), ("user", "AAAA"), ("user", "?")] {
        let request = SearchUsersRequest { page_token: page_token.to_owned(), ..prefix(text) };
        assert_eq!(reason(search(&server, &token, request).await), ErrorReason::PageTokenInvalid);
    }
}
