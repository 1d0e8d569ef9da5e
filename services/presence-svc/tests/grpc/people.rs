//! What people show, over any number of devices and nodes.

use std::time::{Duration, SystemTime};

use parlor_runtime::clock::Clock as _;
use parlor_testkit::{PATIENCE, eventually};
use parlor_wire::presence::v1::{Appearance, Availability, GetStatusRequest, Presence, Status};
use parlor_wire::to_time;

use crate::support::*;

const MINUTE: u64 = 60;

/// Seconds since 1970, down to the minute.
fn minute_of(time: SystemTime) -> i64 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(seconds - seconds % MINUTE).unwrap()
}

fn last_seen(presence: &Presence) -> Option<i64> {
    presence.last_seen.map(|time| time.seconds)
}

#[tokio::test]
async fn any_app_in_front_makes_one_online_wherever_it_is() {
    let scene = Scene::start().await;
    let (ada, [here, there]) = (scene.user().await, [scene.node().await, scene.node().await]);
    assert_eq!(scene.shows(&ada, Availability::Offline).await.last_seen, None, "never there");
    let phone = here.open(&ada, false).await;
    scene.shows(&ada, Availability::Away).await;
    let another = User { person: scene.auth.another_session(&ada.person), presence: ada.presence.clone() };
    let laptop = there.open(&another, true).await;
    assert_eq!(scene.shows(&ada, Availability::Online).await.last_seen, None);
    eventually("both sessions", PATIENCE, async || scene.locate(&[&ada]).await.len() == 2).await;
    let mut located: Vec<_> =
        scene.locate(&[&ada]).await.into_iter().map(|at| (at.node_id, at.stream_id, at.session_id)).collect();
    let mut wanted = vec![
        (here.id.clone(), phone.clone(), ada.session().to_string()),
        (there.id.clone(), laptop.clone(), another.session().to_string()),
    ];
    located.sort();
    wanted.sort();
    assert_eq!(located, wanted);

    there.open_as(&laptop, &another, false, false).await;
    scene.shows(&ada, Availability::Away).await;
    here.open_as(&phone, &ada, true, true).await;
    scene.shows(&ada, Availability::Online).await;
    here.close(&phone, true).await;
    there.close(&laptop, true).await;
    scene.shows(&ada, Availability::Offline).await;
    assert_eq!(scene.locate(&[&ada]).await, []);
}

#[tokio::test]
async fn last_seen_is_kept_to_the_minute() {
    let scene = Scene::start().await;
    let (ada, node) = (scene.user().await, scene.node().await);
    let stream = node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
    scene.clock.advance(Duration::from_secs(7 * MINUTE));
    let left = scene.clock.wall();
    node.open_as(&stream, &ada, false, false).await;
    assert_eq!(last_seen(&scene.shows(&ada, Availability::Away).await), Some(minute_of(left)));
    scene.clock.advance(Duration::from_secs(MINUTE));
    node.close(&stream, true).await;
    assert_eq!(last_seen(&scene.shows(&ada, Availability::Offline).await), Some(minute_of(left)));
    drop(node);
    let scene = scene.restart(None).await;
    assert_eq!(last_seen(&scene.shows(&ada, Availability::Offline).await), Some(minute_of(left)), "G1");
}

#[tokio::test]
async fn g7_the_invisible_are_offline_and_were_last_seen_when_they_became_so() {
    let scene = Scene::start().await;
    let (ada, node) = (scene.user().await, scene.node().await);
    let stream = node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
    let left = scene.clock.wall();
    ada.choose(Appearance::Invisible, "not for you").await;
    let hidden = scene.shows(&ada, Availability::Offline).await;
    assert_eq!((last_seen(&hidden), hidden.text.as_str()), (Some(minute_of(left)), ""), "G7");
    for (foreground, after) in [(false, 1), (true, 2), (false, 3)] {
        scene.clock.advance(Duration::from_secs(after * MINUTE));
        node.open_as(&stream, &ada, foreground, false).await;
        eventually("the node was heard", PATIENCE, async || scene.locate(&[&ada]).await.len() == 1).await;
        assert_eq!(scene.shows(&ada, Availability::Offline).await, hidden, "G7");
    }
    // As others see it.
    let own = User { person: ada.person.clone(), presence: ada.presence.clone() };
    assert_eq!(ada.sees(&own).await, hidden);
    drop(node);
    let scene = scene.restart(None).await;
    assert_eq!(scene.shows(&ada, Availability::Offline).await, hidden, "G7: also after a restart");
}

#[tokio::test]
async fn a_status_shows_while_it_lasts() {
    let scene = Scene::start().await;
    let (ada, node) = (scene.user().await, scene.node().await);
    let stream = node.open(&ada, true).await;
    ada.choose(Appearance::DoNotDisturb, "in a talk").await;
    assert_eq!(scene.shows(&ada, Availability::DoNotDisturb).await.text, "in a talk");
    let until = scene.clock.wall() + Duration::from_secs(5 * MINUTE);
    let status =
        Status { appearance: Appearance::Away.into(), text: "lunch".to_owned(), until: Some(to_time(until)) };
    let set = ada.set(status).await.unwrap();
    let get = async || {
        ada.presence.clone().get_status(GetStatusRequest {}).await.unwrap().into_inner().status.unwrap()
    };
    assert_eq!((get().await, set.text.as_str()), (set.clone(), "lunch"));
    assert_eq!(scene.shows(&ada, Availability::Away).await.text, "lunch");
    scene.clock.advance(Duration::from_secs(5 * MINUTE));
    assert_eq!(scene.shows(&ada, Availability::Online).await.text, "");
    let default = Status { appearance: Appearance::Online.into(), ..Status::default() };
    assert_eq!(get().await, default);
    ada.choose(Appearance::Online, "back on Monday").await;
    node.close(&stream, true).await;
    assert_eq!(scene.shows(&ada, Availability::Offline).await.text, "back on Monday");
    drop(node);
    let scene = scene.restart(None).await;
    assert_eq!(scene.shows(&ada, Availability::Offline).await.text, "back on Monday", "G1");
}
