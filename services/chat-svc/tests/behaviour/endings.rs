//! Every end that the server chooses is announced, with the reason and with what to do.

use std::time::Duration;

use chat_svc::Config;
use parlor_testkit::{StreamClient, compose, in_time};
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::errors::v1::ErrorReason;
use tokio::time::Instant;

use crate::support::{Scene, body, config, hello};

/// G7 promises it.
const REVOKED_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_newer_stream_of_the_same_session_displaces_the_older() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let other_device = scene.another_session(&ada).await;
    let tea = ada.group(&[]).await;
    let mut elsewhere = other_device.stream().await;
    let mut old = ada.stream().await;
    let mut new = ada.stream().await;
    assert_eq!(old.end().await.reason(), (ErrorReason::Displaced, false));
    let mut subscribed = StreamClient::subscribe(&ada.chat, hello()).await.unwrap();
    subscribed.welcomed().await;
    // Before the end of the sync a row tells of an entry as well as an Event does.
    subscribed.synced().await;
    assert_eq!(new.end().await.reason(), (ErrorReason::Displaced, false));
    ada.says(&tea, "to whoever is left").await;
    for stream in [&mut subscribed, &mut elsewhere] {
        assert_eq!(body(&stream.event().await), "to whoever is left", "G6");
    }
}

#[tokio::test]
async fn g7_a_revoked_session_ends_within_a_second_and_no_other() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let other_device = scene.another_session(&ada).await;
    let (mut stream, mut elsewhere) = (ada.stream().await, other_device.stream().await);
    let start = Instant::now();
    scene.auth.revoke(&ada.person);
    assert_eq!(stream.end().await.reason(), (ErrorReason::SessionEnded, false), "G7");
    assert!(start.elapsed() < REVOKED_WITHIN, "G7: {:?}", start.elapsed());
    elsewhere.ping().await;
}

/// The call was let in before; nobody but the stream itself knows of it until its Hello.
#[tokio::test]
async fn g7_a_session_revoked_before_its_hello_gets_no_stream() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut stream = StreamClient::open(&ada.chat).await.unwrap();
    let witness = scene.another_session(&ada).await;
    let mut witnessing = witness.stream().await;
    scene.auth.revoke(&ada.person);
    scene.auth.revoke(&witness.person);
    // Revocations are told in their order: the first is known when the second has had its effect.
    assert_eq!(witnessing.end().await.reason(), (ErrorReason::SessionEnded, false));
    stream.send(Out::Hello(hello())).await;
    assert_eq!(stream.end().await.reason(), (ErrorReason::SessionEnded, false), "G7");
}

#[tokio::test]
async fn g7_streams_end_and_none_open_while_nobody_can_say_which_sessions_have_ended() {
    let scene = Scene::with(Config { revocation_blind_max: Duration::from_millis(200), ..config() }).await;
    let ada = scene.user().await;
    let mut stream = ada.stream().await;
    scene.auth.answers(false);
    assert_eq!(stream.end().await.reason(), (ErrorReason::Unavailable, true), "G7");
    let mut stream = StreamClient::open(&ada.chat).await.unwrap();
    stream.send(Out::Hello(hello())).await;
    assert_eq!(stream.end().await.reason(), (ErrorReason::Unavailable, true), "G7");
    scene.auth.answers(true);
    in_time("the service is ready again", scene.app.readiness().wait()).await;
    ada.stream().await.ping().await;
}

#[tokio::test]
async fn who_is_silent_for_two_ping_intervals_is_dead_and_who_pings_is_not() {
    let scene = Scene::with(Config { ping_interval: Duration::from_millis(500), ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut silent, mut pinging) = (ada.stream().await, ben.stream().await);
    silent.auto_ack(false);
    let ends = tokio::spawn(async move { silent.end().await.reason() });
    while !ends.is_finished() {
        pinging.ping().await;
        tokio::time::sleep(Duration::from_millis(50)).await; // waits: a part of the ping interval
    }
    assert_eq!(ends.await.unwrap(), (ErrorReason::IdleTimeout, true));
    pinging.ping().await;
}

#[tokio::test]
async fn a_drain_asks_first_and_then_says_goodbye() {
    let scene = Scene::with(Config { drain_grace: Duration::from_millis(300), ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mut stays, mut leaves) = (ada.stream().await, ben.stream().await);
    let asked = |frame: &In| match frame {
        In::Drain(drain) => Some(drain.reconnect_after.is_some()),
        _ => None,
    };
    let draining = async { in_time("the drain", scene.app.drain()).await };
    let leaving = async {
        assert!(leaves.find("Drain", asked).await);
        drop(leaves);
    };
    let staying = async {
        assert!(stays.find("Drain", asked).await);
        let tea = ada.group(&[]).await;
        stays.append(compose::text(&tea, 1, "to the end")).await;
        stays.end().await
    };
    let ((), (), ended) = tokio::join!(draining, leaving, staying);
    assert_eq!(ended.reason(), (ErrorReason::Draining, true));
    assert!(ended.goodbye.unwrap().after.is_some(), "clients are told not to come back at once");
}

#[tokio::test]
async fn a_drain_lets_nobody_in_and_ends_as_soon_as_everybody_has_left() {
    let scene = Scene::with(Config { drain_grace: Duration::from_secs(60), ..config() }).await;
    let (ada, late) = (scene.user().await, scene.user().await);
    let mut stream = ada.stream().await;
    let leaving = async {
        stream.find("Drain", |frame| matches!(frame, In::Drain(_)).then_some(())).await;
        let mut refused = StreamClient::open(&late.chat).await.unwrap();
        refused.send(Out::Hello(hello())).await;
        assert_eq!(refused.end().await.reason(), (ErrorReason::Draining, true), "nobody new is let in");
        drop(stream);
    };
    in_time("the drain", async { tokio::join!(scene.app.drain(), leaving) }).await;
}

#[tokio::test]
async fn who_has_said_everything_may_go_on_listening() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ben.stream().await;
    stream.auto_ack(false);
    stream.close_sending();
    ada.says(&tea, "are you there?").await;
    assert_eq!(body(&stream.event().await), "are you there?");
}
