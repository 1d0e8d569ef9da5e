//! Connections that say nothing, and that come again and again.
//!
//! `PARLOR_SILENT` says how many are silent at once.

use std::time::Duration;

use parlor_testkit::{StreamClient, in_time};
use parlor_tests::{is_apart, number};
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::{Goodbye, Hello};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::scene::Scene;

const SILENT: usize = 2_000;
/// What one of them may cost the server's process.
const EACH: u64 = 8 << 10;
/// They are sent away after ten seconds.
const SENT_AWAY_WITHIN: Duration = Duration::from_secs(20);
/// Streams opened by one device, one after the other.
const STORM: usize = 300;
/// How many may be opened at once, and how many more meanwhile.
const OPENED: std::ops::RangeInclusive<usize> = 60..=250;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_silent_connections_cost_little_and_are_sent_away() {
    if is_apart() {
        return; // The router is what they would be connected to.
    }
    let count = number("PARLOR_SILENT").unwrap_or(SILENT);
    let mut scene = Scene::with(&[&format!("server.max_connections_per_address={}", count + 100)]).await;
    let address = scene.server.address();
    let before = scene.server.resident_bytes();
    let connect = async {
        let mut open = Vec::with_capacity(count);
        for _ in 0..count {
            open.push(in_time("a connection", TcpStream::connect(address)).await.expect("it is taken"));
        }
        open
    };
    let (mut silent, _) = scene.undisturbed(&format!("{count} silent connections"), connect).await;
    let each = scene.server.resident_bytes().saturating_sub(before) / count as u64;
    println!("{each} bytes for each of {count} silent connections");
    assert!(each <= EACH, "G8: {each} bytes for each silent connection");
    let away = async {
        for tcp in &mut silent {
            // Whatever HTTP/2 says first; then the end, or a cut.
            while matches!(tcp.read(&mut [0; 64]).await, Ok(bytes) if bytes > 0) {}
        }
    };
    let (sent_away, _) = scene.undisturbed("their end", timeout(SENT_AWAY_WITHIN, away)).await;
    assert!(sent_away.is_ok(), "G8: who says nothing stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_who_reconnects_all_the_time_is_told_to_come_back() {
    let mut scene = Scene::new().await;
    let mallory = scene.mallory.clone();
    let storm = async {
        let (mut served, mut refused) = (Vec::new(), 0);
        for _ in 0..STORM {
            match StreamClient::open(&mallory.chat()).await {
                Ok(mut stream) => {
                    stream.send(Frame::Hello(Hello { protocol: 1, ..Hello::default() })).await;
                    served.push(stream);
                }
                Err(status) => {
                    let problem = from_status(&status);
                    assert_eq!(problem.reason(), ErrorReason::RateLimited, "{status:?}");
                    assert!(problem.retry_after.is_some(), "G8: when to come back");
                    refused += 1;
                }
            }
        }
        (served, refused)
    };
    let ((mut served, refused), _) = scene.undisturbed(&format!("{STORM} reconnects"), storm).await;
    assert!(OPENED.contains(&served.len()), "G8: {} were opened and {refused} refused", served.len());
    // Of one device one stream lives, the last.
    let mut last = served.pop().expect("some were opened");
    for mut older in served {
        let Goodbye { reason, .. } = older.end().await.goodbye.expect("why it ended");
        assert_eq!(reason, i32::from(ErrorReason::Displaced), "G8: an older stream of the session lives on");
    }
    last.welcomed().await;
    last.ping().await;
}
