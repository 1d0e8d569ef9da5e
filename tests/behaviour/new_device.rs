//! A new device of somebody with a long past: the chat list is complete after one connection and no further call, and costs
//! what its rows cost, not what the history does.
//!
//! Larger or smaller with `PARLOR_CONVERSATIONS` and `PARLOR_MESSAGES`; what it took is printed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parlor_testkit::{ChatClient, StreamClient, compose};
use parlor_tests::account::{Login, PASSWORD};
use parlor_tests::{Server, number};
use parlor_types::limits;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{ClientFrame, ConnectRequest, Conversation, Hello, ServerFrame, append_result};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

/// A few busy years.
const CONVERSATIONS: usize = 500;
const MESSAGES: usize = 100_000;
/// Unanswered appends of one writer.
const IN_FLIGHT: usize = 256;
/// A row of this test, with everything in it: ids of five members alone are 180 bytes.
const ROW_BYTES: usize = 1_500;
/// One server answers one question at a time in this time, however slow the machine.
const SYNC_WITHIN: Duration = Duration::from_secs(60);
/// Rows come in the order of commits; the times of two conversations' entries may differ from that by as much as a commit
/// takes, and stand for whole seconds here.
const COMMIT_SECONDS: i64 = 1;

/// What came until SyncDone.
#[derive(Debug, Default)]
struct Cost {
    rows: Vec<Conversation>,
    entries: usize,
    messages: usize,
    frames: usize,
    bytes: usize,
}

/// Who writes: one person for every fifth conversation.
async fn write(chat: ChatClient, conversations: Vec<String>, count: usize) {
    let (mut stream, _) = StreamClient::connect(&chat, b"").await;
    let (rows, _) = stream.synced().await;
    let mut heads: BTreeMap<String, u64> = rows.into_iter().map(|row| (row.id, row.head)).collect();
    let mut left = count;
    let mut turn = conversations.iter().cycle();
    while left > 0 {
        let some = left.min(IN_FLIGHT);
        let appends = (0..some).map(|_| {
            let id = turn.next().expect("a cycle has no end");
            Out::Append(compose::text(id, heads[id], "What was said a while ago, and is long read."))
        });
        let appends: Vec<_> = appends.collect();
        for part in appends.chunks(64) {
            stream.send_all(part.iter().cloned()).await;
        }
        for _ in 0..some {
            let result = stream.find("an AppendResult", |frame| match frame {
                In::AppendResult(result) => Some(result.clone()),
                _ => None,
            });
            let result = result.await;
            let Some(append_result::Outcome::Appended(appended)) = result.outcome else {
                panic!("not stored: {result:?}");
            };
            heads.insert(appended.conversation_id, appended.seq);
        }
        stream.take_mail();
        left -= some;
    }
}

/// Connects once, says Hello, and listens.
async fn connect(mut chat: ChatClient) -> Cost {
    let (sending, queue) = mpsc::channel(16);
    let hello = Hello { protocol: limits::PROTOCOL, ..Hello::default() };
    let say = |kind| ConnectRequest { frames: vec![ClientFrame { kind: Some(kind) }.encode_to_vec().into()] };
    sending.send(say(Out::Hello(hello))).await.expect("it is open");
    let mut receiving = chat.connect(ReceiverStream::new(queue)).await.expect("it opens").into_inner();
    let mut cost = Cost::default();
    loop {
        let batch = receiving.message().await.expect("it lives").expect("it goes on");
        cost.messages += 1;
        cost.bytes += batch.encoded_len();
        for frame in batch.frames {
            cost.frames += 1;
            match ServerFrame::decode(frame).expect("a frame").kind {
                Some(In::SyncConversation(row)) => cost.rows.extend(row.conversation),
                Some(In::Event(_)) => cost.entries += 1,
                Some(In::SyncDone(_)) => return cost,
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_device_has_its_chat_list_after_one_connection() {
    let conversations = number("PARLOR_CONVERSATIONS").unwrap_or(CONVERSATIONS);
    let messages: usize = number("PARLOR_MESSAGES").unwrap_or(MESSAGES);
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [format!("chat.appends_in_flight={IN_FLIGHT}")];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let server = Server::start_with(&folder.path().join("data"), &settings).await;
    let ada = Login::register(server.channel(), "ada").await;
    let mut others = Vec::new();
    for name in ["ben", "cem", "dan", "eve"] {
        others.push(Login::register(server.channel(), name).await);
    }
    let ids: Vec<String> = others.iter().map(Login::id).collect();
    let mut groups = Vec::new();
    for number in 0..conversations {
        let request = compose::group(&format!("Group {number}"), &ids);
        let created = ada.chat().create_conversation(request).await.expect("creates").into_inner();
        groups.push(created.conversation.expect("a row").id);
    }
    let mut writers = Vec::new();
    for (index, writer) in others.iter().enumerate() {
        let own: Vec<String> = groups.iter().skip(index).step_by(others.len()).cloned().collect();
        let count = messages / others.len();
        writers.push(tokio::spawn(write(writer.chat(), own, count)));
    }
    for writer in writers {
        writer.await.expect("it writes");
    }

    let device = ada.another_device(PASSWORD).await.expect("logs in");
    let begun = Instant::now();
    let cost = timeout(SYNC_WITHIN, connect(device.chat())).await.expect("G5: the sync ends");
    let took = begun.elapsed();
    let of_bytes = cost.bytes / conversations;
    println!(
        "{conversations} conversations, {messages} messages: {} rows in {} frames, {} HTTP/2 messages, {} bytes \
         ({of_bytes} a row), {took:.0?}",
        cost.rows.len(),
        cost.frames,
        cost.messages,
        cost.bytes
    );

    assert_eq!(cost.rows.len(), conversations, "G5: every row, once");
    assert_eq!(cost.entries, 0, "no history");
    let unread: u64 = cost.rows.iter().map(|row| row.unread).sum();
    assert_eq!(unread, (messages / others.len() * others.len()) as u64, "all that was never read");
    for row in &cost.rows {
        let last = row.last_message.as_ref().expect("a message");
        assert_eq!((last.seq, row.members.len()), (row.head, 5), "a row is enough to draw it");
    }
    assert!(of_bytes < ROW_BYTES, "{of_bytes} bytes a row");
    let times: Vec<_> = cost.rows.iter().map(|row| row.active_at.map_or(0, |at| at.seconds)).collect();
    let newest_first = times.windows(2).all(|two| two[0] + COMMIT_SECONDS >= two[1]);
    assert!(newest_first, "the latest active first: {times:?}");
}
