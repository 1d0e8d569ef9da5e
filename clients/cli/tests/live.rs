//! The client library over a real server: sending on the stream while the server is killed, and renewing the session.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::process::Stdio;
use std::time::{Duration, SystemTime};

use parlor_client::core::{Draft, Event};
use parlor_client::store::{Store, Tokens};
use parlor_client::{Client, News};
use parlor_types::{ConversationId, Id as _, Op};
use parlor_wire::chat::v1::Text;
use parlor_wire::chat::v1::content::Kind;
use support::{PATIENCE, Person, Server};

#[tokio::test(flavor = "multi_thread")]
async fn messages_sent_on_the_stream_arrive_once_and_in_order() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let id = ada.json(&["send", "--to", "@ben", "m"]).remove(0);
    let id = ConversationId::parse(id["conversation_id"].as_str().unwrap()).unwrap();

    let client = Client::open(ada.folder.path(), &server.url(), Duration::ZERO).await.unwrap();
    let (live, mut events) = client.live().await.unwrap();
    tokio::time::timeout(PATIENCE, async {
        while events.next().await != Some(News::Event(Event::Online)) {}
    })
    .await
    .expect("the stream opens");

    let mut pending = Vec::new();
    for n in 0..60 {
        if n % 20 == 10 {
            server.kill();
        }
        let draft = Draft::new(id, Kind::Text(Text { body: format!("m{n}") }));
        pending.push(live.send(draft).await.unwrap());
        if n % 20 == 15 {
            server.start_again();
        }
    }
    for pending in pending {
        tokio::time::timeout(PATIENCE, pending.settled()).await.expect("it is answered").unwrap();
    }
    let held: Vec<_> = ben.json(&["history", "--to", "@ada", "--all"]);
    let texts: Vec<_> = held.iter().filter_map(|entry| entry["text"].as_str()).skip(1).collect();
    let expected: Vec<_> = (0..60).map(|n| format!("m{n}")).collect();
    assert_eq!(texts, expected, "G2, G4");
    assert!(client.store().outbox(None).unwrap().is_empty());
}

/// Makes the saved access token one that has run out.
fn run_out(person: &Person) {
    let store = Store::open(person.folder.path()).unwrap();
    let tokens = store.account().unwrap().tokens.unwrap();
    let attempt = store.begin_refresh(&tokens, Op::new()).unwrap().unwrap();
    store.finish_refresh(&attempt, &Tokens { access_until: SystemTime::UNIX_EPOCH, ..tokens }).unwrap();
}

#[test]
fn many_processes_renew_one_session_at_once() {
    let server = Server::start();
    let ada = Person::registered(&server, "ada");
    for _ in 0..5 {
        run_out(&ada);
        let before = Store::open(ada.folder.path()).unwrap().account().unwrap().tokens;
        let all: Vec<_> =
            (0..4).map(|_| ada.command(&["whoami"]).stdout(Stdio::null()).spawn().unwrap()).collect();
        for mut child in all {
            assert!(child.wait().unwrap().success(), "nobody is logged out");
        }
        assert_ne!(Store::open(ada.folder.path()).unwrap().account().unwrap().tokens, before);
    }
}
