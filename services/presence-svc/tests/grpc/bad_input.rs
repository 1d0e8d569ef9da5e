//! What cannot be is refused, and it is said what it was.

use parlor_testkit::{PATIENCE, eventually, reason};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::internal::presence::v1::*;
use parlor_wire::presence::v1::{Appearance, Availability, SetStatusRequest, Status as Chosen, WatchRequest};
use parlor_wire::reason::from_status;
use presence_svc::{Config, RateLimit};
use tonic::Status;

use crate::support::*;

fn problem<T: std::fmt::Debug>(answer: Result<T, Status>) -> Problem {
    from_status(&answer.expect_err("the call fails"))
}

/// The fields a call that must fail was refused for.
fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let problem = problem(answer);
    assert_eq!(problem.reason(), ErrorReason::FieldInvalid, "{problem:?}");
    problem.violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn statuses() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let text = |text: String| Chosen { text, ..Chosen::default() };
    ada.set(text("ä".repeat(100))).await.unwrap();
    for bad in ["a".repeat(101), "a\nb".to_owned(), "\u{0}".to_owned()] {
        assert_eq!(fields(ada.set(text(bad)).await), ["status.text"]);
    }
    let never = parlor_wire::to_time(std::time::SystemTime::UNIX_EPOCH);
    let bad = Chosen {
        appearance: 9,
        text: "a".repeat(101),
        until: Some(prost_types::Timestamp { seconds: i64::MAX, ..never }),
    };
    assert_eq!(fields(ada.set(bad).await), ["status.appearance", "status.text", "status.until"]);
    let huge = ada.set(text("a".repeat(10 * 1024 * 1024))).await;
    assert_eq!(problem(huge).reason(), ErrorReason::MessageTooLarge);
    assert_eq!(ada.sees(&ada).await.text, "ä".repeat(100), "nothing of it was kept");

    // What has ended is as if it had never been; nothing set is the default.
    let ended =
        Chosen { appearance: Appearance::Invisible.into(), until: Some(never), ..text("x".to_owned()) };
    let default = Chosen { appearance: Appearance::Online.into(), ..Chosen::default() };
    assert_eq!(ada.set(ended).await.unwrap(), default);
    let nothing = ada.presence.clone().set_status(SetStatusRequest { status: None }).await;
    assert_eq!(nothing.unwrap().into_inner().status, Some(default));
}

#[tokio::test]
async fn lists_of_users() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let many = |count: usize| -> Vec<String> { (0..count).map(|_| nobody()).collect() };
    assert_eq!(ada.batch(&many(200)).await.unwrap().len(), 200);
    let twice = [ada.id(), nobody(), ada.id()];
    let answer: Vec<_> =
        ada.batch(&twice).await.unwrap().into_iter().map(|presence| presence.user_id).collect();
    assert_eq!(answer, twice, "in that order");
    let watch =
        async |user_ids: Vec<String>| ada.presence.clone().watch(WatchRequest { user_ids }).await.map(drop);
    watch(many(200)).await.unwrap();
    let misspelt = vec![nobody(), "ADA".to_owned()];
    for (bad, field) in [(many(0), "user_ids"), (many(201), "user_ids"), (misspelt, "user_ids[1]")] {
        assert_eq!(fields(ada.batch(&bad).await), [field]);
        assert_eq!(fields(watch(bad).await), [field]);
    }
    assert_eq!(reason(watch(many(10_000)).await), ErrorReason::MessageTooLarge);

    let mut service = scene.service().await;
    let mut locate = async |user_ids| service.locate(LocateRequest { user_ids }).await;
    assert_eq!(locate(many(1000)).await.unwrap().into_inner().sessions, []);
    for (bad, field) in
        [(many(0), "user_ids"), (many(1001), "user_ids"), (vec!["x".to_owned()], "user_ids[0]")]
    {
        assert_eq!(fields(locate(bad).await), [field]);
    }
}

#[tokio::test]
async fn what_a_node_says() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let ids = |count: usize| -> Vec<String> { (0..count).map(|_| nobody()).collect() };
    let watching = |stream_id: String, count| Kind::Watching(Watching { stream_id, user_ids: ids(count) });
    for (bad, why) in [
        (Kind::Hello(Hello { node_id: nobody() }), ErrorReason::HelloRepeated),
        (watching(nobody(), 201), ErrorReason::FieldInvalid),
        (watching("x".to_owned(), 1), ErrorReason::FieldInvalid),
        (Kind::Opened(Opened::default()), ErrorReason::FieldInvalid),
        (Kind::Closed(Closed::default()), ErrorReason::FieldInvalid),
        (Kind::VisibilityChanged(VisibilityChanged { user_ids: ids(0) }), ErrorReason::FieldInvalid),
        (Kind::VisibilityChanged(VisibilityChanged { user_ids: ids(1001) }), ErrorReason::FieldInvalid),
    ] {
        let mut node = scene.node().await;
        node.open(&ada, true).await;
        scene.shows(&ada, Availability::Online).await;
        node.say(bad).await;
        let ended = node.hear().await.unwrap_err().expect("why the line ended");
        assert_eq!(from_status(&ended).reason(), why);
        eventually("its streams are lost", PATIENCE, async || scene.locate(&[&ada]).await.is_empty()).await;
    }

    let frame = |kind| AttachRequest { frames: vec![AttachFrame { kind: Some(kind) }] };
    let first = frame(Kind::SnapshotDone(SnapshotDone {}));
    let answers = scene.service().await.attach(tokio_stream::once(first)).await.unwrap();
    assert_eq!(reason(answers.into_inner().message().await), ErrorReason::HelloExpected);

    // What cannot matter does not: streams that are not there, kinds that are not known.
    let node = scene.node().await;
    node.close(&nobody(), false).await;
    node.say(watching(nobody(), 200)).await;
    node.open(&ada, true).await;
    scene.shows(&ada, Availability::Online).await;
}

#[tokio::test]
async fn calls_come_at_their_rate() {
    let mut config = Config { settle: std::time::Duration::ZERO, ..Config::default() };
    config.limits.write = RateLimit { burst: 3, per_second: 0.1 };
    let scene = Scene::with(config).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    for _ in 0..3 {
        ada.set(Chosen::default()).await.unwrap();
    }
    assert_eq!(reason(ada.set(Chosen::default()).await), ErrorReason::RateLimited);
    ben.set(Chosen::default()).await.unwrap();
    scene.clock.advance(std::time::Duration::from_secs(10));
    ada.set(Chosen::default()).await.unwrap();
}
