//! What presence-svc learns of streams, and what streams hear of those they watch; and that all the rest goes on without
//! it.

use std::sync::Arc;
use std::time::Duration;

use chat_svc::Config;
use chat_svc::presence::{Facts, Owned, PresenceLink};
use chat_svc::routing::LocalRouter;
use parlor_runtime::clock::SystemClock;
use parlor_testkit::{PATIENCE, Serving, StreamClient, TestAuth, eventually};
use parlor_types::{NodeId, SessionId, StreamId, UserId};
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Hello, Refused, SetActive, Watch};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::presence::v1::Closed;
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::presence::v1::{Availability, Presence};

use crate::registry::Registry;
use crate::support::{Scene, User, body, hello};

/// A chat-svc with a registry.
async fn start() -> (Scene, Registry, Serving) {
    let (registry, auth) = (Registry::default(), TestAuth::new());
    let (serving, channel) = registry.serve(&auth).await;
    (Scene::with_presence(auth, channel).await, registry, serving)
}

/// A stream and its id.
async fn open(user: &User, hello: Hello) -> (StreamClient, String) {
    let mut stream = StreamClient::open(&user.chat).await.expect("the stream opens");
    stream.send(Out::Hello(hello)).await;
    let id = stream.welcomed().await.stream_id;
    stream.synced().await;
    (stream, id)
}

fn watch(users: &[String]) -> Out {
    Out::Watch(Watch { user_ids: users.to_vec() })
}

async fn told(stream: &mut StreamClient) -> Presence {
    let told =
        |frame: &In| if let In::PresenceChanged(changed) = frame { changed.presence.clone() } else { None };
    stream.find("PresenceChanged", told).await
}

async fn told_nothing(stream: &mut StreamClient) {
    stream.ping().await;
    let mail = stream.take_mail();
    assert!(!mail.iter().any(|frame| matches!(frame, In::PresenceChanged(_))), "G7: {mail:?}");
}

fn nobody() -> String {
    UserId::new().to_string()
}

#[tokio::test]
async fn the_registry_knows_which_streams_are_open_and_how() {
    let (scene, registry, _serving) = start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut phone, on_phone) = open(&ada, Hello { background: true, mobile: true, ..hello() }).await;
    let (desk, on_desk) = open(&ben, hello()).await;
    registry.knows("both streams", |known| known.len() == 2).await;
    let known = registry.known().unwrap();
    let opened = &known[&on_phone].opened;
    assert_eq!((&opened.user_id, &opened.session_id), (&ada.id(), &ada.person.caller.session_id.to_string()));
    assert_eq!((opened.foreground, opened.mobile), (false, true));
    let opened = &known[&on_desk].opened;
    assert_eq!((opened.foreground, opened.mobile), (true, false));

    phone.send(Out::SetActive(SetActive { foreground: true })).await;
    registry.knows("Ada in front", |known| known[&on_phone].opened.foreground).await;
    assert!(registry.known().unwrap()[&on_phone].opened.mobile);
    phone.send(watch(&[ben.id()])).await;
    registry.knows("whom Ada watches", |known| known[&on_phone].watched == [ben.id()]).await;
    phone.send(watch(&[])).await;
    registry.knows("nobody", |known| known[&on_phone].watched.is_empty()).await;

    drop(desk);
    scene.auth.revoke(&ada.person);
    registry.knows("no stream", |known| known.is_empty()).await;
    let said = registry.said();
    for (stream_id, session_ended) in [(on_desk, false), (on_phone, true)] {
        assert!(said.contains(&Kind::Closed(Closed { stream_id, session_ended })), "{said:?}");
    }
    assert!(matches!(&said[0], Kind::Hello(hello) if uuid::Uuid::parse_str(&hello.node_id).is_ok()));
    assert_eq!(registry.lines(), 1);
}

#[tokio::test]
async fn g7_presence_goes_to_the_stream_that_watches_and_to_no_other() {
    let (scene, registry, _serving) = start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let other_device = scene.another_session(&ada).await;
    let ((mut here, id), (mut elsewhere, _)) =
        (open(&ada, hello()).await, open(&other_device, hello()).await);
    for stream in [&mut here, &mut elsewhere] {
        stream.send(watch(&[ben.id()])).await;
    }
    registry
        .knows("both", |known| known.values().filter(|known| !known.watched.is_empty()).count() == 2)
        .await;
    registry.tell(&StreamId::new().to_string(), &[ben.id()], Availability::Offline).await;
    registry.tell("no id", &[ben.id()], Availability::Offline).await;
    registry.tell(&id, &[nobody(), "no id".to_owned()], Availability::Offline).await;
    registry.tell(&id, &[ben.id()], Availability::Online).await;
    let presence = told(&mut here).await;
    assert_eq!((&presence.user_id, presence.availability()), (&ben.id(), Availability::Online));
    assert_eq!(presence.text, "as told");
    told_nothing(&mut here).await;
    told_nothing(&mut elsewhere).await;
}

#[tokio::test]
async fn without_a_registry_all_goes_on_and_it_learns_everything_when_it_comes_back() {
    let (registry, auth) = (Registry::default(), TestAuth::new());
    registry.go_away();
    let (_serving, channel) = registry.serve(&auth).await;
    let scene = Scene::with_presence(auth, channel).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut watching, id) = open(&ada, hello()).await;
    watching.send(watch(&[ben.id()])).await;
    let tea = ada.group(&[&ben]).await;
    assert_eq!(ben.says(&tea, "still here").await, 2);
    assert_eq!(body(&watching.event().await), "still here");
    registry.come_back();
    let knows = async || registry.knows("Ada's stream", |known| known[&id].watched == [ben.id()]).await;
    knows().await;
    registry.tell(&id, &[ben.id()], Availability::Online).await;
    assert_eq!(told(&mut watching).await.availability(), Availability::Online);

    registry.go_away();
    let (_gone, gone_id) = open(&ben, hello()).await;
    ben.says(&tea, "and still").await;
    assert_eq!(body(&watching.event().await), "and still");
    told_nothing(&mut watching).await;
    registry.come_back();
    eventually("another line", PATIENCE, async || registry.lines() == 2).await;
    knows().await;
    registry.knows("what opened meanwhile", |known| known.contains_key(&gone_id)).await;
    registry.tell(&id, &[ben.id()], Availability::Away).await;
    assert_eq!(told(&mut watching).await.availability(), Availability::Away);
}

#[tokio::test]
async fn without_a_registry_for_long_nobody_is_shown_as_they_were() {
    let (registry, auth) = (Registry::default(), TestAuth::new());
    let (_serving, channel) = registry.serve(&auth).await;
    let blind = Config { presence_blind_max: Duration::from_millis(200), ..Config::default() };
    let scene = Scene::with_presence_and(auth, channel, blind).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut watching, id) = open(&ada, hello()).await;
    watching.send(watch(&[ben.id(), nobody()])).await;
    registry.knows("whom she watches", |known| known[&id].watched.len() == 2).await;
    registry.tell(&id, &[ben.id()], Availability::Online).await;
    assert_eq!(told(&mut watching).await.availability(), Availability::Online);
    registry.go_away();
    assert_eq!(told(&mut watching).await, Presence { user_id: ben.id(), ..Presence::default() });
    told_nothing(&mut watching).await;
    registry.come_back();
    eventually("another line", PATIENCE, async || registry.lines() == 2).await;
    registry.knows("Ada's stream", |known| known.contains_key(&id)).await;
    registry.tell(&id, &[ben.id()], Availability::Online).await;
    assert_eq!(told(&mut watching).await.availability(), Availability::Online, "the same as before");
}

#[tokio::test]
async fn the_registry_hears_whose_visibility_may_have_changed() {
    let (scene, registry, _serving) = start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    registry.knows("the line", |known| known.is_empty()).await;
    ada.group(&[&ben]).await;
    let named = |user: &User| {
        registry.said().iter().any(|kind| match kind {
            Kind::VisibilityChanged(changed) => changed.user_ids.contains(&user.id()),
            _ => false,
        })
    };
    eventually("both are named", PATIENCE, async || named(&ada) && named(&ben)).await;
}

#[tokio::test]
async fn a_newer_stream_of_a_session_takes_the_place_of_the_older() {
    let (scene, registry, _serving) = start().await;
    let ada = scene.user().await;
    let (mut old, _) = open(&ada, hello()).await;
    let (_new, id) = open(&ada, hello()).await;
    assert_eq!(old.end().await.reason(), (ErrorReason::Displaced, false));
    registry.knows("the newer alone", |known| known.len() == 1 && known.contains_key(&id)).await;
}

#[tokio::test]
async fn g8_however_often_the_list_changes_the_registry_hears_the_last() {
    let (scene, registry, _serving) = start().await;
    let ada = scene.user().await;
    let (mut stream, id) = open(&ada, hello()).await;
    let users: Vec<String> = (0..100).map(|_| nobody()).collect();
    for _ in 0..100 {
        stream.send_all((0..100).map(|index| watch(&users[index..=index]))).await;
        stream.ping().await;
    }
    let mut last: Vec<String> = (0..200).map(|_| nobody()).collect();
    last.sort_unstable();
    stream.send(watch(&last)).await;
    registry.knows("the last list", |known| known[&id].watched == last).await;
    let lists = registry.said().iter().filter(|kind| matches!(kind, Kind::Watching(_))).count();
    assert!(lists < 100, "G8: {lists} of 10,001 lists were passed on");
}

#[tokio::test]
async fn who_cannot_be_watched_is_refused_and_the_list_stays() {
    let (scene, registry, _serving) = start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut stream, id) = open(&ada, hello()).await;
    stream.send(watch(&[ben.id()])).await;
    let many: Vec<String> = (0..201).map(|_| nobody()).collect();
    for (users, field) in [
        (many, "user_ids"),
        (vec![ben.id(), "Ben".to_owned()], "user_ids[1]"),
        (vec![String::new()], "user_ids[0]"),
    ] {
        stream.send(watch(&users)).await;
        let refused =
            |frame: &In| if let In::Refused(refused) = frame { Some(refused.clone()) } else { None };
        let Refused { frame, problem } = stream.find("Refused", refused).await;
        let problem = problem.unwrap();
        assert_eq!((frame.as_str(), problem.reason()), ("watch", ErrorReason::FieldInvalid));
        assert_eq!(problem.violations[0].field, field);
    }
    registry.knows("the list", |known| known[&id].watched == [ben.id()]).await;
    registry.tell(&id, &[ben.id()], Availability::Online).await;
    told(&mut stream).await;
}

#[tokio::test]
async fn g8_a_line_that_falls_too_far_behind_begins_anew() {
    let (registry, auth) = (Registry::default(), TestAuth::new());
    let (_serving, channel) = registry.serve(&auth).await;
    let link = Arc::new(PresenceLink::new(NodeId::new(), PATIENCE));
    let router = Arc::new(LocalRouter::default());
    let running = tokio::spawn(link.clone().run(channel, router, Arc::new(SystemClock)));
    let open = || {
        let owned = Owned { stream: StreamId::new(), user: UserId::new(), session: SessionId::new() };
        link.opened(owned, || Facts { foreground: true, mobile: false, watched: [].into() });
        owned.stream
    };
    let stays = open();
    registry.knows("the first stream", |known| known.len() == 1).await;
    // More than fits, before anything of it can be said.
    (0..5_000).for_each(|_| link.closed(open(), false));
    let last = open();
    eventually("another line", PATIENCE, async || registry.lines() == 2).await;
    registry.knows("the two that are open", |known| known.len() == 2).await;
    let known = registry.known().unwrap();
    assert!([stays, last].iter().all(|stream| known.contains_key(&stream.to_string())));
    assert!(registry.said().len() < 10, "G8: {}", registry.said().len());
    running.abort();
}
