//! G5, G6: what a stream's sync and its live events say together is everything, and no more.

use bytes::Bytes;
use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, in_time};
use parlor_types::ConversationId;
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::fetch_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind as ServerKind;
use parlor_wire::chat::v1::{
    Ack, Conversation, MarkReadRequest, MarkReceivedRequest, Read, ReadableRange, Received, SyncRequest,
};
use parlor_wire::errors::v1::ErrorReason;

use crate::support::{Scene, User, body, fill, places};

fn ids(rows: &[Conversation]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[tokio::test]
async fn g5_a_cursor_brings_exactly_what_changed_since() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, coffee, milk) = (ada.group(&[&ben]).await, ada.group(&[&ben]).await, ada.group(&[&ben]).await);
    let (mut stream, _) = StreamClient::connect(&ben.chat, b"").await;
    let (rows, cursor) = stream.synced().await;
    assert_eq!(ids(&rows), [&milk, &coffee, &tea], "latest activity first");
    drop(stream);

    let (mut stream, _) = StreamClient::connect(&ben.chat, &cursor).await;
    let (rows, same) = stream.synced().await;
    assert_eq!((ids(&rows), &same), (vec![], &cursor), "G5: nothing changed");
    drop(stream);
    ada.says(&coffee, "news").await;
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    ada.says(&tea, "no news for Ben").await;
    let request = SyncRequest { cursor: cursor.clone(), ..SyncRequest::default() };
    let unary = ben.chat.clone().sync(request).await.unwrap().into_inner();
    let (mut stream, _) = StreamClient::connect(&ben.chat, &cursor).await;
    let (rows, after) = stream.synced().await;
    assert_eq!(ids(&rows), [&tea, &coffee], "G5");
    assert_eq!((rows[0].head, rows[1].head), (2, 2), "G7");
    assert_eq!((&unary.conversations, &unary.cursor), (&rows, &after), "a call says the same");
}

#[tokio::test]
async fn g5_the_cursor_of_a_checkpoint_covers_what_came_before_it() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, coffee) = (ada.group(&[&ben]).await, ada.group(&[&ben]).await);
    let mut stream = ben.stream().await;
    for _ in 0..5 {
        ada.says(&tea, "before").await;
    }
    ada.says(&coffee, "the last commit").await;
    // One may come in the midst; the next covers more.
    let cursor: Bytes = loop {
        let checkpoint = stream.find("a Checkpoint that covers all of the first", |frame| match frame {
            ServerKind::Checkpoint(checkpoint) => Some(checkpoint.cursor.clone()),
            _ => None,
        });
        let request = SyncRequest { cursor: checkpoint.await, ..SyncRequest::default() };
        let cursor = request.cursor.clone();
        let left = ben.chat.clone().sync(request).await.unwrap().into_inner().conversations;
        if !ids(&left).contains(&tea.as_str()) {
            break cursor;
        }
    };
    let before = stream.take_mail();
    let events = before.iter().filter(|frame| matches!(frame, ServerKind::Event(_))).count();
    assert!(events >= 5, "G5: a Checkpoint comes after what it covers, and here are {events} of 5");
    drop(stream);
    let head = ada.says(&coffee, "after").await;
    let (mut stream, _) = StreamClient::connect(&ben.chat, &cursor).await;
    let (rows, _) = stream.synced().await;
    assert_eq!(ids(&rows), [&coffee], "G5: and what came before it does not come again");
    assert_eq!(rows[0].head, head);
}

/// Follows rules 1 and 3: what one client holds of one conversation.
async fn follow(user: &User, conversation: &str, cursor: Bytes, have: &mut u64, target: u64) -> Bytes {
    let (mut stream, _) = StreamClient::connect(&user.chat, &cursor).await;
    let mut saved = cursor;
    while *have < target {
        let frame = stream.next().await.expect("the stream goes on");
        let (head, consecutive) = match frame {
            ServerKind::SyncConversation(row) => (row.conversation.expect("a row").head, false),
            ServerKind::Event(event) => {
                let seq = event.entry.expect("an entry").seq;
                (seq, seq == *have + 1)
            }
            ServerKind::Head(head) => (head.head, false),
            ServerKind::SyncDone(done) => {
                saved = done.cursor;
                // Half of the time the network is lost right after the sync.
                if target.is_multiple_of(2) {
                    return saved;
                }
                continue;
            }
            ServerKind::Checkpoint(checkpoint) => {
                saved = checkpoint.cursor;
                continue;
            }
            _ => continue,
        };
        while !consecutive && *have < head {
            match stream.fetch(conversation, *have + 1, 0).await.outcome {
                Some(Outcome::Page(page)) => {
                    assert_eq!(page.entries[0].seq, *have + 1, "G5");
                    *have = page.entries.last().expect("entries up to the head").seq;
                }
                other => panic!("{other:?}"),
            }
        }
        *have = (*have).max(head);
    }
    saved
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g5_g6_entries_that_come_during_a_sync_are_not_lost() {
    const COUNT: u64 = 1500;
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut writing = ada.stream().await;
    let write = fill(&mut writing, &tea, 1, COUNT, "while Ben comes and goes");
    let read = async {
        let (mut have, mut cursor, mut turns) = (0, Bytes::new(), 0_u64);
        while have < COUNT + 1 {
            turns += 1;
            let target = (have + 40 + turns % 2).min(COUNT + 1);
            cursor = follow(&ben, &tea, cursor, &mut have, target).await;
        }
        turns
    };
    let (head, turns) = in_time("everything", async { tokio::join!(write, read) }).await;
    assert_eq!(head, COUNT + 1);
    assert!(turns >= 10, "the reader came back {turns} times");
}

#[tokio::test]
async fn g6_g7_a_group_appears_and_disappears_while_one_looks_on() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let mut stream = ben.stream().await;
    let tea = ada.group(&[]).await;
    ada.says(&tea, "before Ben").await;
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    let row = stream.row().await;
    assert_eq!((row.id.as_str(), row.head, row.name.as_str()), (tea.as_str(), 3, "Tea"), "G6");
    assert_eq!(row.readable, [ReadableRange { from_seq: 3, to_seq: 0 }], "G7");
    ada.says(&tea, "hello Ben").await;
    let event = stream.event().await;
    assert_eq!((event.seq, body(&event)), (4, "hello Ben"), "G6");

    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    let last = stream.event().await;
    assert_eq!(last.seq, 5, "G6: the removal is the last that its victim gets");
    let row = stream.row().await;
    assert_eq!((row.head, row.readable[0].to_seq, row.members.len()), (5, 5, 0));
    ada.says(&tea, "not for Ben").await;
    // Deliveries keep the order of commits, so that this comes after whatever else would come.
    let fence = ada.group(&[&ben]).await;
    assert_eq!(stream.row().await.id, fence);
    let leaked = stream.take_mail().into_iter().find(|frame| match frame {
        ServerKind::Event(event) => event.entry.as_ref().is_some_and(|entry| entry.conversation_id == tea),
        ServerKind::Head(head) => head.conversation_id == tea,
        ServerKind::SyncConversation(row) => row.conversation.as_ref().is_some_and(|row| row.id == tea),
        _ => false,
    });
    assert_eq!(leaked, None, "G7");
}

#[tokio::test]
async fn g6_all_sessions_of_a_user_get_what_one_of_them_does() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let ada_too = scene.another_session(&ada).await;
    let mut on_other = ada_too.stream().await;
    let tea = ada.group(&[&ben]).await;
    assert_eq!(on_other.row().await.id, tea);
    let mut stream = ada.stream().await;
    let mine = compose::text(&tea, 1, "from my telephone");
    stream.append(mine.clone()).await;
    for stream in [&mut stream, &mut on_other] {
        let event = stream.event().await;
        assert_eq!(
            (event.seq, event.op.as_str()),
            (2, mine.op.as_str()),
            "G6: one knows one's own by its op"
        );
    }

    for text in ["three", "four", "five"] {
        ben.says(&tea, text).await;
    }
    let received = ClientKind::Received(Received { conversation_id: tea.clone(), seq: 5 });
    let read = ClientKind::Read(Read { conversation_id: tea.clone(), seq: 4 });
    stream.send_all([received, read]).await;
    let row = on_other.row().await;
    assert_eq!(places(&row.marks), (5, 4), "G6");
    assert_eq!((row.id.as_str(), row.unread), (tea.as_str(), 1));
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: 5 };
    ada_too.chat.clone().mark_read(request).await.unwrap();
    for stream in [&mut on_other, &mut stream] {
        let row = stream.row().await;
        assert_eq!((places(&row.marks), row.unread), ((5, 5), 0), "G6");
    }
}

#[tokio::test]
async fn marks_only_grow_and_reading_implies_receiving() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    for _ in 0..5 {
        ada.says(&tea, "unread").await;
    }
    let mut chat = ben.chat.clone();
    for (read, seq, wanted) in
        [(false, 4, (4, 1)), (true, 3, (4, 3)), (true, 5, (5, 5)), (true, 2, (5, 5)), (false, 1, (5, 5))]
    {
        let conversation_id = tea.clone();
        let marks = if read {
            chat.mark_read(MarkReadRequest { conversation_id, seq }).await.unwrap().into_inner().marks
        } else {
            chat.mark_received(MarkReceivedRequest { conversation_id, seq }).await.unwrap().into_inner().marks
        };
        assert_eq!(places(&marks), wanted);
        assert_eq!(ben.row(&tea).await.unwrap().marks, marks);
    }
    assert_eq!(ben.row(&tea).await.unwrap().unread, 1);
}

/// The first 256 marks are being written when the last one comes, together with what ends the stream.
#[tokio::test]
async fn marks_sent_as_the_last_thing_are_kept() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let head = ada.says(&tea, "read this").await;
    let mut stream = ben.stream().await;
    let unknown = (0..256).map(|_| ConversationId::new().to_string());
    let received = unknown.map(|conversation_id| ClientKind::Received(Received { conversation_id, seq: 1 }));
    let read = ClientKind::Read(Read { conversation_id: tea.clone(), seq: head });
    let fault = ClientKind::Ack(Ack { batch: 1_000 });
    stream.send_all(received.chain([read, fault])).await;
    assert_eq!(stream.end().await.reason(), (ErrorReason::AckAhead, false));
    eventually("the mark is kept", PATIENCE, async || {
        places(&ben.row(&tea).await.unwrap().marks) == (head, head)
    })
    .await;
}
