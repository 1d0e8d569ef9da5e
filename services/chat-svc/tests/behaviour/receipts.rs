//! Receipts: the other members learn how far one is, live and after an absence, and nobody else does.

use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, in_time};
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::server_frame::Kind as ServerKind;
use parlor_wire::chat::v1::{
    Conversation, MarkReadRequest, MarkReceivedRequest, MemberMarks, Read, Received, SetPrivacyRequest,
};

use crate::support::{Scene, User, fill, places};

fn received(conversation: &str, seq: u64) -> ClientKind {
    ClientKind::Received(Received { conversation_id: conversation.to_owned(), seq })
}

fn read(conversation: &str, seq: u64) -> ClientKind {
    ClientKind::Read(Read { conversation_id: conversation.to_owned(), seq })
}

/// Waits for receipts that show `user` at these marks; gives the last.
async fn shown(stream: &mut StreamClient, user: &User, marks: (u64, u64)) -> MemberMarks {
    let user = user.id();
    stream
        .find("receipts", |frame| match frame {
            ServerKind::Receipts(receipts) => {
                let reached =
                    |member: &&MemberMarks| member.user_id == user && places(&member.marks) == marks;
                receipts.members.iter().find(reached).cloned()
            }
            _ => None,
        })
        .await
}

fn of(row: &Conversation, user: &User) -> (u64, u64) {
    let member = row.members.iter().find(|member| member.user_id == user.id()).expect("a member");
    places(&member.marks)
}

#[tokio::test]
async fn g6_the_others_see_what_was_received_and_read() {
    let scene = Scene::start().await;
    let (ada, ben, cleo) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cleo]).await;
    let (mut ada_stream, mut cleo_stream) = (ada.stream().await, cleo.stream().await);
    let mut ben_stream = ben.stream().await;
    ada.says(&tea, "hello").await;
    ben_stream.event().await;
    ben_stream.send(received(&tea, 2)).await;
    shown(&mut ada_stream, &ben, (2, 1)).await;
    ben_stream.send(read(&tea, 2)).await;
    for stream in [&mut ada_stream, &mut cleo_stream] {
        let marks = shown(stream, &ben, (2, 2)).await.marks.expect("marks");
        let received_at = marks.received_at.map(|time| (time.seconds, time.nanos));
        let read_at = marks.read_at.map(|time| (time.seconds, time.nanos));
        assert!(received_at.is_some() && read_at >= received_at, "each has its time: {marks:?}");
    }
    let row = ada.row(&tea).await.unwrap();
    assert_eq!((of(&row, &ben), of(&row, &cleo)), ((2, 2), (1, 1)), "the row says the same");
    assert_eq!(places(&row.marks), (2, 2), "whoever writes has read");
    assert_eq!(of(&cleo.row(&tea).await.unwrap(), &ada), (1, 1), "but that says nothing to the others");
}

#[tokio::test]
async fn g6_receipts_of_the_time_of_an_absence_come_with_the_row() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, coffee) = (ada.group(&[&ben]).await, ada.group(&[&ben]).await);
    ada.says(&tea, "hello").await;
    let (mut stream, _) = StreamClient::connect(&ada.chat, b"").await;
    let (_, cursor) = stream.synced().await;
    drop(stream);
    let request = MarkReceivedRequest { conversation_id: tea.clone(), seq: 2 };
    ben.chat.clone().mark_received(request).await.unwrap();

    let scene = scene.restart(None, |_| {}).await;
    let ada = scene.session(ada.person.clone()).await;
    let (mut stream, _) = StreamClient::connect(&ada.chat, &cursor).await;
    let (rows, cursor) = stream.synced().await;
    assert_eq!((rows.len(), rows[0].id.as_str(), of(&rows[0], &ben)), (1, tea.as_str(), (2, 1)), "G5, G6");
    drop(stream);
    let (mut stream, _) = StreamClient::connect(&ada.chat, &cursor).await;
    let (rows, _) = stream.synced().await;
    assert!(rows.is_empty(), "once: {rows:?}, and never {coffee}");
}

#[tokio::test]
async fn g6_whoever_may_see_more_marks_is_told_of_them() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "hello").await;
    let share = |on| SetPrivacyRequest { read_receipts: Some(on), ..SetPrivacyRequest::default() };
    ada.set_privacy(share(false)).await;
    let mut stream = ada.stream().await;
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: 2 };
    ben.chat.clone().mark_read(request).await.unwrap();
    shown(&mut stream, &ben, (2, 0)).await;
    ada.set_privacy(share(true)).await;
    assert_eq!(of(&stream.row().await, &ben), (2, 2));

    ben.block(&ada).await;
    let said = ben.says(&tea, "bye").await;
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: said };
    ben.chat.clone().mark_read(request).await.unwrap();
    assert_eq!(of(&ada.row(&tea).await.unwrap(), &ben), (2, 2), "G7: what is fetched is what is told live");
    stream.ping().await;
    let told =
        |frame: &ServerKind| matches!(frame, ServerKind::Receipts(_) | ServerKind::SyncConversation(_));
    assert!(!stream.take_mail().iter().any(told), "G7");
    ben.unblock(&ada).await;
    shown(&mut stream, &ben, (said, said)).await;
}

#[tokio::test]
async fn the_users_other_devices_learn_what_one_has_received() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut phone = ben.stream().await;
    let mut laptop = scene.another_session(&ben).await.stream().await;
    ada.says(&tea, "hello").await;
    phone.event().await;
    phone.send(received(&tea, 2)).await;
    assert_eq!(places(&laptop.row().await.marks), (2, 1));
    phone.send(read(&tea, 2)).await;
    let row = laptop.row().await;
    assert_eq!((places(&row.marks), row.unread), ((2, 2), 0));
    phone.ping().await;
    let own = phone.take_mail().into_iter().any(|frame| matches!(frame, ServerKind::SyncConversation(_)));
    assert!(!own, "the device that said it needs no row");
}

#[tokio::test]
async fn g7_receipts_are_for_members() {
    let scene = Scene::start().await;
    let (ada, ben, cleo, eve) =
        (scene.user().await, scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cleo]).await;
    ada.says(&tea, "hello").await;
    ada.does(&tea, compose::remove(&[cleo.id()])).await.unwrap();
    let (mut ada_stream, mut cleo_stream, mut eve_stream) =
        (ada.stream().await, cleo.stream().await, eve.stream().await);
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: 3 };
    ben.chat.clone().mark_read(request).await.unwrap();
    shown(&mut ada_stream, &ben, (3, 3)).await;
    let request = MarkReadRequest { conversation_id: tea.clone(), seq: 3 };
    cleo.chat.clone().mark_read(request).await.unwrap();
    assert_eq!(cleo_stream.row().await.members, [], "an ex-member sees no members");
    ada_stream.ping().await;
    for stream in [&mut ada_stream, &mut cleo_stream, &mut eve_stream] {
        stream.ping().await;
        let receipts = stream.take_mail().into_iter().find(|frame| matches!(frame, ServerKind::Receipts(_)));
        assert!(receipts.is_none(), "G7: {receipts:?}");
    }
}

#[tokio::test]
async fn whoever_is_added_again_begins_anew() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ada.stream().await;
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    ada.does(&tea, compose::add(&[ben.id()])).await.unwrap();
    shown(&mut stream, &ben, (3, 3)).await;
}

#[tokio::test]
async fn g8_many_receipts_are_few_frames() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (mut stream, mut ben_stream) = (ada.stream().await, ben.stream().await);
    let head = fill(&mut stream, &tea, 1, 200, "x").await;
    for seq in 2..=head {
        let request = MarkReadRequest { conversation_id: tea.clone(), seq };
        ben.chat.clone().mark_read(request).await.unwrap();
    }
    let mut frames = 0;
    in_time("the last receipt", async {
        loop {
            let last = stream
                .find("receipts", |frame| match frame {
                    ServerKind::Receipts(receipts) => Some(places(&receipts.members[0].marks)),
                    _ => None,
                })
                .await;
            frames += 1;
            if last == (head, head) {
                return;
            }
        }
    })
    .await;
    assert!(frames <= 20, "{frames} frames for 200 marks");
    eventually("the other device's rows end at the head", PATIENCE, async || {
        ben_stream.row().await.unread == 0
    })
    .await;
}
