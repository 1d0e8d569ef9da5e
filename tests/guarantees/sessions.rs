//! G7 from end to end: whatever ends a session ends its stream within a second, and no other; what ends an access token
//! ends no stream.
//!
//! `PARLOR_REVOCATIONS` says how often sessions are ended, `PARLOR_STREAMS` how many others are open meanwhile.

use std::time::Duration;

use futures_util::future::join_all;
use parlor_testkit::{ChatClient, StreamClient, compose, eventually, reason};
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::{Server, number};
use parlor_types::Op;
use parlor_wire::auth::v1::{
    ChangePasswordRequest, EndOtherSessionsRequest, EndSessionRequest, ListSessionsRequest, LogoutRequest,
    RefreshRequest,
};
use parlor_wire::chat::v1::{Append, ListConversationsRequest};
use parlor_wire::errors::v1::ErrorReason;
use tokio::time::{Instant, timeout};

/// Each way to end a session comes ten times.
const ROUNDS: usize = 50;
/// Rounds at once.
const AT_ONCE: usize = 5;
/// Streams of others.
const STREAMS: usize = 200;
/// Streams opened at once, on one connection: as many passwords wait to be hashed.
const ON_ONE: usize = 16;
/// What is promised.
const WITHIN: Duration = Duration::from_secs(1);

/// A session with its stream.
struct Device {
    login: Login,
    stream: StreamClient,
}

impl Device {
    async fn open(login: Login) -> Self {
        let (mut stream, welcome) = StreamClient::connect(&login.chat(), b"").await;
        assert_eq!(welcome.session_id, login.credentials.session_id);
        stream.synced().await;
        Self { login, stream }
    }

    /// Its stream ends, and its token is refused everywhere; how long the stream lived on.
    async fn is_ended(&mut self, answered: Instant, how: &str) -> Duration {
        let took = ended_since(&mut self.stream, answered, how).await;
        let left = WITHIN.saturating_sub(took);
        let chat = self.login.chat();
        eventually("G7: chat-svc refuses the token of an ended session", left, async || {
            refused_by_chat(&chat).await == Some(ErrorReason::SessionEnded)
        })
        .await;
        let by_auth = reason(self.login.auth().list_sessions(ListSessionsRequest {}).await);
        assert_eq!(by_auth, ErrorReason::SessionEnded, "G7: auth-svc, after {how}");
        took
    }

    async fn lives(&mut self, how: &str) {
        self.stream.ping().await;
        assert_eq!(refused_by_chat(&self.login.chat()).await, None, "after {how} the others go on");
    }
}

/// How long the stream lived on.
async fn ended_since(stream: &mut StreamClient, answered: Instant, how: &str) -> Duration {
    let Ok(ended) = timeout(2 * WITHIN, stream.end()).await else {
        panic!("G7: after {how} the stream lives on");
    };
    let took = answered.elapsed();
    assert_eq!(ended.reason(), (ErrorReason::SessionEnded, false), "G7: after {how}");
    assert!(took <= WITHIN, "G7: after {how} the stream lived on for {took:?}");
    took
}

async fn refused_by_chat(chat: &ChatClient) -> Option<ErrorReason> {
    let answer = chat.clone().list_conversations(ListConversationsRequest::default()).await;
    answer.is_err().then(|| reason(answer))
}

/// Ends sessions of three, the second of which does it where somebody has to; answers how, and which.
async fn end(round: usize, devices: &[Device; 3]) -> (&'static str, &'static [usize]) {
    let [first, second, _] = devices;
    let (mut by_first, mut by_second) = (first.login.auth(), second.login.auth());
    match round % 5 {
        0 => {
            by_first.logout(LogoutRequest {}).await.expect("logs out");
            ("Logout", &[0])
        }
        1 => {
            let session_id = first.login.credentials.session_id.clone();
            by_second.end_session(EndSessionRequest { session_id }).await.expect("ends it");
            ("EndSession", &[0])
        }
        2 => {
            let answer = by_second.end_other_sessions(EndOtherSessionsRequest {}).await.expect("ends them");
            assert_eq!(answer.into_inner().ended, 2);
            ("EndOtherSessions", &[0, 2])
        }
        3 => {
            let (current_password, new_password) = (PASSWORD.to_owned(), format!("{PASSWORD} indeed"));
            let change = ChangePasswordRequest { current_password, new_password };
            assert_eq!(by_second.change_password(change).await.expect("changes it").into_inner().ended, 2);
            ("ChangePassword", &[0, 2])
        }
        _ => {
            let refresh_token = first.login.credentials.refresh_token.clone();
            let refresh =
                || RefreshRequest { refresh_token: refresh_token.clone(), op: Op::new().to_string() };
            by_first.refresh(refresh()).await.expect("the first use is good");
            let reused = reason(by_first.refresh(refresh()).await);
            assert_eq!(reused, ErrorReason::RefreshReused);
            ("reuse of a refresh token", &[0])
        }
    }
}

/// How long the streams of ended sessions lived on.
async fn round(server: &Server, number: usize) -> Vec<Duration> {
    let first = Login::register(server.channel(), "ada").await;
    let second = first.another_device(PASSWORD).await.expect("logs in");
    let third = first.another_device(PASSWORD).await.expect("logs in");
    let mut devices = [Device::open(first).await, Device::open(second).await, Device::open(third).await];
    let (how, ended) = end(number, &devices).await;
    let answered = Instant::now();
    let mut outlived = Vec::new();
    for index in ended {
        outlived.push(devices[*index].is_ended(answered, how).await);
    }
    for (index, device) in devices.iter_mut().enumerate() {
        if !ended.contains(&index) {
            device.lives(how).await;
        }
    }
    outlived
}

/// Streams of people whose sessions nobody ends.
async fn others(server: &Server, count: usize) -> Vec<Device> {
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let channel = server.channel();
        let some = (open.len()..count)
            .take(ON_ONE)
            .map(async |_| Device::open(Login::register(channel.clone(), "ben").await).await);
        open.extend(join_all(some).await);
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_the_streams_of_ended_sessions_end_within_a_second_and_the_others_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let mut others = others(&server, number("PARLOR_STREAMS").unwrap_or(STREAMS)).await;
    let rounds: Vec<usize> = (0..number("PARLOR_REVOCATIONS").unwrap_or(ROUNDS)).collect();
    let mut outlived = Vec::new();
    for some in rounds.chunks(AT_ONCE) {
        let ended = join_all(some.iter().map(|number| round(&server, *number))).await;
        outlived.extend(ended.into_iter().flatten());
    }
    outlived.sort();
    let (median, of_999) =
        (outlived[outlived.len() / 2], outlived[(outlived.len() * 999).div_ceil(1000) - 1]);
    println!(
        "{} sessions ended beside {} streams: median {median:?}, p99.9 {of_999:?}",
        outlived.len(),
        others.len()
    );
    for other in &mut others {
        other.lives("the end of others").await;
    }
}

#[tokio::test]
async fn a_stream_outlives_the_access_token_it_was_opened_with() {
    let folder = tempfile::tempdir().expect("a folder");
    // So short that the test sees it end; the ten minutes of a real one are no different but for the wait.
    let server = Server::start_with(&folder.path().join("data"), &["auth.session.access_token=1s"]).await;
    let ada = Login::register(server.channel(), "ada").await;
    let created = ada.chat().create_conversation(compose::direct(&ada.id())).await.expect("notes to oneself");
    let notes = created.into_inner().conversation.expect("a row").id;
    let mut on_stream = Device::open(ada).await;

    // One second, and the five that clocks may differ.
    eventually("the access token expires", Duration::from_secs(15), async || {
        refused_by_chat(&on_stream.login.chat()).await == Some(ErrorReason::TokenExpired)
    })
    .await;
    let append: Append = compose::text(&notes, 1, "said with an expired token");
    let op = append.op.clone();
    on_stream.stream.append(append).await;
    let entry = on_stream.stream.event().await;
    assert_eq!((entry.seq, entry.op), (2, op), "the stream goes on in both directions");

    let Device { mut login, stream: mut expired } = on_stream;
    let refresh_token = login.credentials.refresh_token.clone();
    let refresh = RefreshRequest { refresh_token, op: Op::new().to_string() };
    let fresh = login.auth().refresh(refresh).await.expect("refreshes").into_inner().credentials;
    login.credentials = fresh.expect("credentials");
    login.auth().logout(LogoutRequest {}).await.expect("logs out");
    ended_since(&mut expired, Instant::now(), "Logout with a new token").await;
}
