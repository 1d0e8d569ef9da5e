//! What is wrong with a request is said exactly, and nothing is stored of it.

use parlor_testkit::{compose, in_time, raw_call, reason};
use parlor_types::{ConversationId, UserId};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{
    Append, AppendRequest, Content, ConversationKind, CreateConversationRequest, FetchRequest,
    GetConversationRequest, ListMessagesRequest, MarkReadRequest, MarkReceivedRequest, Role, SyncRequest,
    Text, Withheld, list_messages_request,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use prost::Message as _;
use tonic::Status;

use crate::support::{Scene, User};

/// The fields that a FIELD_INVALID names.
fn fields<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let problem = from_status(&result.expect_err("the call fails"));
    assert_eq!(problem.reason(), ErrorReason::FieldInvalid, "{problem:?}");
    problem.violations.into_iter().map(|violation| violation.field).collect()
}

fn said(body: &str) -> Kind {
    Kind::Text(Text { body: body.to_owned() })
}

#[tokio::test]
async fn fields_that_are_out_of_range_are_named() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let good = compose::text(&tea, 1, "good");
    let crowd: Vec<String> = (0..101).map(|_| UserId::new().to_string()).collect();
    let with = |kind: Kind| compose::append(&tea, 1, kind);
    let labels = |count: usize, size: usize| {
        let pairs = (0..count).map(|n| (format!("{n:04}"), "x".repeat(size - 4)));
        Append { labels: pairs.collect(), ..good.clone() }
    };
    for (append, field) in [
        (with(said("")), "content.text.body"),
        (with(said(" \n\t\u{2003}")), "content.text.body"),
        (with(said("bell\u{7}")), "content.text.body"),
        (with(said("nul\0")), "content.text.body"),
        (with(said("escape\u{1b}[2J")), "content.text.body"),
        (with(said("c1\u{85}")), "content.text.body"),
        (with(compose::add(&[])), "content.add.user_ids"),
        (with(compose::add(&crowd)), "content.add.user_ids"),
        (with(compose::add(&["Ada".to_owned()])), "content.add.user_ids"),
        (with(compose::remove(&[])), "content.remove.user_ids"),
        (with(compose::rename("")), "content.rename.name"),
        (with(compose::rename("two\nlines")), "content.rename.name"),
        (with(compose::rename(&"x".repeat(101))), "content.rename.name"),
        (with(compose::set_role("ada", Role::Admin)), "content.set_role.user_id"),
        (with(compose::set_role(&ada.id(), Role::Unspecified)), "content.set_role.role"),
        (Append { content: None, ..good.clone() }, "content.kind"),
        (Append { content: Some(Content::default()), ..good.clone() }, "content.kind"),
        (Append { op: String::new(), ..good.clone() }, "op"),
        (Append { op: good.op.to_uppercase(), ..good.clone() }, "op"),
        (Append { conversation_id: String::new(), ..good.clone() }, "conversation_id"),
        (Append { conversation_id: tea.to_uppercase(), ..good.clone() }, "conversation_id"),
        (Append { mention_ids: vec![ada.id(); 51], ..good.clone() }, "mention_ids"),
        (Append { mention_ids: vec!["@ada".to_owned()], ..good.clone() }, "mention_ids"),
        (labels(17, 5), "labels"),
        (labels(1, 1025), "labels"),
    ] {
        assert_eq!(fields(ada.append(&append).await), [format!("append.{field}")], "{append:?}");
    }
    let empty = ada.chat.clone().append(AppendRequest { append: None }).await;
    assert_eq!(fields(empty), ["append"]);
    assert_eq!(ada.append(&labels(16, 64)).await.unwrap().seq, 2, "1 KiB of labels in 16 pairs is allowed");
    assert_eq!(ada.append(&with(said("line feed\n, tab\t and \u{1f600}"))).await.unwrap().seq, 3);
}

#[tokio::test]
async fn a_creation_that_cannot_be_is_refused() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let direct = compose::direct(&ben.id());
    let group = compose::group("Tea", &[]);
    for (request, field) in [
        (CreateConversationRequest { member_ids: vec![], ..direct.clone() }, "member_ids"),
        (CreateConversationRequest { member_ids: vec![ben.id(), ada.id()], ..direct.clone() }, "member_ids"),
        (CreateConversationRequest { member_ids: vec!["ben".to_owned()], ..direct.clone() }, "member_ids"),
        (CreateConversationRequest { name: "Us".to_owned(), ..direct.clone() }, "name"),
        (CreateConversationRequest { name: String::new(), ..group.clone() }, "name"),
        (CreateConversationRequest { name: "x".repeat(101), ..group.clone() }, "name"),
        (CreateConversationRequest { op: "1".to_owned(), ..group.clone() }, "op"),
        (CreateConversationRequest { kind: ConversationKind::Unspecified.into(), ..group.clone() }, "kind"),
        (CreateConversationRequest { kind: 99, ..group.clone() }, "kind"),
    ] {
        assert_eq!(fields(ada.create(request.clone()).await), [field], "{request:?}");
    }
    let gone = scene.user().await;
    scene.auth.forget(gone.person.caller.user_id);
    for request in [compose::direct(&gone.id()), compose::group("Tea", &[ben.id(), gone.id()])] {
        assert_eq!(reason(ada.create(request).await), ErrorReason::UserNotFound);
    }
    let created = |conversation_id: &str| {
        let kind = ConversationKind::Group.into();
        let created = parlor_wire::chat::v1::Created { kind, name: "Tea".to_owned(), ..Default::default() };
        compose::append(conversation_id, 0, Kind::Created(created))
    };
    let elsewhere = ada.append(&created(&ConversationId::new().to_string())).await;
    assert_eq!(fields(elsewhere), ["append.conversation_id"]);
    assert_eq!(ada.append(&created("")).await.unwrap().seq, 1, "the append of the first entry creates");
    assert_eq!(ada.chat_list().await.len(), 1);
}

#[tokio::test]
async fn an_eleventh_member_finds_no_room() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let others: Vec<String> = (0..10).map(|_| UserId::new().to_string()).collect();
    assert_eq!(reason(ada.create(compose::group("Tea", &others)).await), ErrorReason::GroupFull);
    let (row, _) = ada.create(compose::group("Tea", &others[..9])).await.unwrap();
    assert_eq!(row.member_count, 10);
    let add = compose::add(&others[9..]);
    assert_eq!(reason(ada.does(&row.id, add.clone()).await), ErrorReason::GroupFull);
    ada.does(&row.id, compose::remove(&others[..1])).await.unwrap();
    assert_eq!(ada.does(&row.id, add).await.unwrap(), 3);
}

#[tokio::test]
async fn content_has_a_size_and_a_kind_that_clients_may_send() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let sized = |bytes: usize| {
        let append = |letters| compose::append(&tea, 1, said(&"x".repeat(letters)));
        let overhead = append(bytes - 100).content.unwrap().encoded_len() - (bytes - 100);
        append(bytes - overhead)
    };
    let (most, more) = (sized(16 * 1024), sized(16 * 1024 + 1));
    assert_eq!(most.content.as_ref().unwrap().encoded_len(), 16 * 1024);
    assert_eq!(more.content.as_ref().unwrap().encoded_len(), 16 * 1024 + 1);
    assert_eq!(ada.append(&most).await.unwrap().seq, 2);
    assert_eq!(reason(ada.append(&more).await), ErrorReason::ContentTooLarge);
    let withheld = compose::append(&tea, 1, Kind::Withheld(Withheld::default()));
    assert_eq!(reason(ada.append(&withheld).await), ErrorReason::ContentNotAllowed);
    let huge = compose::append(&tea, 1, said(&"x".repeat(65 * 1024)));
    assert_eq!(reason(ada.append(&huge).await), ErrorReason::MessageTooLarge);
}

#[tokio::test]
async fn reads_out_of_range_are_refused_or_cut() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    crate::support::fill(&mut stream, &tea, 1, 250, "message").await;
    let mut chat = ada.chat.clone();
    let request = |from_seq, to_seq| FetchRequest { conversation_id: tea.clone(), from_seq, to_seq };
    assert_eq!(fields(chat.fetch(request(0, 0)).await), ["from_seq"]);
    assert_eq!(fields(chat.fetch(request(5, 4)).await), ["to_seq"]);
    assert_eq!(fields(chat.fetch(request(u64::MAX, 0)).await), ["to_seq"]);
    for to_seq in [1_000_000_000, u64::MAX, 0] {
        let page = chat.fetch(request(1, to_seq)).await.unwrap().into_inner().page.unwrap();
        assert_eq!((page.entries.len(), page.next_seq, page.head), (200, 201, 251));
    }
    let beyond = chat.fetch(request(1_000_000_000, 0)).await.unwrap().into_inner().page.unwrap();
    assert_eq!((beyond.entries.len(), beyond.next_seq, beyond.head), (0, 0, 251));

    let nobody = chat.get_conversation(GetConversationRequest { conversation: None }).await;
    assert_eq!(fields(nobody), ["conversation"]);
    assert_eq!(fields(chat.list_messages(ListMessagesRequest::default()).await), ["conversation"]);
    let at = after_the_end_of_time(&tea);
    assert_eq!(fields(chat.list_messages(at).await), ["time"]);
    let bad = chat.sync(SyncRequest { cursor: b"garbage".as_slice().into(), ..Default::default() }).await;
    assert_eq!(reason(bad), ErrorReason::CursorInvalid);
}

fn after_the_end_of_time(conversation: &str) -> ListMessagesRequest {
    let mut time = parlor_wire::to_time(std::time::SystemTime::UNIX_EPOCH);
    time.seconds = i64::MAX;
    ListMessagesRequest {
        conversation: Some(list_messages_request::Conversation::ConversationId(conversation.to_owned())),
        start: Some(list_messages_request::Start::Time(time)),
        ..ListMessagesRequest::default()
    }
}

#[tokio::test]
async fn marks_of_the_future_are_refused() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let conversation_id = ada.group(&[]).await;
    for seq in [2, u64::MAX] {
        let request = MarkReceivedRequest { conversation_id: conversation_id.clone(), seq };
        assert_eq!(reason(ada.chat.clone().mark_received(request).await), ErrorReason::SeqAhead);
        let request = MarkReadRequest { conversation_id: conversation_id.clone(), seq };
        assert_eq!(reason(ada.chat.clone().mark_read(request).await), ErrorReason::SeqAhead);
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_or_no_text_are_malformed() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let path = "/parlor.chat.v1.ChatService/Append";
    let mut bad_utf8 = AppendRequest { append: Some(compose::text("c0ffee", 1, "text")) }.encode_to_vec();
    let at = bad_utf8.windows(4).position(|bytes| bytes == b"text").unwrap();
    bad_utf8[at] = 0xff;
    for message in [bad_utf8.as_slice(), b"\x0a\x7f", b"\xff\xff\xff"] {
        let call = raw_call(scene.channel().await, &ada.person.token, path, message);
        let (answers, status) = in_time("the refusal", call).await;
        let status = status.expect("a refusal");
        assert_eq!((answers.len(), from_status(&status).reason()), (0, ErrorReason::MessageMalformed));
    }
}

impl User {
    async fn chat_list(&self) -> Vec<parlor_wire::chat::v1::Conversation> {
        let request = parlor_wire::chat::v1::ListConversationsRequest::default();
        self.chat.clone().list_conversations(request).await.expect("a list").into_inner().conversations
    }
}
