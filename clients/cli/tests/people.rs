//! Contacts, blocks, privacy, receipts and the chat list, from the command line.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use serde_json::{Value, json};
use support::{Person, Server, text};

fn relation(rows: &[Value]) -> Vec<(&str, &str, bool)> {
    rows.iter()
        .map(|row| {
            (row["username"].as_str().unwrap(), row["relation"].as_str().unwrap(), row["blocked"] == true)
        })
        .collect()
}

#[test]
fn two_people_become_contacts_and_one_blocks_the_other() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let asked = ada.json(&["contacts", "add", "@ben", "--note", "from work"]);
    assert_eq!(relation(&asked), [("ben", "requested", false)]);
    let received = ben.json(&["contacts"]);
    assert_eq!(relation(&received), [("ada", "request_received", false)]);
    assert_eq!(received[0]["note"], "from work");
    assert_eq!(relation(&ben.json(&["contacts", "accept", "@ada"])), [("ada", "contact", false)]);
    assert_eq!(relation(&ada.json(&["contacts", "list"])), [("ben", "contact", false)]);

    assert_eq!(relation(&ben.json(&["block", "@ada"])), [("ada", "none", true)]);
    assert_eq!(ada.fails(&["send", "--to", "@ben", "hello?"], ""), (1, "PERSON_NOT_ACCEPTING".into()));
    assert_eq!(ben.fails(&["contacts", "add", "@ada"], ""), (1, "USER_BLOCKED".into()));
    assert_eq!(relation(&ben.json(&["unblock", "@ada"])), [("ada", "none", false)]);
    assert_eq!(ben.json(&["contacts"]), Vec::<Value>::new());
    assert_eq!(ben.fails(&["contacts", "accept", "@ada"], ""), (1, "REQUEST_NOT_FOUND".into()));
    ada.json(&["send", "--to", "@ben", "hello again"]);
}

#[test]
fn what_a_blocked_sender_says_in_a_group_is_withheld() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["group", "create", "Tea", "@ben"]);
    ben.json(&["block", "@ada"]);
    ada.json(&["send", "--to", "Tea", "secret"]);
    let last = ben.json(&["history", "--to", "Tea", "--limit", "1"]).remove(0);
    assert_eq!((&last["kind"], &last["reason"]), (&json!("withheld"), &json!("sender_blocked")));
    let chat = ben.json(&["chats"]).remove(0);
    assert_eq!((&chat["unread"], &chat["last_message"]), (&json!(0), &json!(null)));
}

#[test]
fn privacy_is_shown_and_changed() {
    let server = Server::start();
    let ada = Person::registered(&server, "ada");
    let as_by_default = json!({
        "read_receipts": true, "online": "contacts", "last_seen": "contacts", "direct": "everyone", "groups": "everyone",
    });
    assert_eq!(ada.json(&["privacy"]), std::slice::from_ref(&as_by_default));
    let changed = ada.json(&["privacy", "--read-receipts", "off", "--direct", "contacts"]).remove(0);
    assert_eq!((&changed["read_receipts"], &changed["direct"]), (&json!(false), &json!("contacts")));
    assert_eq!(changed["groups"], as_by_default["groups"], "what is not said stays");
    assert_eq!(ada.json(&["privacy"]), [changed]);
    let ben = Person::registered(&server, "ben");
    assert_eq!(ben.fails(&["send", "--to", "@ada", "hi"], ""), (1, "PERSON_NOT_ACCEPTING".into()));
}

#[test]
fn the_chat_list_is_there_without_a_server_and_read_empties_it() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.run_with(&["send", "--to", "@ben", "-"], "one\ntwo\n");
    let chat = ben.json(&["chats"]).remove(0);
    assert_eq!((&chat["unread"], &chat["last_message"]["text"]), (&json!(2), &json!("two")));
    let seq = chat["last_message"]["seq"].to_string();
    let receipts = ada.json(&["receipts", "@ben", &seq]).remove(0);
    assert_eq!((&receipts["received_count"], &receipts["read_count"]), (&json!(0), &json!(0)));

    server.kill();
    let offline = ben.run(&["chats", "--wait", "0"]);
    assert!(
        offline.status.success() && text(&offline.stdout).contains("2  ada @ada"),
        "{}",
        text(&offline.stdout)
    );
    assert!(text(&offline.stderr).contains("the server is away"));

    server.start_again();
    assert_eq!(ben.json(&["read", "@ada"])[0]["read"].to_string(), seq);
    assert_eq!(ben.json(&["chats"])[0]["unread"], 0);
    let receipts = ada.json(&["receipts", "@ben", &seq]).remove(0);
    assert_eq!((&receipts["received_count"], &receipts["read_count"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&receipts["members"][0]["username"], &receipts["members"][0]["read"]),
        (&json!("ben"), &json!(true))
    );
    assert_eq!(ada.fails(&["receipts", "@ben", "99"], ""), (1, "SEQ_AHEAD".into()));
}
