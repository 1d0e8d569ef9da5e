//! Histories, as `parlor check-history` reads them: what is read is written as the same, and is checked in the time that its
//! length allows, whatever numbers stand in it.

use std::fs;

use parlor_history::{Event, Line, Seen, read, write};
use parlor_types::{ConversationId, Id as _, Op, SessionId, UserId};
use tempfile::TempDir;

use crate::Target;

pub(super) const TARGET: Target =
    Target { name: "history", about: "histories, read and checked", run, seeds, max_len: 4096 };

thread_local! {
    static FOLDER: TempDir = TempDir::new().expect("a folder for files");
}

fn run(data: &[u8]) {
    FOLDER.with(|folder| {
        let path = folder.path().join("history.jsonl");
        fs::write(&path, data).expect("the folder is there");
        let Ok(history) = read(&[&path]) else { return };
        for violation in history.check() {
            let slice = history.slice(&violation);
            assert!(!slice.is_empty(), "a violation that nothing shows: {violation:?}");
            assert!(!violation.to_string().is_empty());
        }
        let summary = history.summary();
        assert_eq!(summary.lines, history.lines().len());
        for line in history.lines() {
            assert!(history.unanswered(&line.client).len() <= summary.invoked);
        }
        let mut written = Vec::new();
        for line in history.lines() {
            write(line, &mut written).expect("there is memory");
        }
        fs::write(&path, written).expect("the folder is there");
        let again = read(&[&path]).expect("what was written can be read");
        assert_eq!(again.lines(), history.lines());
    });
}

fn id<T: parlor_types::Id>(byte: u8) -> T {
    T::from_bytes([byte; 16])
}

/// A client that sends, reads, resumes, marks and is revoked; each line alone, and all of them.
fn seeds() -> Vec<Vec<u8>> {
    let (op, conversation): (Op, ConversationId) = (id(1), id(2));
    let (user, session): (UserId, SessionId) = (UserId::from_bytes([3; 16]), SessionId::from_bytes([4; 16]));
    let seen = |seq| Seen {
        seq,
        rev: seq,
        op,
        sender: user,
        content: Some("tea".to_owned()),
        message: true,
        added: vec![user],
        removed: Vec::new(),
    };
    let events = [
        Event::Begin { user, session: Some(session) },
        Event::Generation { generation: "g".to_owned() },
        Event::Invoke { op, conversation, base_seq: Some(0), content: Some("tea".to_owned()) },
        Event::Ok { op, seq: 1 },
        Event::Fail { op, reason: "NOT_FOUND".to_owned() },
        Event::Unknown { op },
        Event::Applied { conversation, entries: vec![seen(1)] },
        Event::Page { conversation, entries: vec![seen(1), seen(2)] },
        Event::Head { conversation, head: 2 },
        Event::Resumed { conversation, from: 1, to: 2 },
        Event::Readable { conversation, ranges: vec![(1, Some(3)), (5, None)] },
        Event::Held { conversation, ranges: vec![(1, 3)], whole: true },
        Event::Marks { conversation, user, received: 2, read: 1 },
        Event::Unread { conversation, head: 2, read: 1, messages: 1 },
        Event::Forgot { conversation },
        Event::Revoked { session },
    ];
    let line = |(at, event): (u64, &Event)| {
        let mut text = Vec::new();
        let line = Line { at, client: "a".into(), event: event.clone() };
        write(&line, &mut text).expect("there is memory");
        text
    };
    let lines: Vec<Vec<u8>> = (1..).zip(&events).map(line).collect();
    let all = lines.concat();
    lines.into_iter().chain([all]).collect()
}
