//! How somebody wants to have a conversation, on two of their devices; and who sees whom.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::time::Duration;

use parlor_client::core::Event;
use parlor_client::{Client, Events, News};
use parlor_types::{ConversationId, Id as _, Seq};
use parlor_wire::chat::v1::PreferenceChanges;
use parlor_wire::presence::v1::Availability;
use serde_json::json;
use support::{PASSWORD, PATIENCE, Person, Server};

/// Another device of the same person.
fn second_device(server: &Server, username: &str) -> Person {
    let device = Person::new(server);
    let output = device.run_with(&["login", username, "--password-stdin"], PASSWORD);
    assert!(output.status.success());
    device
}

async fn until(events: &mut Events, what: &str, mut is_it: impl FnMut(&Event) -> bool) {
    let search = async {
        while let Some(news) = events.next().await {
            if matches!(&news, News::Event(event) if is_it(event)) {
                return;
            }
        }
        panic!("the connection ended: {what}");
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap_or_else(|_| panic!("waited for: {what}"));
}

#[test]
fn what_is_set_is_shown_by_the_chat_list_of_every_device() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["send", "--to", "@ben", "hello"]);
    let other = second_device(&server, "ben");
    other.json(&["chats"]);
    let set = ["set", "@ada", "--mute", "8h", "--pin", "--nick", "Countess", "--draft", "dear"];
    let changed = ben.json(&set).remove(0);
    assert_eq!((&changed["custom_name"], &changed["archived"]), (&json!("Countess"), &json!(false)));
    let chat = other.json(&["chats"]).remove(0);
    assert_eq!((&chat["muted"], &chat["preferences"]["draft"]["text"]), (&json!(true), &json!("dear")));
    assert!(chat["preferences"]["pinned_at"].is_string());

    ben.json(&["set", "@ada", "--unmute", "--archive", "--unpin"]);
    assert!(other.json(&["chats"]).is_empty());
    assert_eq!(other.json(&["chats", "--all"])[0]["preferences"]["archived"], true);
    ada.json(&["send", "--to", "@ben", "are you there?"]);
    assert_eq!(other.json(&["chats"])[0]["preferences"]["archived"], false, "a message brings it back");

    ben.json(&["read", "@ada"]);
    ben.json(&["set", "@ada", "--unread"]);
    let chat = other.json(&["chats"]).remove(0);
    assert_eq!((&chat["unread"], &chat["preferences"]["marked_unread"]), (&json!(0), &json!(true)));
    other.json(&["read", "@ada"]);
    assert_eq!(ben.json(&["chats"])[0]["preferences"]["marked_unread"], false);
    assert_eq!(ben.fails(&["set", "@ada", "--nick", &"x".repeat(101)], ""), (1, "FIELD_INVALID".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_without_a_server_reaches_the_other_device_later() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let sent = ada.json(&["send", "--to", "@ben", "hello"]).remove(0);
    let id = ConversationId::parse(sent["conversation_id"].as_str().unwrap()).unwrap();
    let other = second_device(&server, "ben");
    let open = async |person: &Person| {
        Client::open(person.folder.path(), &server.url(), Duration::ZERO).await.unwrap()
    };
    let (first, second) = (open(&ben).await, open(&other).await);
    let (live, mut events) = first.live().await.unwrap();
    let (_second_live, mut second_events) = second.live().await.unwrap();
    until(&mut events, "online", |event| *event == Event::Online).await;
    until(&mut second_events, "online", |event| *event == Event::Online).await;

    server.kill();
    until(&mut events, "offline", |event| matches!(event, Event::Offline(_))).await;
    let pin = PreferenceChanges { pinned: Some(true), ..PreferenceChanges::default() };
    live.set_preferences(id, pin).await.unwrap();
    until(&mut events, "shown at once", |event| matches!(event, Event::Conversation { .. })).await;
    assert!(first.store().chat(id).unwrap().unwrap().is_pinned());
    drop(live); // the program ends before it could say so

    server.start_again();
    let (live, mut events) = first.live().await.unwrap();
    let pinned = |client: &Client| client.store().chat(id).unwrap().unwrap().is_pinned();
    until(&mut second_events, "pinned there too", |_| pinned(&second)).await;

    // Read, and to be come back to: in this order.
    live.mark_read(id, Seq(2)).await.unwrap();
    let unread = PreferenceChanges { marked_unread: Some(true), ..PreferenceChanges::default() };
    live.set_preferences(id, unread).await.unwrap();
    let wishes = |client: &Client| client.store().wishes().unwrap().len();
    until(&mut events, "answered", |_| wishes(&first) == 0).await;
    until(&mut second_events, "read and marked", |_| {
        let chat = second.store().chat(id).unwrap().unwrap();
        chat.unread.messages == 0 && chat.preferences.marked_unread
    })
    .await;
    let row = first.conversation(id).await.unwrap();
    assert!(row.preferences.unwrap().marked_unread, "the read mark came first");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_is_told_to_contacts_and_watch_prints_it() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["contacts", "add", "@ben"]);
    ben.json(&["contacts", "accept", "@ada"]);
    assert_eq!(ben.json(&["status"]), [json!({ "appearance": "online", "text": "", "until": null })]);

    let client = Client::open(ada.folder.path(), &server.url(), Duration::ZERO).await.unwrap();
    let bens = client.user_named(&parlor_types::Username::new("ben").unwrap()).await.unwrap();
    let (live, mut events) = client.live().await.unwrap();
    live.watch(vec![bens]).await.unwrap();
    let is = |availability: Availability| move |event: &Event| matches!(event, Event::Presence { presence: Some(now), .. } if now.availability() == availability);
    until(&mut events, "ben is away", is(Availability::Offline)).await;
    let device = Client::open(ben.folder.path(), &server.url(), Duration::ZERO).await.unwrap();
    let (bens_live, _) = device.live().await.unwrap();
    until(&mut events, "ben comes", is(Availability::Online)).await;
    assert_eq!(live.presence(bens).await.unwrap().unwrap().availability(), Availability::Online);
    ben.json(&["status", "--appear", "do-not-disturb", "--text", "in a meeting", "--for", "1h"]);
    until(&mut events, "ben is busy", is(Availability::DoNotDisturb)).await;
    ben.json(&["status", "--clear"]);
    until(&mut events, "ben is there", is(Availability::Online)).await;
    bens_live.background().await.unwrap();
    until(&mut events, "ben looks away", is(Availability::Away)).await;
    let too_many = live.watch(vec![bens; 201]).await;
    assert!(too_many.is_err(), "a list that no server takes");

    drop((live, events));
    let watch = ada.follow("watch", &["@ben"]);
    let ben = watch.entry();
    assert_eq!((&ben["username"], &ben["availability"]), (&json!("ben"), &json!("away")));
}
