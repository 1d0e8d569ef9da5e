//! The outbox when server or client were put back to what they were: nothing is lost, nothing is stored twice (G2).

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use support::{Person, Server};

#[test]
fn what_waited_is_sent_once_to_a_restored_server() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.run_with(&["send", "--to", "@ben", "-"], "one\ntwo\n");
    let backup = server.back_up();
    ada.run_with(&["send", "--to", "@ben", "-"], "three\nfour\n");
    let tail = ben.tail(&["--to", "@ada", "--since", "0"]);
    assert_eq!(tail.texts(4), ["one", "two", "three", "four"]);
    server.kill();
    assert_eq!(ada.fails(&["send", "--to", "@ben", "waiting", "--wait", "0"], "").0, 5);

    server.restore(&backup);
    server.start_again();
    tail.notice("reset");
    tail.notice("connected");
    ada.json(&["send", "--to", "@ben", "after"]);
    let expected = ["one", "two", "waiting", "after"];
    assert_eq!(ada.messages("@ben"), expected);
    assert_eq!(ben.messages("@ada"), expected);
    assert_eq!(tail.texts(2), expected[2..], "the tail goes on from the new end");
}

#[test]
fn what_waited_is_sent_once_by_a_client_that_was_put_back() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["send", "--to", "@ben", "first"]);
    server.kill();
    assert_eq!(ada.fails(&["send", "--to", "@ben", "waiting", "--wait", "0"], "").0, 5);
    let restored = ada.copy();

    server.start_again();
    ben.run_with(&["send", "--to", "@ada", "-"], "1\n2\n3\n4\n5\n6\n");
    ada.json(&["send", "--to", "@ben", "second"]);
    ben.run_with(&["send", "--to", "@ada", "-"], "7\n8\n9\n10\n11\n");
    // The phone was put back: it does not know that what waited has arrived.
    restored.json(&["send", "--to", "@ben", "third"]);
    let expected =
        ["first", "1", "2", "3", "4", "5", "6", "waiting", "second", "7", "8", "9", "10", "11", "third"];
    assert_eq!(ben.messages("@ada"), expected);
}
