//! `tail`: once, in order, through restarts of the server and beside other commands of the same profile.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use support::{Person, Server};

#[test]
fn entries_are_printed_once_and_in_order_through_restarts() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["send", "--to", "@ben", "before"]);
    let tail = ben.tail(&["--history", "1"]);
    tail.notice("connected");
    assert_eq!(tail.texts(1), ["before"]);

    ada.json(&["send", "--to", "@ben", "live"]);
    assert_eq!(tail.texts(1), ["live"]);
    for round in 0..3 {
        server.kill();
        tail.notice("disconnected");
        server.start_again();
        ada.json(&["send", "--to", "@ben", &format!("round {round}")]);
        // Beside the stream of the same profile, which must stay.
        ben.json(&["send", "--to", "@ada", &format!("answer {round}")]);
        assert_eq!(tail.texts(2), [format!("round {round}"), format!("answer {round}")]);
        tail.notice("connected");
    }
    ada.json(&["group", "create", "New", "@ben"]);
    ada.json(&["send", "--to", "New", "in a new group"]);
    assert_eq!(tail.texts(1), ["in a new group"], "G6: without a restart or a question");
    assert!(tail.is_silent(), "G3: nothing twice");
}

#[test]
fn what_came_while_nobody_looked_comes_first() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let tail = ben.tail(&[]);
    tail.notice("connected");
    ada.json(&["send", "--to", "@ben", "one"]);
    assert_eq!(tail.texts(1), ["one"], "a conversation made while it runs is printed from its beginning");
    drop(tail);

    ada.json(&["send", "--to", "@ben", "two"]);
    ada.json(&["group", "create", "Tea", "@ben"]);
    ada.json(&["send", "--to", "Tea", "three"]);
    let tail = ben.tail(&[]);
    let mut both = tail.texts(2);
    both.sort();
    assert_eq!(both, ["three", "two"]);

    let since = ben.tail(&["--to", "@ada", "--since", "1"]);
    assert_eq!(since.texts(2), ["one", "two"]);
}

#[test]
fn what_waits_is_delivered_when_the_server_is_back() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["send", "--to", "@ben", "first"]);
    let tail = ada.tail(&[]);
    tail.notice("connected");
    server.kill();
    tail.notice("disconnected");
    for text in ["second", "third"] {
        assert_eq!(ada.fails(&["send", "--to", "@ben", text, "--wait", "0"], "").0, 5);
    }
    server.start_again();
    assert_eq!(tail.texts(2), ["second", "third"], "G2, G4");
    assert_eq!(ben.json(&["history", "--to", "@ada", "--all"]).len(), 4);
}

#[test]
fn a_session_that_is_ended_ends_its_tail() {
    let server = Server::start();
    let ada = Person::registered(&server, "ada");
    let other = Person::new(&server);
    assert_eq!(other.fails(&["login", "ada", "--password-stdin"], support::PASSWORD).0, 0);
    let mut tail = other.tail(&[]);
    tail.notice("connected");
    ada.json(&["sessions", "end-others"]);
    assert_eq!(tail.child.wait().unwrap().code(), Some(3));
    assert_eq!(other.fails(&["whoami"], ""), (3, "NOT_LOGGED_IN".into()));
}

#[test]
fn what_others_read_is_told_to_those_who_ask_and_to_nobody_else() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let sent = ada.json(&["send", "--to", "@ben", "hello"]).remove(0);
    let tail = ada.tail(&["--activity"]);
    tail.notice("connected");
    ben.json(&["read", "@ada"]);
    let told = tail.entry();
    assert_eq!(
        (&told["event"], &told["username"], &told["read"]),
        (&"receipts".into(), &"ben".into(), &sent["seq"])
    );
    drop(tail);

    let tail = ada.tail(&[]);
    tail.notice("connected");
    ada.json(&["send", "--to", "@ben", "again"]);
    assert_eq!(tail.texts(1), ["again"]);
    ben.json(&["read", "@ada"]);
    ben.json(&["send", "--to", "@ada", "read it"]);
    let next = tail.entry();
    assert_eq!(next["text"], "read it", "only entries, as before");
}
