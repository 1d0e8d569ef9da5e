//! Nobody flaps, and nobody who is gone stays.

use std::time::Duration;

use parlor_testkit::{PATIENCE, eventually};
use parlor_wire::presence::v1::Availability;

use crate::support::*;

const GRACE: Duration = Duration::from_secs(15);
const GRACE_MOBILE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(1);

/// What the stream was told of somebody, without what it was told again because its line was new.
fn told(node: &Node, stream: &str, who: &User) -> Vec<Availability> {
    let of = node.told.iter().filter(|(to, presence)| to == stream && presence.user_id == who.id());
    let mut told: Vec<_> = of.map(|(_, presence)| presence.availability()).collect();
    told.dedup();
    told
}

/// Waits until the registry has noticed that they are nowhere.
async fn nowhere(scene: &Scene, who: &User) {
    eventually("the stream is lost", PATIENCE, async || scene.locate(&[who]).await.is_empty()).await;
}

#[tokio::test]
async fn a_lost_stream_counts_on_for_its_grace_and_no_longer() {
    for (mobile, grace) in [(false, GRACE), (true, GRACE_MOBILE)] {
        let scene = Scene::start().await;
        let (ada, ben, mut node) = (scene.user().await, scene.user().await, scene.node().await);
        let watcher = node.open(&ben, true).await;
        node.watch(&watcher, &[&ada]).await;
        node.open_as(&nobody(), &ada, true, mobile).await;
        node.hears(&watcher, &ada, Availability::Online).await;
        let stream = scene.locate(&[&ada]).await.remove(0).stream_id;
        node.close(&stream, false).await;
        nowhere(&scene, &ada).await;
        scene.clock.advance(grace - MOMENT);
        scene.shows(&ada, Availability::Online).await;
        scene.clock.advance(MOMENT);
        node.hears(&watcher, &ada, Availability::Offline).await;
    }
}

#[tokio::test]
async fn who_comes_back_in_time_was_never_gone() {
    let scene = Scene::start().await;
    let (ada, ben, mut node) = (scene.user().await, scene.user().await, scene.node().await);
    let watcher = node.open(&ben, true).await;
    node.watch(&watcher, &[&ada]).await;
    let mut stream = node.open(&ada, true).await;
    node.hears(&watcher, &ada, Availability::Online).await;
    for _ in 0..5 {
        node.close(&stream, false).await;
        nowhere(&scene, &ada).await;
        scene.clock.advance(GRACE - MOMENT);
        stream = node.open(&ada, true).await;
        eventually("she is back", PATIENCE, async || !scene.locate(&[&ada]).await.is_empty()).await;
    }
    node.close(&stream, true).await;
    node.hears(&watcher, &ada, Availability::Offline).await;
    let online = told(&node, &watcher, &ada).into_iter().filter(|told| *told == Availability::Online);
    assert_eq!(online.count(), 1, "{:?}", node.told);
}

#[tokio::test]
async fn the_sessions_of_a_dead_node_end_after_the_grace_and_no_others() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut dying, living) = (scene.node().await, scene.node().await);
    dying.open(&ada, true).await;
    living.open(&ben, true).await;
    scene.shows(&ada, Availability::Online).await;
    scene.shows(&ben, Availability::Online).await;
    dying.break_line();
    nowhere(&scene, &ada).await;
    scene.clock.advance(GRACE - MOMENT);
    scene.shows(&ada, Availability::Online).await;
    scene.clock.advance(MOMENT);
    scene.shows(&ada, Availability::Offline).await;
    scene.shows(&ben, Availability::Online).await;
    dying.attach(&scene).await;
    dying.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
}

#[tokio::test]
async fn a_node_whose_line_breaks_names_its_streams_again_and_nobody_flaps() {
    let scene = Scene::start().await;
    let (ada, ben, cy) = (scene.user().await, scene.user().await, scene.user().await);
    let (mut node, mut other) = (scene.node().await, scene.node().await);
    let (stream, lost) = (node.open(&ada, true).await, node.open(&cy, true).await);
    let watcher = other.open(&ben, true).await;
    other.watch(&watcher, &[&ada, &cy]).await;
    other.hears(&watcher, &ada, Availability::Online).await;
    // Once broken, once displaced while it was still open.
    for breaks in [true, false] {
        if breaks {
            node.break_line();
            nowhere(&scene, &ada).await;
            scene.clock.advance(GRACE - MOMENT);
        }
        node.attach(&scene).await;
        node.open_as(&stream, &ada, true, false).await;
        node.snapshot_done().await;
        eventually("she is back", PATIENCE, async || !scene.locate(&[&ada]).await.is_empty()).await;
    }
    eventually("what was not named is lost", PATIENCE, async || scene.locate(&[&cy]).await.is_empty()).await;
    scene.clock.advance(GRACE);
    other.hears(&watcher, &cy, Availability::Offline).await;
    assert_eq!(told(&other, &watcher, &ada), [Availability::Online], "{lost}: {:?}", other.told);
}

#[tokio::test]
async fn g7_an_ended_session_ends_at_once_whoever_says_so() {
    let scene = Scene::start().await;
    let (ada, ben, node) = (scene.user().await, scene.user().await, scene.node().await);
    let (stream, lost) = (node.open(&ada, true).await, node.open(&ben, true).await);
    scene.shows(&ada, Availability::Online).await;
    node.close(&stream, true).await;
    scene.shows(&ada, Availability::Offline).await;
    scene.shows(&ben, Availability::Online).await;
    node.close(&lost, false).await;
    nowhere(&scene, &ben).await;
    scene.auth.revoke(&ben.person);
    scene.shows(&ben, Availability::Offline).await;
}
