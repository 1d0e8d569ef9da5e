//! Subscribers that never read, in a busy group.
//!
//! `PARLOR_SUBSCRIBERS` says how many.

use futures_util::future::join_all;
use parlor_testkit::{StreamClient, compose};
use parlor_tests::account::Login;
use parlor_tests::{number, reading, uploads};
use parlor_types::limits::MAX_USERS_PER_CHANGE;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Append, Text};
use tonic::transport::{Channel, Endpoint};

use crate::scene::{Scene, create};

const SUBSCRIBERS: usize = 150;
/// What one of them may cost the server's process: its connection, its stream and all that waits for it.
const EACH: u64 = 64 << 10;
/// Messages said to them: twice as much as may wait for one.
const MESSAGES: u64 = 300;
const BYTES: usize = 1024;
/// As little as HTTP/2 lets a client take in unread.
const WINDOW: u32 = 64 * 1024 - 1;

/// A connection that takes in little of what is not read.
async fn narrow(scene: &Scene) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", scene.server.address())).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
    endpoint.connect().await.expect("the server takes connections")
}

/// Ada's group of all of them.
async fn busy_group(ada: &Login, people: &[Login]) -> String {
    let ids: Vec<String> = people.iter().map(Login::id).collect();
    let mut some = ids.chunks(MAX_USERS_PER_CHANGE);
    let group = create(ada, compose::group("Busy", some.next().expect("there are some"))).await;
    for more in some {
        uploads::say(ada, &group, compose::add(more)).await.expect("there is room");
    }
    group
}

async fn say_much(ada: &Login, group: &str) {
    let mut head = reading::row(&ada.chat(), group).await.expect("reads").head;
    let (mut stream, _) = StreamClient::connect(&ada.chat(), b"").await;
    stream.synced().await;
    for number in 0..MESSAGES {
        let body = format!("{number} {}", "x".repeat(BYTES));
        let kind = Kind::Text(Text { body });
        let append = Append { base_seq: head, ..compose::append(group, head, kind) };
        stream.append(append).await;
        stream.take_mail();
        head += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_g6_subscribers_that_never_read_cost_64_kib_each_and_are_told_of_all_when_they_do() {
    let count = number("PARLOR_SUBSCRIBERS").unwrap_or(SUBSCRIBERS);
    let mut scene = Scene::with(&[&format!("chat.max_group_members={}", count + 2)]).await;
    let channel = scene.server.channel();
    let mut people = Vec::with_capacity(count);
    while people.len() < count {
        let some = (people.len()..count).take(16).map(|_| Login::register(channel.clone(), "silent"));
        people.extend(join_all(some).await);
    }
    let ada = Login::register(channel, "speaker").await;
    let group = busy_group(&ada, &people).await;
    // What is said once makes all buffers of the server as large as they get without subscribers.
    say_much(&ada, &group).await;

    let before = scene.server.resident_bytes();
    let mut streams = Vec::with_capacity(count);
    for login in &people {
        let (mut stream, _) = StreamClient::connect(&login.over(narrow(&scene).await).chat(), b"").await;
        stream.auto_ack(false);
        streams.push(stream);
    }
    let what = format!("{MESSAGES} messages to {count} who never read");
    let ((), meanwhile) = scene.undisturbed(&what, say_much(&ada, &group)).await;
    let each = scene.server.resident_bytes().saturating_sub(before) / count as u64;
    println!("{each} bytes for each of {count} who never read; {meanwhile:?}");
    assert!(each <= EACH, "G8: {each} bytes for each of {count} who never read");

    let head = reading::row(&ada.chat(), &group).await.expect("reads").head;
    let mut one = streams.pop().expect("there are some");
    one.auto_ack(true);
    let told = |frame: &In| {
        let told = match frame {
            In::Head(mark) => mark.head,
            In::Event(event) => event.entry.as_ref().map_or(0, |entry| entry.seq),
            In::SyncConversation(row) => row.conversation.as_ref().map_or(0, |row| row.head),
            _ => 0,
        };
        (told == head).then_some(())
    };
    one.find("G6: the head, once it reads", told).await;
    let who = people.last().expect("as many as streams");
    let log = reading::log(&who.chat(), &group).await.expect("reads");
    assert_eq!(log.last().map(|entry| entry.seq), Some(head), "G5: all of it is there to be had");
}
