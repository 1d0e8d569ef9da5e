//! `check-history`: what it says of histories that are good, broken, and none; and of those that clients write with `--record`.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use support::{Person, Server, Tail, text};
use tempfile::TempDir;

const ADA: &str = "00000000-0000-4000-8000-00000000000a";
const BEN: &str = "00000000-0000-4000-8000-00000000000b";
const TEA: &str = "00000000-0000-4000-8000-000000000001";
const OPS: [&str; 2] = ["00000000-0000-4000-8000-000000000011", "00000000-0000-4000-8000-000000000012"];

fn check(files: &[&Path]) -> Output {
    // Neither a profile nor a server is looked for.
    let profile = "/nonexistent/parlor";
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(["--profile", profile, "check-history", "--json"]).args(files).output().unwrap()
}

fn written(folder: &TempDir, name: &str, lines: &[Value]) -> PathBuf {
    let path = folder.path().join(name);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).unwrap();
    path
}

fn entry(seq: usize) -> Value {
    json!({ "seq": seq, "op": OPS[seq - 1], "sender": ADA, "content": format!("c{seq}"), "message": true })
}

/// Ada sends two messages, and reads them.
fn ada() -> Vec<Value> {
    let line = |at: u64, event: Value| {
        let mut line = json!({ "at": at, "client": "ada" });
        line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        line
    };
    vec![
        line(1, json!({ "event": "begin", "user": ADA })),
        line(2, json!({ "event": "invoke", "op": OPS[0], "conversation": TEA, "content": "c1" })),
        line(5, json!({ "event": "ok", "op": OPS[0], "seq": 1 })),
        line(6, json!({ "event": "invoke", "op": OPS[1], "conversation": TEA, "content": "c2" })),
        line(8, json!({ "event": "ok", "op": OPS[1], "seq": 2 })),
        line(9, json!({ "event": "applied", "conversation": TEA, "entries": [entry(1), entry(2)] })),
    ]
}

/// Ben reads them.
fn ben(entries: &[Value]) -> Vec<Value> {
    vec![
        json!({ "at": 3, "client": "ben", "event": "begin", "user": BEN }),
        json!({ "at": 7, "client": "ben", "event": "applied", "conversation": TEA, "entries": entries }),
    ]
}

#[test]
fn a_good_history_of_several_files_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let ada = written(&folder, "ada", &ada());
    let ben = written(&folder, "ben", &ben(&[entry(1), entry(2)]));
    let output = check(&[&ada, &ben]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!((&said["lines"], &said["acked"], &said["taken_in"]), (&json!(8), &json!(2), &json!(4)));
}

#[test]
fn what_two_files_show_together_is_told_with_the_lines_that_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let ada = written(&folder, "ada", &ada());
    let other = json!({ "seq": 2, "op": OPS[1], "sender": ADA, "content": "else", "message": true });
    let ben = written(&folder, "ben", &ben(&[entry(1), other]));
    assert_eq!(check(&[&ada]).status.code(), Some(0), "one of them alone shows nothing");
    let output = check(&[&ada, &ben]);
    assert_eq!(output.status.code(), Some(1));
    let found: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let two_readers = found.iter().find(|violation| violation["guarantee"] == "G3").unwrap();
    let shown: Vec<_> = two_readers["shown_by"].as_array().unwrap().iter().collect();
    let places: Vec<_> = shown.iter().map(|line| line["place"].as_str().unwrap()).collect();
    assert_eq!(places, [format!("{}:2", ben.display()), format!("{}:6", ada.display())]);
    assert!(shown.iter().all(|line| !line["line"].as_str().unwrap().contains("c1")), "only the second entry");
    let error: Value = serde_json::from_str(text(&output.stderr).lines().last().unwrap()).unwrap();
    assert_eq!(error["error"], "GUARANTEE_BROKEN");
}

#[test]
fn what_cannot_be_read_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(&folder, "ada", &ada());
    let spoilt = written(&folder, "spoilt", &[ada().remove(0), json!({ "at": 2, "client": "ada" })]);
    for (path, told) in
        [(&spoilt, format!("{}:2: ", spoilt.display())), (&folder.path().join("none"), "none: ".into())]
    {
        let output = check(&[&good, path]);
        assert_eq!(output.status.code(), Some(2));
        let error: Value = serde_json::from_str(text(&output.stderr).trim()).unwrap();
        assert_eq!(error["error"], "NO_HISTORY");
        assert!(error["message"].as_str().unwrap().contains(&told), "{error}");
    }
}

/// Two people, and the files in which their clients write.
struct Recorded {
    server: Server,
    folder: TempDir,
    people: [Person; 2],
}

impl Recorded {
    fn new() -> Self {
        let server = Server::start();
        let people = ["ada", "ben"].map(|name| Person::registered(&server, name));
        Self { server, folder: tempfile::tempdir().unwrap(), people }
    }

    fn file(&self, who: usize) -> PathBuf {
        self.folder.path().join(["ada.jsonl", "ben.jsonl"][who])
    }

    fn tails(&self) -> [Tail; 2] {
        [0, 1].map(|who| {
            let file = self.file(who);
            let tail = self.people[who].tail(&["--mark-read", "--record", file.to_str().unwrap()]);
            tail.notice("connected");
            tail
        })
    }

    fn send(&self, who: usize, text: &str) -> Output {
        let to = ["@ben", "@ada"][who];
        let file = self.file(who);
        self.people[who].run(&["send", "--to", to, text, "--wait", "0", "--record", file.to_str().unwrap()])
    }

    fn says(&self, who: usize, text: &str) {
        let output = self.send(who, text);
        assert!(output.status.success(), "{}", support::text(&output.stderr));
    }

    /// How often this event stands in somebody's file.
    fn count(&self, who: usize, event: &str) -> usize {
        let lines = fs::read_to_string(self.file(who)).unwrap();
        lines.lines().filter(|line| line.contains(&format!("\"event\":\"{event}\""))).count()
    }

    fn check(&self) -> Output {
        check(&[&self.file(0), &self.file(1)])
    }

    /// Answers how much there was to check.
    fn is_good(&self) -> Value {
        let output = self.check();
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        serde_json::from_str(text(&output.stdout)).unwrap()
    }
}

#[test]
fn what_two_clients_recorded_over_a_kill_of_the_server_is_good_until_somebody_tampers_with_it() {
    let mut story = Recorded::new();
    let tails = story.tails();
    story.says(0, "is the kettle on?");
    story.says(1, "it is");
    tails.iter().for_each(|tail| assert_eq!(tail.texts(2), ["is the kettle on?", "it is"]));
    story.server.kill();
    assert_eq!(story.send(0, "milk?").status.code(), Some(5), "it waits in the outbox");
    story.server.start_again();
    tails.iter().for_each(|tail| assert_eq!(tail.texts(1), ["milk?"]));
    story.says(1, "please");
    tails.iter().for_each(|tail| assert_eq!(tail.texts(1), ["please"]));
    support::eventually("both are told how far the other is", || {
        [0, 1].iter().all(|who| story.count(*who, "marks") > 1)
    });
    drop(tails);

    let all = story.is_good();
    // What waited was acked to another process than the one that asked for it.
    assert_eq!((&all["invoked"], &all["acked"]), (&json!(4), &json!(3)));
    assert!(all["unknown"].as_u64() > Some(0), "an attempt was made while nobody was there");
    for event in ["begin", "generation", "readable", "head", "unread", "applied"] {
        assert!([0, 1].iter().all(|who| story.count(*who, event) > 0), "{event}");
    }
    let written = fs::read_to_string(story.file(0)).unwrap();
    for said in ["kettle", "it is", "milk", "please"] {
        assert!(!written.contains(said), "{said:?} is nothing that a check needs");
    }

    let whole = fs::read_to_string(story.file(1)).unwrap();
    let is_entry = |line: &str| line.contains("\"event\":\"applied\"");
    let (hole, _) = whole.lines().enumerate().filter(|(_, line)| is_entry(line)).nth(1).unwrap();
    let without: String = whole
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != hole)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    fs::write(story.file(1), without).unwrap();
    let output = story.check();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("\"guarantee\":\"G3\""), "{}", text(&output.stdout));
}

#[test]
fn what_two_clients_recorded_over_a_restore_and_a_logout_is_good() {
    let mut story = Recorded::new();
    let tails = story.tails();
    story.says(0, "before");
    tails.iter().for_each(|tail| assert_eq!(tail.texts(1), ["before"]));
    let backup = story.server.back_up();
    story.says(1, "lost with the machine");
    tails.iter().for_each(|tail| assert_eq!(tail.texts(1), ["lost with the machine"]));
    story.server.kill();
    story.server.restore(&backup);
    story.server.start_again();
    for tail in &tails {
        tail.notice("reset");
        tail.notice("connected");
    }
    story.says(0, "after");
    tails.iter().for_each(|tail| assert_eq!(tail.texts(1), ["after"]));
    let output = story.people[1].run(&["logout", "--record", story.file(1).to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    drop(tails);
    let all = story.is_good();
    assert_eq!((&all["invoked"], &all["acked"]), (&json!(3), &json!(3)));
    assert!(story.count(1, "revoked") > 0);
    assert!([0, 1].iter().all(|who| story.count(*who, "generation") > 1), "each lived twice");
}
