//! What must be there after a crash, and between two processes.

use std::time::{Duration, SystemTime};

use parlor_types::{ConversationId, Id as _, MediaId, Op, Seq, SessionId, UserId};
use parlor_wire::auth::v1::Profile;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Content, Conversation, Entry, Marks, Member, Person, ReadableRange, SyncResponse, Text,
};
use parlor_wire::media::v1::Purpose;
use prost::Message as _;
use rusqlite::params;

use super::{FILE, Store, StoreError, Tokens};
use crate::core::{Draft, FileUpload, MAX_AGAIN, Mutation, Outgoing, Parcel, Range, Weight};

const CONVERSATION: [u8; 16] = [7; 16];

fn conversation() -> ConversationId {
    ConversationId::from_bytes(CONVERSATION)
}

fn draft(body: &str) -> Draft {
    Draft::new(conversation(), Kind::Text(Text { body: body.into() }))
}

fn entry(seq: u64, rev: u64) -> Entry {
    Entry { conversation_id: conversation().to_string(), seq, rev, ..Entry::default() }
}

fn tokens(name: &str) -> Tokens {
    let access_until = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    Tokens { access: format!("access {name}"), access_until, refresh: format!("refresh {name}") }
}

/// The files as they are on disk now, opened as the next process would after a crash.
fn after_a_crash(folder: &std::path::Path) -> (tempfile::TempDir, Store) {
    let image = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), image.path().join(file.file_name())).unwrap();
        }
    }
    let store = Store::open(image.path()).unwrap();
    (image, store)
}

#[test]
fn what_was_queued_survives_a_crash_before_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.raise_head(conversation(), Seq(41)).unwrap();
    let first = store.queue(Outgoing::new(Op::new(), Seq(0), draft("one"))).unwrap();
    let second = store.queue(Outgoing::new(Op::new(), Seq(0), draft("two"))).unwrap();

    let (_image, reopened) = after_a_crash(folder.path());
    assert_eq!(
        reopened.outbox(None).unwrap(),
        [first.clone(), second.clone()],
        "in the order they were queued"
    );
    assert_eq!(first.base_seq, Seq(41), "based on the highest head heard of");

    reopened.apply(&[Mutation::Settle(first.op), Mutation::Rebase(second.op, Seq(9))]).unwrap();
    let left = reopened.outbox(Some(conversation())).unwrap();
    assert_eq!(left, [Outgoing { base_seq: Seq(9), ..second }]);
    assert_eq!(store.outbox(None).unwrap().len(), 2, "the image is another store");
}

#[test]
fn a_batch_is_saved_whole_or_not_at_all() {
    let store = Store::in_memory();
    let queued = Outgoing::new(Op::new(), Seq(0), draft("x"));
    let batch = [
        Mutation::Cursor("new".into()),
        Mutation::Queue(Box::new(queued.clone())),
        Mutation::Queue(Box::new(queued)), // the same op twice is refused
    ];
    assert!(matches!(store.apply(&batch), Err(StoreError::Sqlite(_))));
    assert!(store.load().unwrap().cursor.is_empty());
    assert!(store.outbox(None).unwrap().is_empty());
}

#[test]
fn a_new_generation_leaves_the_outbox_with_base_zero_and_nothing_else() {
    let store = Store::in_memory();
    assert!(!store.meet_generation("one").unwrap());
    store.raise_head(conversation(), Seq(5)).unwrap();
    let queued = store.queue(Outgoing::new(Op::new(), Seq(0), draft("x"))).unwrap();
    let range = Range { low: Seq(4), have: Seq(5) };
    store
        .apply(&[
            Mutation::Cursor("cursor".into()),
            Mutation::Entry(conversation(), Box::new(entry(5, 0)), Weight::Nothing),
            Mutation::Extent(conversation(), range, Seq(5)),
        ])
        .unwrap();
    assert!(!store.meet_generation("one").unwrap());
    assert_eq!(store.load().unwrap().conversations[0].range, Some(range));

    assert!(store.meet_generation("two").unwrap());
    let saved = store.load().unwrap();
    assert_eq!(saved.generation.as_deref(), Some("two"));
    assert!(saved.cursor.is_empty() && saved.conversations.is_empty());
    assert!(store.entries(conversation(), Seq(1), Seq(9), 10).unwrap().is_empty());
    assert_eq!(store.outbox(None).unwrap(), [Outgoing { base_seq: Seq(0), ..queued }]);
}

#[test]
fn rows_extents_and_entries_come_back() {
    let store = Store::in_memory();
    let id = conversation();
    let readable = vec![ReadableRange { from_seq: 1, to_seq: 3 }, ReadableRange { from_seq: 8, to_seq: 0 }];
    let row = Conversation { id: id.to_string(), head: 9, readable, ..Conversation::default() };
    let range = Range { low: Seq(8), have: Seq(9) };
    store
        .apply(&[
            Mutation::Row(id, Box::new(row.clone())),
            Mutation::Extent(id, range, Seq(11)),
            Mutation::Entry(id, Box::new(entry(9, 0)), Weight::Nothing),
            Mutation::Entry(id, Box::new(entry(8, 12)), Weight::Nothing),
            Mutation::Entry(id, Box::new(entry(8, 0)), Weight::Nothing), // older than what is there
            Mutation::ReadWanted(id, Seq(9)),
        ])
        .unwrap();
    let stored = store.conversation(id).unwrap().unwrap();
    assert_eq!((stored.row, stored.head, stored.range), (Some(row), Seq(11), Some(range)));
    assert_eq!(store.load().unwrap().conversations[0].floor, Seq(8));
    assert_eq!(store.entries(id, Seq(1), Seq(u64::MAX), 10).unwrap(), [entry(8, 12), entry(9, 0)]);
    assert_eq!(store.entries(id, Seq(1), Seq(8), 10).unwrap(), [entry(8, 12)]);

    store.apply(&[Mutation::Forget(id)]).unwrap();
    assert!(store.entries(id, Seq(1), Seq(9), 10).unwrap().is_empty());
    assert_eq!(store.conversation(id).unwrap().unwrap().read_wanted, Seq(0));
}

#[test]
fn a_first_sync_of_several_pages_keeps_the_people_of_all() {
    let store = Store::in_memory();
    let person = |n| {
        let user = UserId::from_bytes([n; 16]);
        Person { user_id: user.to_string(), blocked: true, ..Person::default() }
    };
    let page = |people: &[u8], cursor: &'static str| SyncResponse {
        generation: "one".into(),
        people: people.iter().map(|n| person(*n)).collect(),
        cursor: cursor.into(),
        ..SyncResponse::default()
    };
    store.keep_sync(page(&[1, 2], ""), true).unwrap(); // cut short
    store.keep_sync(page(&[2], ""), true).unwrap();
    store.keep_sync(page(&[3], "cursor"), false).unwrap();
    assert_eq!(store.people().unwrap(), [person(2), person(3)], "and none that an earlier one has left");
    store.keep_sync(page(&[4], "later"), false).unwrap();
    assert_eq!(store.people().unwrap(), [person(2), person(3), person(4)], "what changed is added");
}

#[test]
fn two_processes_refresh_with_one_op() {
    let folder = tempfile::tempdir().unwrap();
    let one = Store::open(folder.path()).unwrap();
    let other = Store::open(folder.path()).unwrap();
    let (user, session) = (UserId::new(), SessionId::new());
    one.log_in("http://a", "ada", user, session, &tokens("first")).unwrap();

    let attempt = one.begin_refresh(&tokens("first"), Op::new()).unwrap().unwrap();
    let twin = other.begin_refresh(&tokens("first"), Op::new()).unwrap().unwrap();
    assert!(attempt == twin, "the same token with the same op");

    let saved = one.finish_refresh(&attempt, &tokens("second")).unwrap();
    assert_eq!(saved, Some(tokens("second")));
    // The other's answer comes late, when the first has moved on already.
    assert!(other.begin_refresh(&tokens("first"), Op::new()).unwrap().is_none(), "renewed by now");
    let third = one.begin_refresh(&tokens("second"), Op::new()).unwrap().unwrap();
    assert!(third.op != attempt.op && third.token != attempt.token);
    one.finish_refresh(&third, &tokens("third")).unwrap();
    assert_eq!(other.finish_refresh(&twin, &tokens("second")).unwrap(), Some(tokens("third")));
    assert_eq!(other.account().unwrap().tokens, Some(tokens("third")));
}

#[test]
fn what_belongs_to_another_user_is_deleted_at_log_in() {
    let store = Store::in_memory();
    let device = store.account().unwrap().device;
    let (ada, ben) = (UserId::new(), UserId::new());
    store.log_in("http://a", "ada", ada, SessionId::new(), &tokens("ada")).unwrap();
    store.queue(Outgoing::new(Op::new(), Seq(0), draft("hers"))).unwrap();

    let session = store.account().unwrap().session;
    store.end_session(Some(SessionId::new())).unwrap();
    assert!(store.account().unwrap().tokens.is_some(), "another session's end is not this one's");
    store.end_session(session).unwrap();
    assert!(store.account().unwrap().tokens.is_none());
    store.log_in("http://a", "ada", ada, SessionId::new(), &tokens("ada")).unwrap();
    assert_eq!(store.outbox(None).unwrap().len(), 1, "the same user goes on");

    store.log_in("http://a", "ben", ben, SessionId::new(), &tokens("ben")).unwrap();
    assert!(store.outbox(None).unwrap().is_empty());
    assert_eq!(store.account().unwrap().device, device, "the installation is the same");
    store.log_out().unwrap();
    let account = store.account().unwrap();
    assert_eq!((account.user, account.session, account.tokens), (None, None, None));
    assert_eq!(account.server.as_deref(), Some("http://a"));
}

#[test]
fn the_higher_version_of_a_profile_stays() {
    let store = Store::in_memory();
    let user = UserId::new();
    let profile = |version, name: &str| Profile {
        user_id: user.to_string(),
        username: name.into(),
        version,
        ..Profile::default()
    };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    store.keep_profiles(&[profile(2, "ada")], now).unwrap();
    store.keep_profiles(&[profile(1, "old")], now + Duration::from_secs(5)).unwrap();
    let (found, asked_at) = store.profile(user).unwrap().unwrap();
    assert_eq!((found.version, asked_at), (2, now + Duration::from_secs(5)));
    assert!(store.profile_named("ada").unwrap().is_some());
    assert!(store.profile_named("old").unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("profile");
    let store = Store::open(&folder).unwrap();
    store.meet_generation("one").unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn whoever_begins_last_writes_and_what_one_before_has_in_hand_stays_out() {
    let store = Store::in_memory();
    let (first, _) = store.begin().unwrap();
    let cursor = |text: &'static str| [Mutation::Cursor(text.into())];
    store.apply_as(first, &cursor("one")).unwrap();
    let (second, saved) = store.begin().unwrap();
    assert_eq!(saved.cursor, "one");
    store.apply_as(second, &cursor("two")).unwrap();
    assert!(matches!(store.apply_as(first, &cursor("old")), Err(StoreError::TakenOver)));
    assert_eq!(store.load().unwrap().cursor, "two");
}

fn file(op: Op) -> FileUpload {
    FileUpload {
        op,
        path: "/photo.jpg".into(),
        name: "photo.jpg".into(),
        size: 7,
        modified: SystemTime::UNIX_EPOCH,
        sha256: [3; 32],
        media_type: "image/jpeg".into(),
        purpose: Purpose::Image,
        media: None,
    }
}

#[test]
fn a_message_whose_files_are_forgotten_waits_for_them_with_its_op_and_base() {
    let store = Store::in_memory();
    let (op, upload) = (Op::new(), Op::new());
    let outgoing = Outgoing::new(op, Seq(0), draft("look"));
    let parcel = Parcel { outgoing, files: vec![file(upload)], failed: None, again: 0 };
    store.queue_parcel(parcel, SystemTime::now()).unwrap();
    for again in 0..=MAX_AGAIN {
        let waiting = store.parcel(op).unwrap().unwrap();
        assert_eq!(waiting.again, again);
        assert_eq!(waiting.files[0].media, None);
        assert_eq!(
            waiting.files[0].op == upload,
            again == 0,
            "an upload that is over is not asked for again"
        );
        store.name_upload(waiting.files[0].op, MediaId::new()).unwrap();
        store.dispatch(waiting.complete(&[])).unwrap();
        assert!(store.parcels().unwrap().is_empty() && store.parcel(op).unwrap().is_none());
        assert_eq!(store.dispatched_parcels().unwrap().len(), 1);
        store.apply(&[Mutation::Rebase(op, Seq(9))]).unwrap();
        let row = store.outbox(None).unwrap().remove(0);
        assert_eq!((row.op, row.recallable), (op, again < MAX_AGAIN), "not for ever");
        assert_eq!(waiting.complete(&[]).recallable, row.recallable);
        store.apply(&[Mutation::Recall(op), Mutation::Recall(op)]).unwrap();
        assert!(store.outbox(None).unwrap().is_empty());
        assert_eq!(store.parcel(op).unwrap().unwrap().outgoing.base_seq, Seq(9));
    }
    store.dispatch(store.parcel(op).unwrap().unwrap().complete(&[])).unwrap();
    store.apply(&[Mutation::Settle(op)]).unwrap();
    assert!(store.dispatched_parcels().unwrap().is_empty(), "what the server has is not kept here");
    store.apply(&[Mutation::Recall(op)]).unwrap();
    assert!(store.parcels().unwrap().is_empty());
}

#[test]
fn a_store_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    connection.pragma_update(None, "user_version", 7).unwrap();
    assert!(matches!(Store::open(folder.path()), Err(StoreError::Newer(7))));
}

/// As the first version left it: the chat list, a message that mentions this user, and a read mark not yet said.
fn of_version_1(me: UserId) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
    connection.execute_batch(super::SCHEMA[0]).unwrap();
    let members = vec![Member {
        user_id: UserId::from_bytes([8; 16]).to_string(),
        marks: Some(Marks { received: 3, ..Marks::default() }),
        ..Member::default()
    }];
    let marks = Some(Marks { read: 1, ..Marks::default() });
    let row = Conversation {
        id: conversation().to_string(),
        head: 3,
        unread: 2,
        marks,
        members,
        ..Default::default()
    };
    let sql = "INSERT INTO conversation (id, row, head, low, have, read_wanted) VALUES (?, ?, 7, 2, 3, 2)";
    connection.execute(sql, params![CONVERSATION, row.encode_to_vec()]).unwrap();
    for seq in [2, 3] {
        let content = Some(Content { kind: Some(Kind::Text(Text { body: "hello".into() })) });
        let mention_ids = if seq == 3 { vec![me.to_string()] } else { Vec::new() };
        let entry = Entry { content, mention_ids, ..entry(seq, 0) };
        let sql = "INSERT INTO entry (conversation_id, seq, rev, entry) VALUES (?, ?, 0, ?)";
        connection.execute(sql, params![CONVERSATION, seq as i64, entry.encode_to_vec()]).unwrap();
    }
    let device = [5_u8; 16];
    let sql = "INSERT INTO account (only_one, device_id, user_id) VALUES (1, ?, ?)";
    connection.execute(sql, params![device, me.bytes()]).unwrap();
    connection.execute("INSERT INTO sync VALUES (1, 'one', x'0102')", []).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    folder
}

#[test]
fn a_store_of_the_first_version_loses_nothing() {
    let folder = of_version_1(UserId::from_bytes([1; 16]));
    let store = Store::open(folder.path()).unwrap();
    let known = store.conversation(conversation()).unwrap().unwrap();
    assert_eq!(
        (known.read_wanted, known.read, known.head),
        (Seq(2), Seq(1), Seq(7)),
        "what was read is still to be said"
    );
    assert_eq!(known.range, Some(Range { low: Seq(2), have: Seq(3) }));
    assert_eq!(store.entries(conversation(), Seq(1), Seq(9), 9).unwrap().len(), 2);
    let chat = store.chat(conversation()).unwrap().unwrap();
    assert_eq!((chat.unread.messages, chat.unread.mentions), (1, 1), "weighed");
    assert_eq!(store.load().unwrap().cursor, "", "rows and people come anew");
    let marks = store.receipts(conversation(), Seq(3)).unwrap().members[0].marks;
    assert_eq!(marks.received, 3, "what the row said of others");
}

#[test]
fn a_head_that_another_process_heard_of_stays_until_the_log_is_known_to_end() {
    let store = Store::in_memory();
    let head = || store.conversation(conversation()).unwrap().unwrap().head;
    store.raise_head(conversation(), Seq(41)).unwrap();
    let extent = Mutation::Extent(conversation(), Range::empty_at(Seq(30)), Seq(30));
    store.apply(std::slice::from_ref(&extent)).unwrap();
    assert_eq!(head(), Seq(41));
    store.apply(&[Mutation::Head(conversation(), Seq(30))]).unwrap();
    assert_eq!(head(), Seq(30));
    store.apply(&[Mutation::Forget(conversation()), extent]).unwrap();
    assert_eq!(head(), Seq(30));
}
