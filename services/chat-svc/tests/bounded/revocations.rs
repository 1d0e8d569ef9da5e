//! G7 with many streams: sessions end one after the other, whether auth-svc tells of it or has to be asked.
//!
//! `PARLOR_REVOCATIONS` says how many, `PARLOR_STREAMS` with how many streams.

use std::time::{Duration, Instant};

use parlor_testkit::{Person, StreamClient, chat_client};
use parlor_wire::errors::v1::ErrorReason;
use tokio::task::JoinSet;

use crate::ALONE;
use crate::support::Scene;

const REVOCATIONS: usize = 250;
const STREAMS: usize = 400;
/// Streams on one connection; a server takes 128.
const ON_ONE: usize = 100;
/// What is promised of 999 in 1,000.
const WITHIN: Duration = Duration::from_secs(1);
/// Between two revocations, so that they fall anywhere between two polls.
const APART: Duration = Duration::from_millis(7);

fn number(variable: &str, usual: usize) -> usize {
    let told = std::env::var(variable).ok();
    told.map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

async fn open(scene: &Scene, count: usize) -> Vec<(Person, StreamClient)> {
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let channel = scene.channel().await;
        let opening = (open.len()..count).take(ON_ONE).map(|_| {
            let person = scene.auth.person();
            let chat = chat_client(channel.clone(), Some(&person.token));
            async move {
                let (mut stream, _) = StreamClient::connect(&chat, b"").await;
                stream.synced().await;
                (person, stream)
            }
        });
        open.extend(futures_util::future::join_all(opening).await);
    }
    open
}

/// How long streams outlived their sessions, the shortest first.
async fn outlived(tells: bool) -> Vec<Duration> {
    let (revocations, streams) =
        (number("PARLOR_REVOCATIONS", REVOCATIONS), number("PARLOR_STREAMS", STREAMS));
    let scene = Scene::start().await;
    scene.auth.tells(tells);
    let mut others = open(&scene, streams.max(revocations)).await;
    let ending = others.split_off(others.len() - revocations);
    let (people, streams): (Vec<_>, Vec<_>) = ending.into_iter().unzip();
    let mut ends = JoinSet::new();
    for (number, mut stream) in streams.into_iter().enumerate() {
        ends.spawn(async move {
            let ended = stream.end().await;
            let at = Instant::now();
            assert_eq!(ended.reason(), (ErrorReason::SessionEnded, false), "G7");
            (number, at)
        });
    }
    let mut revoked = Vec::with_capacity(revocations);
    for person in &people {
        scene.auth.revoke(person);
        revoked.push(Instant::now());
        // waits: for the next to fall elsewhere between two polls
        tokio::time::sleep(APART).await;
    }
    let mut outlived = Vec::with_capacity(revocations);
    while let Some(ended) = ends.join_next().await {
        let (number, at) = ended.expect("G7: every stream of an ended session ends");
        outlived.push(at.saturating_duration_since(revoked[number]));
    }
    for (_, stream) in &mut others {
        stream.ping().await;
    }
    outlived.sort();
    outlived
}

/// Figures for tests to print.
fn assert_soon(outlived: &[Duration]) -> String {
    let of_999 = outlived[(outlived.len() * 999).div_ceil(1000) - 1];
    let figures = format!(
        "{} revocations, median {:?}, p99.9 {of_999:?}",
        outlived.len(),
        outlived[outlived.len() / 2]
    );
    assert!(of_999 <= WITHIN, "G7: streams live on for more than {WITHIN:?}: {figures}");
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_sessions_end_within_a_second_when_auth_svc_tells() {
    let _alone = ALONE.lock().await;
    println!("told: {}", assert_soon(&outlived(true).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_sessions_end_within_a_second_when_auth_svc_only_answers() {
    let _alone = ALONE.lock().await;
    println!("asked: {}", assert_soon(&outlived(false).await));
}
