//! G1, at the system calls: between the write of an append and the first byte that tells of it lies a sync that came
//! back; and a server whose sync or write fails ends, and says nothing.
//!
//! What SIGKILL cannot show, since the system keeps what a dead process wrote: only power loss forgets it.

mod strace;
mod trace;

use std::path::Path;
use std::sync::Arc;

use parlor_history::{Event, Recorder};
use parlor_testkit::{ChatClient, PATIENCE, StreamClient, compose, eventually, in_time};
use parlor_tests::account::Login;
use parlor_tests::{Server, history, reading};
use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tempfile::TempDir;

use strace::Failure;
use trace::Trace;

/// Appends that are looked at, half of them on a stream.
const LOOKED_AT: u64 = 20;
/// What of the chat store fails: a sync of one of the first appends, and of later ones; writes likewise, of which an append takes
/// several.
const FAILING: [Failure; 5] = [sync(2), sync(5), sync(11), write("EIO", 20), write("EIO", 51)];
/// Appends in which it has to have failed.
const ENOUGH: u64 = 100;

const fn sync(when: u32) -> Failure {
    Failure { calls: "fdatasync,fsync", error: "EIO", when }
}

const fn write(error: &'static str, when: u32) -> Failure {
    Failure { calls: "pwrite64", error, when }
}

/// A data folder with Ada in it, and a group of hers.
struct Prepared {
    folder: TempDir,
    token: String,
    group: ConversationId,
}

impl Prepared {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("data")).await;
        let ada = Login::register(server.channel(), "ada").await;
        let created = ada.chat().create_conversation(compose::group("Tea", &[])).await.expect("creates");
        let group = created.into_inner().conversation.expect("a row").id;
        let group = ConversationId::parse(&group).expect("an id");
        server.kill().await;
        Self { folder, token: ada.credentials.access_token, group }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn calling(&self, server: &Server) -> ChatClient {
        parlor_testkit::chat_client(server.channel(), Some(&self.token))
    }
}

/// What no other append says.
fn marker(number: u64) -> String {
    format!("the {number}th message to be traced")
}

#[tokio::test]
async fn g1_a_sync_lies_between_the_write_of_an_append_and_its_ack() {
    if strace::is_missing() {
        return;
    }
    let prepared = Prepared::new().await;
    let (data, group) = (prepared.data(), prepared.group.to_string());
    let output = prepared.folder.path().join("trace");
    let server = Server::start_chat_under(&strace::tracing(&output), &data).await;
    let chat = prepared.calling(&server);
    let (mut stream, _) = StreamClient::connect(&chat, b"").await;
    stream.synced().await;
    for number in 0..LOOKED_AT {
        // One at a time, each with everything it leads to, so that what is written and said after it is of it.
        // Twice, so that one is whole when the network cuts through the other.
        let body = [marker(number), marker(number)].join(", ");
        let append = compose::text(&group, number + 1, &body);
        if number % 2 == 0 {
            chat.clone().append(compose::unary(&append)).await.expect("stored");
        } else {
            stream.append(append).await;
        }
        stream.event().await;
        stream.ping().await;
    }
    drop((stream, chat));
    server.end().await;
    let trace = whole(&output).await;
    for number in 0..LOOKED_AT {
        if let Err(why) = trace.synced_before_told(&marker(number), &group) {
            panic!("G1: append {number}: {why}");
        }
    }
}

/// The trace, once all of it is written.
async fn whole(output: &Path) -> Trace {
    let mut text = String::new();
    eventually("the end of the trace", PATIENCE, async || {
        text = std::fs::read_to_string(output).unwrap_or_default();
        trace::is_whole(&text)
    })
    .await;
    Trace::parse(&text)
}

#[tokio::test]
async fn g1_a_server_whose_disk_fails_ends_and_acks_nothing_that_is_lost() {
    if strace::is_missing() {
        return;
    }
    for failure in FAILING {
        let prepared = Prepared::new().await;
        let recorder = Arc::new(Recorder::default());
        let output = prepared.folder.path().join("trace");
        let store = prepared.data().join("chat.db-wal");
        let launcher = strace::failing(&output, &store, &failure);
        let mut server = Server::start_chat_under(&launcher, &prepared.data()).await;
        let acked = append_until_refused(&prepared, &server, &recorder).await;
        let status = server.ended("G1: a server whose disk failed ends").await;
        assert!(
            !status.success(),
            "G1: after a failed {} it ends as failed, not with {status}",
            failure.calls
        );
        let injected = std::fs::read_to_string(&output).expect("a trace").contains("(INJECTED)");
        assert!(injected, "it ended for another reason than a failed {}", failure.calls);
        assert!(acked > 0, "it failed at once: nothing was at stake");

        let server = Server::start(&prepared.data()).await;
        let group = prepared.group;
        let log = reading::log(&prepared.calling(&server), &group.to_string()).await.expect("reads");
        history::holds(&recorder, "ada, afterwards", group, &log);
        recorder.history().assert_good();
    }
}

#[tokio::test]
async fn g1_a_write_that_finds_no_room_is_refused_and_the_next_is_stored() {
    if strace::is_missing() {
        return;
    }
    let prepared = Prepared::new().await;
    let recorder = Arc::new(Recorder::default());
    let output = prepared.folder.path().join("trace");
    let store = prepared.data().join("chat.db-wal");
    let launcher = strace::failing(&output, &store, &write("ENOSPC", 20));
    let server = Server::start_chat_under(&launcher, &prepared.data()).await;
    let (chat, group) = (prepared.calling(&server), prepared.group.to_string());
    let acked = append_until_refused(&prepared, &server, &recorder).await;
    let text = compose::text(&group, 1, "there is room again");
    let appended = chat.clone().append(compose::unary(&text)).await.expect("it goes on").into_inner();
    assert_eq!(appended.appended.expect("where it is").seq, acked + 2, "G3: what was refused left no gap");
    let log = reading::log(&chat, &group).await.expect("reads");
    history::holds(&recorder, "ada, afterwards", prepared.group, &log);
    recorder.history().assert_good();
}

/// Appends one after the other; answers how many were acked.
async fn append_until_refused(prepared: &Prepared, server: &Server, recorder: &Recorder) -> u64 {
    let (group, mut chat) = (prepared.group, prepared.calling(server));
    for number in 0..ENOUGH {
        let append = compose::text(&group.to_string(), number + 1, &marker(number));
        let op = Op::parse(&append.op).expect("an op");
        history::invoked(recorder, recorder.now(), "ada", group, op, Some(&marker(number)));
        match in_time("an answer", chat.append(compose::unary(&append))).await {
            Ok(answer) => {
                let appended = answer.into_inner().appended.expect("where it is");
                history::acked(recorder, "ada", op, Seq(appended.seq));
            }
            Err(status) if from_status(&status).reason() == ErrorReason::StorageFull => {
                let reason = status.message().to_owned();
                recorder.record("ada", Event::Fail { op, reason });
                return number;
            }
            Err(_) => {
                // It may be there or not; Ada will not ask again.
                recorder.record("ada", Event::Unknown { op });
                return number;
            }
        }
    }
    panic!("G1: {ENOUGH} appends were acked, though a sync or a write failed, or none was made");
}
