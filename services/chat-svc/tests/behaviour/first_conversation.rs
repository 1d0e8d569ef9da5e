//! Two people meet, three talk: everybody sees the same.

use parlor_testkit::{StreamClient, compose};
use parlor_types::{ConversationId, Id as _, Op};
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{ConversationKind, HistoryVisibility, ReadableRange, Role};

use crate::support::{Scene, body, seqs};

#[tokio::test]
async fn g2_a_direct_conversation_made_from_both_sides_at_once_is_one() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (from_ada, from_ben) =
        tokio::join!(ada.create(compose::direct(&ben.id())), ben.create(compose::direct(&ada.id())));
    let ((by_ada, first), (by_ben, second)) = (from_ada.unwrap(), from_ben.unwrap());
    assert_eq!(by_ada.id, by_ben.id);
    assert!(first != second, "G2: one of the two made it");
    let derived = ConversationId::direct(ada.person.caller.user_id, ben.person.caller.user_id);
    assert_eq!(by_ada.id, derived.to_string());

    let (again, existed) = ben.create(compose::direct(&ada.id())).await.unwrap();
    assert!(existed);
    assert_eq!((again.head, again.member_count), (1, 2), "G2: nothing was added");
    assert_eq!((again.kind(), again.name.as_str()), (ConversationKind::Direct, ""));
    assert_eq!(ada.log(&by_ada.id).await.unwrap(), ben.log(&by_ada.id).await.unwrap());
}

#[tokio::test]
async fn notes_to_oneself_are_a_direct_conversation() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (row, _) = ada.create(compose::direct(&ada.id())).await.unwrap();
    assert_eq!((row.member_count, row.members.len()), (1, 1));
    assert_eq!(ada.says(&row.id, "buy milk").await, 2);
}

#[tokio::test]
async fn a_group_is_made_once_by_its_op() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let request = compose::group("Tea", &[ben.id(), cem.id()]);
    let (row, existed) = ada.create(request.clone()).await.unwrap();
    let (again, existed_again) = ada.create(request.clone()).await.unwrap();
    assert_eq!((existed, existed_again), (false, true));
    assert_eq!(row, again);
    let op = Op::parse(&request.op).unwrap();
    assert_eq!(row.id, ConversationId::group(ada.person.caller.user_id, op).to_string());

    assert_eq!((row.kind(), row.name.as_str()), (ConversationKind::Group, "Tea"));
    assert_eq!(row.settings.unwrap().history_visibility(), HistoryVisibility::FromJoin);
    assert_eq!((row.head, row.head_number, row.unread, row.member_count), (1, 0, 0, 3));
    assert_eq!(row.last_message, None);
    assert_eq!(row.readable, [ReadableRange { from_seq: 1, to_seq: 0 }]);
    let role_of = |id: &str| row.members.iter().find(|member| member.user_id == id).unwrap().role();
    assert_eq!([role_of(&ada.id()), role_of(&ben.id())], [Role::Owner, Role::Member]);
    let first = &ben.log(&row.id).await.unwrap()[0];
    match first.content.as_ref().unwrap().kind.as_ref().unwrap() {
        Kind::Created(created) => {
            assert_eq!(created.member_ids, [ada.id(), ben.id(), cem.id()], "all members, the creator first");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn g3_g5_what_is_appended_on_the_stream_and_unary_is_one_log_for_all() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cem]).await;
    let (mut on_ada, mut on_ben) = (ada.stream().await, ben.stream().await);

    let result = on_ada.append(compose::text(&tea, 1, "from the stream")).await;
    let Some(Outcome::Appended(appended)) = result.outcome else { panic!("{result:?}") };
    assert_eq!((appended.seq, appended.message_number, appended.duplicate), (2, 1, false));
    assert_eq!(appended.conversation_id, tea);
    let unary = ben.append(&compose::text(&tea, 2, "by a call")).await.unwrap();
    assert_eq!((unary.seq, unary.message_number, unary.duplicate), (3, 2, false));

    for stream in [&mut on_ada, &mut on_ben] {
        let events = [stream.event().await, stream.event().await];
        assert_eq!(seqs(&events), [2, 3], "G3");
        assert_eq!(events.each_ref().map(body), ["from the stream", "by a call"]);
        assert_eq!(events.each_ref().map(|entry| entry.sender_id.clone()), [ada.id(), ben.id()]);
        assert_eq!(events[0].time, appended.time);
    }
    let log = ada.log(&tea).await.unwrap();
    assert_eq!(seqs(&log), [1, 2, 3], "G3");
    for user in [&ben, &cem] {
        assert_eq!(user.log(&tea).await.unwrap(), log, "G5");
    }
}

#[tokio::test]
async fn a_row_of_the_sync_says_all_that_the_chat_list_shows() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    for text in ["one", "two"] {
        ada.says(&tea, text).await;
    }
    ben.says(&tea, "three").await;
    ada.does(&tea, compose::rename("Coffee")).await.unwrap();
    ada.says(&tea, "four").await;

    let (mut stream, welcome) = StreamClient::connect(&ben.chat, b"").await;
    assert_eq!(welcome.user_id, ben.id());
    assert_eq!(welcome.session_id, ben.person.caller.session_id.to_string());
    let (rows, _) = stream.synced().await;
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.id.as_str(), row.name.as_str()), (tea.as_str(), "Coffee"));
    assert_eq!((row.head, row.head_number, row.member_count), (6, 4, 2));
    let last = row.last_message.as_ref().unwrap();
    assert_eq!((last.seq, body(last)), (6, "four"));
    assert_eq!(row.unread, 1, "what Ben wrote he has read, and what was above it");
    let marks = row.marks.unwrap();
    assert_eq!((marks.read, marks.received), (4, 4));
    assert_eq!(row.active_at, last.time);
    assert_eq!(&ben.row(&tea).await.unwrap(), row, "the same row, however it is asked for");
}

#[tokio::test]
async fn replies_mentions_and_labels_are_kept_and_checked() {
    use parlor_testkit::reason;
    use parlor_wire::errors::v1::ErrorReason;
    let scene = Scene::start().await;
    let (ada, ben, eve) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut append = compose::text(&tea, 1, "hello @ben");
    append.reply_to = 1;
    append.mention_ids = vec![ben.id()];
    append.labels.insert("colour".into(), "blue".into());
    ada.append(&append).await.unwrap();
    let stored = ben.log(&tea).await.unwrap().pop().unwrap();
    assert_eq!((stored.reply_to, &stored.mention_ids, &stored.labels), (1, &vec![ben.id()], &append.labels));
    assert_eq!(stored.op, append.op);

    let mut ahead = compose::text(&tea, 2, "an answer to nothing");
    ahead.reply_to = 99;
    assert_eq!(reason(ada.append(&ahead).await), ErrorReason::SeqAhead);
    let mut stranger = compose::text(&tea, 2, "hello @eve");
    stranger.mention_ids = vec![eve.id()];
    assert_eq!(reason(ada.append(&stranger).await), ErrorReason::MemberNotFound);
}
