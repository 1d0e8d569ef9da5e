//! Who is told what, on the lines of nodes and by Watch.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parlor_testkit::{PATIENCE, eventually, in_time, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::presence::v1::{Appearance, Availability, Presence, WatchRequest, WatchResponse};
use parlor_wire::reason::from_status;
use presence_svc::Config;
use tonic::{Status, Streaming};

use crate::support::*;

/// A Watch call, and the latest of each user it told.
struct Watch {
    answers: Streaming<WatchResponse>,
    latest: BTreeMap<String, Presence>,
}

impl Watch {
    async fn open(viewer: &User, users: &[String]) -> Result<Self, Status> {
        let request = WatchRequest { user_ids: users.to_vec() };
        let answers = viewer.presence.clone().watch(request).await?.into_inner();
        Ok(Self { answers, latest: BTreeMap::new() })
    }

    async fn hear(&mut self) -> Result<Vec<Presence>, Status> {
        let answer =
            in_time("news or an end", self.answers.message()).await?.expect("a Watch ends with a status");
        self.latest
            .extend(answer.presences.iter().map(|presence| (presence.user_id.clone(), presence.clone())));
        Ok(answer.presences)
    }

    async fn shows(&mut self, who: &User, availability: Availability) -> Presence {
        while self.latest.get(&who.id()).is_none_or(|presence| presence.availability() != availability) {
            self.hear().await.unwrap();
        }
        self.latest[&who.id()].clone()
    }

    async fn ended(&mut self) -> ErrorReason {
        loop {
            if let Err(status) = self.hear().await {
                return from_status(&status).reason();
            }
        }
    }
}

#[tokio::test]
async fn a_watch_tells_how_it_is_and_then_what_changes() {
    let scene = Scene::start().await;
    let (ada, ben, cy) = (scene.user().await, scene.user().await, scene.user().await);
    let node = scene.node().await;
    let stream = node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
    let mut watch = Watch::open(&ben, &[ada.id(), cy.id()]).await.unwrap();
    watch.shows(&ada, Availability::Online).await;
    watch.shows(&cy, Availability::Offline).await;
    ada.choose(Appearance::DoNotDisturb, "on air").await;
    assert_eq!(watch.shows(&ada, Availability::DoNotDisturb).await.text, "on air");
    node.close(&stream, true).await;
    let gone = watch.shows(&ada, Availability::Offline).await;
    assert!(gone.last_seen.is_some() && gone.text == "on air", "{gone:?}");
}

#[tokio::test]
async fn g7_a_watch_ends_within_a_second_of_its_session_and_others_go_on() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let mut watch = Watch::open(&ben, &[ada.id()]).await.unwrap();
    let mut another = Watch::open(&ada, &[ben.id()]).await.unwrap();
    watch.shows(&ada, Availability::Offline).await;
    another.shows(&ben, Availability::Offline).await;
    let revoked_at = Instant::now();
    scene.auth.revoke(&ben.person);
    assert_eq!(watch.ended().await, ErrorReason::SessionEnded, "G7");
    assert!(revoked_at.elapsed() < Duration::from_secs(1), "G7: {:?}", revoked_at.elapsed());
    let node = scene.node().await;
    node.open(&ben, true).await;
    another.shows(&ben, Availability::Online).await;
    let late = Watch::open(&ben, &[ada.id()]).await;
    assert_eq!(reason(late.map(drop)), ErrorReason::SessionEnded, "G7");
}

#[tokio::test]
async fn g8_a_user_has_few_watches_at_once() {
    let scene = Scene::with(Config { watches_per_user: 2, ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let first = Watch::open(&ada, &[ben.id()]).await.unwrap();
    let _second = Watch::open(&ada, &[ben.id()]).await.unwrap();
    assert_eq!(reason(Watch::open(&ada, &[ben.id()]).await.map(drop)), ErrorReason::RateLimited, "G8");
    Watch::open(&ben, &[ada.id()]).await.unwrap();
    drop(first);
    eventually("one may be opened in its place", PATIENCE, async || {
        Watch::open(&ada, &[ben.id()]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_service_that_stops_says_so_to_those_who_watch() {
    let scene = Scene::start().await;
    let (ada, mut node) = (scene.user().await, scene.node().await);
    let mut watch = Watch::open(&ada, &[ada.id()]).await.unwrap();
    watch.shows(&ada, Availability::Offline).await;
    scene.app.drain();
    assert_eq!(watch.ended().await, ErrorReason::Draining);
    let late = Watch::open(&ada, &[ada.id()]).await.unwrap().ended().await;
    assert_eq!(late, ErrorReason::Draining);
    node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
    scene.app.shutdown(Duration::from_secs(5)).await.unwrap();
    let ended = node.hear().await.unwrap_err().expect("why the line ended");
    assert_eq!(from_status(&ended).reason(), ErrorReason::Draining);
}

#[tokio::test]
async fn a_newer_line_of_a_node_displaces_the_older() {
    let scene = Scene::start().await;
    let mut node = scene.node().await;
    let mut newer = scene.node().await;
    newer.id.clone_from(&node.id);
    newer.attach(&scene).await;
    let ended = node.hear().await.unwrap_err().expect("why the line ended");
    assert_eq!(from_status(&ended).reason(), ErrorReason::Displaced);
    let ada = scene.user().await;
    newer.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
}

#[tokio::test]
async fn g7_what_may_no_longer_be_seen_is_taken_back_and_nothing_more_is_told() {
    let scene = Scene::start().await;
    let (ada, ben, cy) = (scene.user().await, scene.user().await, scene.user().await);
    let mut node = scene.node().await;
    let (watcher, stream) = (node.open(&ben, true).await, node.open(&ada, true).await);
    node.watch(&watcher, &[&ada, &cy]).await;
    node.hears(&watcher, &ada, Availability::Online).await;
    node.hears(&watcher, &cy, Availability::Offline).await;
    scene.chat.allow(&ben.person, &ada.id(), false, false);
    node.visibility_changed(&ada).await;
    let taken_back = node.hears(&watcher, &ada, Availability::Unspecified).await;
    assert_eq!(taken_back, Presence { user_id: ada.id(), ..Presence::default() }, "G7");
    node.open_as(&stream, &ada, false, false).await;
    ada.choose(Appearance::DoNotDisturb, "not for Ben").await;
    scene.shows(&ada, Availability::DoNotDisturb).await;
    let told = node.told.len();
    node.open(&cy, true).await;
    node.hears(&watcher, &cy, Availability::Online).await;
    assert!(node.told[told..].iter().all(|(_, presence)| presence.user_id == cy.id()), "G7: {:?}", node.told);
    scene.chat.allow(&ben.person, &ada.id(), true, true);
    node.visibility_changed(&ben).await;
    node.hears(&watcher, &ada, Availability::DoNotDisturb).await;
}

#[tokio::test]
async fn g7_while_chat_svc_is_away_nothing_is_told_and_afterwards_everything() {
    let scene = Scene::start().await;
    let (ada, ben, mut node) = (scene.user().await, scene.user().await, scene.node().await);
    let (watcher, _stream) = (node.open(&ben, true).await, node.open(&ada, true).await);
    scene.chat.answers(false);
    node.watch(&watcher, &[&ada]).await;
    let mut watch = Watch::open(&ben, &[ada.id()]).await.unwrap();
    eventually("chat-svc was asked", PATIENCE, async || scene.chat.asked_for(&ben.person) > 0).await;
    assert_eq!(reason(ben.batch(&[ada.id()]).await), ErrorReason::Unavailable, "G7");
    // The tests of the machine show that nothing is told; here, that it asks again and then tells.
    scene.chat.answers(true);
    scene.clock.advance(Duration::from_secs(10));
    let (_, first) = node.next().await;
    assert_eq!((first.user_id.as_str(), first.availability()), (ada.id().as_str(), Availability::Online));
    watch.shows(&ada, Availability::Online).await;
    scene.chat.answers(false);
    assert_eq!(reason(ben.batch(&[ada.id()]).await), ErrorReason::Unavailable, "G7: fails closed");
}

#[tokio::test]
async fn what_may_be_seen_is_asked_again_after_five_minutes() {
    let scene = Scene::start().await;
    let (ada, ben, mut node) = (scene.user().await, scene.user().await, scene.node().await);
    let watcher = node.open(&ben, true).await;
    node.watch(&watcher, &[&ada]).await;
    node.hears(&watcher, &ada, Availability::Offline).await;
    // Nobody says that it has changed.
    scene.chat.allow(&ben.person, &ada.id(), false, false);
    scene.clock.advance(Duration::from_secs(5 * 60));
    node.hears(&watcher, &ada, Availability::Unspecified).await;
}
