//! Every command against a server, and every exit code.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::process::Stdio;

use serde_json::{Value, json};
use support::{PASSWORD, Person, Server, text};

#[test]
fn an_account_from_its_beginning_to_its_end() {
    let server = Server::start();
    let ada = Person::registered(&server, "ada");
    let me = ada.json(&["whoami"]).remove(0);
    assert_eq!((&me["username"], &me["display_name"]), (&json!("ada"), &json!("ada")));

    let again = Person::new(&server);
    assert_eq!(again.fails(&["register", "ADA", "--password-stdin"], PASSWORD), (1, "USERNAME_TAKEN".into()));
    assert_eq!(again.fails(&["login", "ada", "--password-stdin"], "no"), (1, "CREDENTIALS_INVALID".into()));
    assert_eq!(again.fails(&["whoami"], ""), (3, "NOT_LOGGED_IN".into()));
    assert_eq!(again.fails(&["login", "ada", "--password-stdin"], PASSWORD).0, 0);
    assert_eq!(again.json(&["whoami"])[0]["user_id"], me["user_id"]);

    let sessions = ada.json(&["sessions"]);
    let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
    assert_eq!((sessions.len(), current.len()), (2, 1));
    assert_eq!(ada.json(&["sessions", "end-others"]), [json!({ "ended": 1 })]);
    assert_eq!(again.fails(&["whoami"], ""), (3, "SESSION_ENDED".into()));
    assert_eq!(again.fails(&["whoami"], ""), (3, "NOT_LOGGED_IN".into()), "it has been told");

    let profile = ada.json(&["profile", "--name", "Ada L", "--bio", "counts"]).remove(0);
    assert_eq!((&profile["display_name"], &profile["bio"]), (&json!("Ada L"), &json!("counts")));
    assert_eq!(ada.json(&["people", "ad"]), [profile]);

    let new = "another horse, another battery";
    let changed = ada.run_with(&["password", "--password-stdin"], &format!("{PASSWORD}\n{new}\n"));
    assert!(changed.status.success(), "{}", text(&changed.stderr));
    assert_eq!(ada.json(&["logout"]), [json!({ "logged_out": true })]);
    assert_eq!(ada.fails(&["login", "ada", "--password-stdin"], PASSWORD), (1, "CREDENTIALS_INVALID".into()));
    assert_eq!(ada.fails(&["login", "ada", "--password-stdin"], new).0, 0);
}

#[test]
fn a_group_and_what_its_members_see() {
    let server = Server::start();
    let [ada, ben, cleo] = ["ada", "ben", "cleo"].map(|name| Person::registered(&server, name));
    let group = ada.json(&["group", "create", "Tea", "@ben"]).remove(0);
    let id = group["conversation_id"].as_str().unwrap();
    assert_eq!(group["member_count"], 2);
    assert_eq!(ben.fails(&["group", "add", "Tea", "@cleo"], ""), (1, "ROLE_INSUFFICIENT".into()));
    assert_eq!(cleo.fails(&["send", "--to", id, "hi"], ""), (1, "USER_NOT_FOUND".into()), "not hers to see");
    assert_eq!(cleo.fails(&["send", "--to", "Tea", "hi"], ""), (1, "FAILED".into()));

    ada.json(&["group", "role", "Tea", "@ben", "admin"]);
    ben.json(&["group", "add", "Tea", "@cleo"]);
    ben.json(&["group", "rename", "Tea", "Coffee"]);
    ben.json(&["group", "settings", "Coffee", "--history", "all"]);
    cleo.json(&["send", "--to", id, "hello"]);
    ada.json(&["group", "remove", id, "@cleo"]);
    ben.json(&["send", "--to", "Coffee", "without her"]);
    assert_eq!(cleo.fails(&["send", "--to", id, "too late"], "").0, 1);
    ada.json(&["group", "leave", "Coffee"]);

    let kinds = |entries: Vec<Value>| -> Vec<String> {
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["created", "set_role", "add", "rename", "settings", "text", "remove", "text", "leave"];
    assert_eq!(kinds(ben.json(&["history", "--to", id, "--all"])), all);
    assert_eq!(kinds(cleo.json(&["history", "--to", id, "--all"])), all[2..7], "G7: her time in the group");
    assert_eq!(kinds(ben.json(&["history", "--to", id, "--limit", "2", "--before", "8"])), all[5..7]);
    let human = ben.run(&["history", "--to", id, "--all"]);
    assert!(text(&human.stdout).contains("* ben added cleo\n"), "{}", text(&human.stdout));
    assert!(text(&human.stdout).contains("* ada left; the owner now: ben\n"));

    let row = ben.json(&["conversations"]).remove(0);
    assert_eq!((&row["name"], &row["head"], &row["unread"]), (&json!("Coffee"), &json!(9), &json!(0)));
}

#[test]
fn a_message_that_cannot_be_delivered_waits_and_keeps_its_place() {
    let mut server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    ada.json(&["send", "--to", "@ben", "first"]);

    server.kill();
    assert_eq!(ada.fails(&["send", "--to", "@ben", "second", "--wait", "0"], ""), (5, "UNAVAILABLE".into()));
    assert_eq!(ada.fails(&["send", "--to", "@cleo", "who?", "--wait", "0"], ""), (4, "UNAVAILABLE".into()));
    assert_eq!(ada.fails(&["conversations", "--wait", "0"], ""), (4, "UNAVAILABLE".into()));
    assert_eq!(ada.fails(&["logout"], ""), (5, "OUTBOX_NOT_EMPTY".into()));

    server.start_again();
    let sent = ada.json(&["send", "--to", "@ben", "third"]).remove(0);
    assert_eq!((&sent["seq"], &sent["duplicate"]), (&json!(4), &json!(false)));
    let texts: Vec<_> =
        ben.json(&["history", "--to", "@ada", "--limit", "3"]).iter().map(|e| e["text"].clone()).collect();
    assert_eq!(texts, ["first", "second", "third"], "G4: in the order they were sent");
    assert_eq!(ada.fails(&["send", "--to", "@ben", "  "], ""), (1, "FIELD_INVALID".into()));
    assert_eq!(ada.fails(&["logout"], "").0, 0, "nothing waits: what was refused has been dropped");
}

#[test]
fn lines_of_standard_input_are_messages() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let output = ada.run_with(&["send", "--to", "@ben", "-", "--json"], "one\n\ntwo\nbad\u{7}\nthree\n");
    assert_eq!(output.status.code(), Some(1), "one of them was refused");
    let seqs: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].clone())
        .collect();
    assert_eq!(seqs, [2, 3, 4]);
    assert_eq!(ben.json(&["history", "--to", "@ada", "--all"]).len(), 4);
}

#[test]
fn wrong_usage_and_a_closed_output() {
    let server = Server::start();
    let ada = Person::registered(&server, "ada");
    assert_eq!(ada.run(&["send", "hello"]).status.code(), Some(2));
    assert_eq!(ada.fails(&["send", "--to", "@a b", "x"], ""), (2, "USAGE".into()));
    assert_eq!(ada.fails(&["sessions", "end", "x"], ""), (2, "USAGE".into()));
    assert_eq!(ada.fails(&["whoami", "--server", "nonsense://x"], ""), (2, "USAGE".into()));

    ada.json(&["send", "--to", "@ada", "a note to myself"]);
    let mut child = ada
        .command(&["history", "--to", "@ada"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "it ends quietly");
}

#[test]
fn a_message_is_edited_and_taken_away() {
    let server = Server::start();
    let [ada, ben] = ["ada", "ben"].map(|name| Person::registered(&server, name));
    let sent = ada.json(&["send", "--to", "@ben", "tow"]).remove(0);
    let seq = sent["seq"].to_string();
    let edited = ada.json(&["edit", "@ben", &seq, "two"]).remove(0);
    let seen = ben.json(&["history", "--to", "@ada"]);
    assert_eq!((&seen[1]["text"], &seen[1]["rev"]), (&json!("two"), &edited["seq"]));
    assert_eq!((&seen[2]["kind"], &seen[2]["target"]), (&json!("edit"), &sent["seq"]));
    assert_eq!(ben.fails(&["delete", "@ada", &seq], ""), (1, "ROLE_INSUFFICIENT".into()));
    let deleted = ada.json(&["delete", "@ben", &seq]).remove(0);
    let seen = ben.json(&["history", "--to", "@ada"]);
    for entry in &seen[1..3] {
        assert_eq!(
            (&entry["kind"], &entry["by"], &entry["rev"]),
            (&json!("deleted"), &json!("ada"), &deleted["seq"])
        );
        assert_eq!(entry.get("text"), None);
    }
    let shown = ben.run(&["history", "--to", "@ada"]);
    assert!(text(&shown.stdout).contains("deleted by ada"), "{}", text(&shown.stdout));
    assert_eq!(ada.fails(&["edit", "@ben", &seq, "three"], ""), (1, "TARGET_NOT_FOUND".into()));
}
