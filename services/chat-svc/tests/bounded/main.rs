//! G8: nobody, however slow or hostile, makes memory grow or holds up the others. Apart from the other tests, because the
//! memory of the whole process is measured; one after the other, for the same reason.
//!
//! The rates of appends are raised by configuration, see `support::config`, and so are appends in flight.

mod revocations;
#[path = "../behaviour/support.rs"]
#[expect(dead_code, reason = "shared with the tests of behaviour, which need more of it")]
mod support;

use chat_svc::Config;
use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, in_time, reason};
use parlor_types::limits::MAX_CONVERSATIONS;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::fetch_result::Outcome as Fetching;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Ack, Ping, PushRequest, SyncRequest};
use parlor_wire::errors::v1::ErrorReason;
use tokio::sync::Mutex;

use support::{Scene, User, body, config, fill, outcome};

/// One test at a time.
static ALONE: Mutex<()> = Mutex::const_new(());
const MIB: usize = 1024 * 1024;

/// Memory of this process, client and server together, bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it is always there");
    let kib: usize = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    kib * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_fifty_thousand_tiny_frames_are_taken_in_and_kept_nowhere() {
    let _alone = ALONE.lock().await;
    let scene = Scene::start().await;
    let (ada, ben) = (scene.narrow_user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ada.stream().await;
    stream.auto_ack(false);
    let before = memory();
    // One frame in each message, and nothing that comes is read meanwhile.
    for nonce in 1..=50_000 {
        in_time("room for a frame", stream.send(Out::Ping(Ping { nonce }))).await;
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 16 * MIB, "G8: {} KiB more", grown / 1024);
    assert_eq!(ben.says(&tea, "the others go on").await, 2);
    let event = stream.event().await;
    assert_eq!(body(&event), "the others go on", "G8: the stream lives");
    let pongs = stream.take_mail().iter().filter(|frame| matches!(frame, In::Pong(_))).count();
    assert!((1..25_000).contains(&pongs), "G8: {pongs} pings were answered to somebody who does not read");
    stream.ping().await;
}

/// The head that a client is told of, in whatever way.
fn told(frame: &In) -> u64 {
    match frame {
        In::Event(event) => event.entry.as_ref().map_or(0, |entry| entry.seq),
        In::Head(head) => head.head,
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_g6_a_client_that_never_reads_costs_nobody_anything_and_catches_up() {
    const COUNT: u64 = 20_000;
    let _alone = ALONE.lock().await;
    let scene = Scene::with(Config { appends_in_flight: 512, ..config() }).await;
    let (ada, ben, lazy) = (scene.user().await, scene.user().await, scene.narrow_user().await);
    let tea = ada.group(&[&ben, &lazy]).await;
    // On a connection of its own, nothing of which is read from here on.
    let mut sleeping = lazy.stream().await;
    sleeping.auto_ack(false);
    let (mut writing, mut reading) = (ada.stream().await, ben.stream().await);
    let reader = tokio::spawn(async move {
        let mut have = 1;
        while have <= COUNT {
            let frame = reading.next().await.expect("the stream lives");
            have = have.max(told(&frame));
        }
    });
    let before = memory();
    let words = "x".repeat(2_000);
    let head = fill(&mut writing, &tea, 1, COUNT, &words).await;
    in_time("G6: everything, for whoever reads", reader).await.expect("a reader who reads");
    let grown = memory().saturating_sub(before);
    // What was written is 40 MB, of which the appender remembers the ops of 5,120 and SQLite caches some.
    assert!(grown < 32 * MIB, "G8: {} KiB more", grown / 1024);

    let mut have = 0;
    while have < head {
        let frame = sleeping.next().await.expect("the stream lives");
        have = have.max(told(&frame));
        sleeping.send(Out::Ack(Ack { batch: sleeping.batch })).await;
    }
    assert_eq!(have, head, "G6: the Head arrives once it reads");
    let mut from = 1;
    while from > 0 {
        match sleeping.fetch(&tea, from, 0).await.outcome {
            Some(Fetching::Page(page)) => {
                let first = page.entries.first().expect("a page before the head has entries");
                assert_eq!(first.seq, from, "G5");
                assert!(page.entries.len() <= 200);
                from = page.next_seq;
            }
            other => panic!("G5: {other:?}"),
        }
        sleeping.send(Out::Ack(Ack { batch: sleeping.batch })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_who_floods_with_appends_and_reads_no_answer_is_sent_away() {
    let _alone = ALONE.lock().await;
    let scene = Scene::start().await;
    let (ada, ben) = (scene.narrow_user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (mut stream, welcome) = StreamClient::connect(&ada.chat, b"").await;
    stream.auto_ack(false);
    let before = memory();
    let flood = async {
        loop {
            stream.send(Out::Append(compose::text(&tea, 1, ""))).await;
            // Once the stream has ended, sending takes no time.
            tokio::task::yield_now().await;
        }
    };
    // Without reading, one knows the end of a stream by this.
    let probe = scene.calling(Some(&ada.person.token)).await;
    let sent_away = eventually("G8: the end of the flood", PATIENCE, async || {
        let stream_id = welcome.stream_id.clone();
        let push = PushRequest { stream_id, number: u64::MAX, frames: vec![] };
        reason(probe.clone().push(push).await) == ErrorReason::StreamNotFound
    });
    tokio::select! {
        () = flood => {}
        () = sent_away => {}
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 16 * MIB, "G8: {} KiB more", grown / 1024);
    assert_eq!(stream.end().await.reason(), (ErrorReason::TooManyInFlight, true));
    assert_eq!(ben.says(&tea, "the others go on").await, 2);
}

#[tokio::test]
async fn a_store_without_room_refuses_writes_and_answers_everything_else() {
    let _alone = ALONE.lock().await;
    let scene = Scene::with(Config { store_max_bytes: 1 << 20, ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ada.stream().await;
    let words = "x".repeat(15_000);
    let mut head = 1;
    let (full, lane) = loop {
        let append = compose::text(&tea, head, &words);
        match outcome(stream.append(append.clone()).await) {
            Ok((seq, false)) => head = seq,
            Err((reason, lane)) => {
                assert_eq!(reason, ErrorReason::StorageFull);
                break (append, lane);
            }
            other => panic!("{other:?}"),
        }
        assert!(head < 100, "1 MiB holds fewer than 100 such messages");
    };
    assert!(head > 20, "{head}");
    let small = loop {
        let append = compose::text(&tea, head, "a little more");
        match ada.append(&append).await {
            Ok(appended) => head = appended.seq,
            refused => break reason(refused),
        }
    };
    assert_eq!(small, ErrorReason::StorageFull);
    let refused = ada.append(&full).await;
    let status = refused.expect_err("there is no room");
    let problem = parlor_wire::reason::from_status(&status);
    assert_eq!((problem.reason(), problem.retry_after.is_some()), (ErrorReason::StorageFull, true));
    let eve = scene.user().await;
    let no_room = loop {
        // Half-empty pages of other tables may hold a few more.
        if let refused @ Err(_) = eve.create(compose::group("No room", &[])).await {
            break reason(refused);
        }
    };
    assert_eq!(no_room, ErrorReason::StorageFull);

    let full = compose::text(&tea, head, &words);
    still_answers(&ada, &ben, &tea, head).await;
    let (mut late, _) = StreamClient::connect(&ben.chat, b"").await;
    let (rows, _) = late.synced().await;
    assert_eq!((rows.len(), rows[0].head), (1, head), "streams open and sync");
    let again = parlor_wire::chat::v1::Append { lane, ..compose::text(&tea, 1, "") };
    assert_eq!(outcome(stream.append(again).await), Err((ErrorReason::FieldInvalid, lane + 1)));

    // Room is made by allowing more.
    let scene = scene.restart(Some(Config { store_max_bytes: 4 << 20, ..config() }), |_| ()).await;
    let ada = scene.session(ada.person).await;
    let stored = ada.append(&full).await.expect("there is room again");
    assert_eq!((stored.seq, stored.duplicate), (head + 1, false), "G2: what was refused was not stored");
}

async fn still_answers(ada: &User, ben: &User, tea: &str, head: u64) {
    let log = ben.log(tea).await.expect("reads go on");
    assert_eq!(support::seqs(&log), (1..=head).collect::<Vec<_>>(), "G3: no gap where a write failed");
    let repeated = compose::text(tea, 1, body(&log[1]));
    let repeated = parlor_wire::chat::v1::Append { op: log[1].op.clone(), ..repeated };
    assert!(ada.append(&repeated).await.expect("a retry is a read").duplicate, "G2");
    let ahead = compose::text(tea, head + 1, "ahead");
    assert_eq!(reason(ada.append(&ahead).await), ErrorReason::BaseSeqAhead);
    let sync = ben.chat.clone().sync(SyncRequest::default()).await.expect("reads go on").into_inner();
    assert_eq!(sync.conversations[0].head, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_nobody_is_in_more_conversations_than_may_be() {
    const AT_ONCE: usize = 100;
    let _alone = ALONE.lock().await;
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ben.group(&[]).await;
    for _ in 0..MAX_CONVERSATIONS / AT_ONCE {
        let some = (0..AT_ONCE).map(|_| ada.create(compose::group("Cake", &[])));
        let made = futures_util::future::join_all(some).await;
        assert!(made.iter().all(Result::is_ok), "there is room for all of these");
    }
    let full = ErrorReason::TooManyConversations;
    assert_eq!(reason(ada.create(compose::group("One more", &[])).await), full, "G8");
    assert_eq!(reason(ben.create(compose::direct(&ada.id())).await), full, "G8");
    assert_eq!(reason(ben.does(&tea, compose::add(&[ada.id()])).await), full, "G8");
    ben.create(compose::group("Of others", &[])).await.expect("others have room");
}
