//! presence-svc ends and begins anew: those who are there are not told to be gone.

use std::time::Duration;

use parlor_runtime::clock::Clock as _;
use parlor_testkit::{PATIENCE, eventually};
use parlor_wire::presence::v1::Availability;
use presence_svc::Config;

use crate::support::*;

const SETTLE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn nobody_flaps_when_the_service_is_restarted() {
    let scene = Scene::start().await;
    let (ada, ben, cy) = (scene.user().await, scene.user().await, scene.user().await);
    let (mut near, mut far) = (scene.node().await, scene.node().await);
    let (watcher, stream) = (near.open(&ben, true).await, far.open(&ada, true).await);
    near.open(&cy, true).await;
    near.watch(&watcher, &[&ada, &cy]).await;
    near.hears(&watcher, &ada, Availability::Online).await;
    near.hears(&watcher, &cy, Availability::Online).await;
    let before = near.told.len();
    let seen = scene.clock.wall().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let seen = i64::try_from(seen.as_secs() / 60 * 60).unwrap();

    let scene = scene.restart(Some(Config { settle: SETTLE, ..config() })).await;
    near.attach(&scene).await;
    near.open_as(&watcher, &ben, true, false).await;
    near.watch(&watcher, &[&ada, &cy]).await;
    near.snapshot_done().await;
    eventually("the nearer node is back", PATIENCE, async || !scene.locate(&[&ben]).await.is_empty()).await;
    scene.clock.advance(SETTLE - Duration::from_secs(1));
    let ben = User { presence: scene.calling(Some(&ben.person.token)).await, person: ben.person };
    let unknown = ben.sees(&ada).await;
    assert_eq!(
        (unknown.availability(), unknown.last_seen),
        (Availability::Unspecified, None),
        "not known yet"
    );
    // The other node takes its time.
    far.attach(&scene).await;
    far.open_as(&stream, &ada, true, false).await;
    far.snapshot_done().await;
    near.hears(&watcher, &ada, Availability::Online).await;
    scene.clock.advance(Duration::from_secs(1));
    let gone = near.hears(&watcher, &cy, Availability::Offline).await;
    assert_eq!(gone.last_seen.map(|time| time.seconds), Some(seen), "what was known when it stopped");
    let of_ada = near.told[before..].iter().filter(|(_, presence)| presence.user_id == ada.id());
    let told: Vec<_> = of_ada.map(|(_, presence)| presence.availability()).collect();
    assert_eq!(told, [Availability::Online], "she was never gone");
}
