//! G7: who calls with ids of a conversation that is not theirs gets the answer that made-up ids get, byte for byte, from
//! every method and frame there is; and nothing happens.

use std::collections::BTreeSet;

use parlor_testkit::{StreamClient, compose};
use parlor_tests::account::Login;
use parlor_tests::{Server, reading};
use parlor_types::{ConversationId, Id as _, Op, StreamId, UserId};
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Get;
use parlor_wire::chat::v1::list_messages_request::Conversation as List;
use parlor_wire::chat::v1::{
    Append, Created, Fetch, FetchRequest, GetConversationRequest, Hello, HistoryVisibility,
    ListConversationsRequest, ListMessagesRequest, MarkReadRequest, MarkReceivedRequest, PushRequest, Read,
    Received, Role, ServerFrame, SyncRequest, Text,
};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Response, Status};

/// What a stranger can name.
struct Named {
    conversation: String,
    user: String,
    stream: String,
    op: String,
}

impl Named {
    fn made_up() -> Self {
        let random = || Op::new().bytes();
        Self {
            conversation: ConversationId::group(UserId::from_bytes(random()), Op::new()).to_string(),
            user: UserId::new().to_string(),
            stream: StreamId::new().to_string(),
            op: Op::new().to_string(),
        }
    }

    /// The bytes without the ids that the caller sent anyway.
    fn without(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for id in [&self.conversation, &self.user, &self.stream, &self.op] {
            while let Some(at) = bytes.windows(id.len()).position(|part| part == id.as_bytes()) {
                bytes[at..at + id.len()].fill(b'#');
            }
        }
        bytes
    }
}

/// An answer, in comparable form.
type Answer = (String, Vec<u8>);

fn answer<T: prost::Message>(of: &Named, what: &str, result: Result<Response<T>, Status>) -> Answer {
    let bytes = match result {
        Ok(response) => [b"OK ".to_vec(), response.into_inner().encode_to_vec()].concat(),
        Err(status) => {
            let said = format!("{:?} {} ", status.code(), status.message());
            [said.as_bytes(), status.details()].concat()
        }
    };
    (what.to_owned(), of.without(&bytes))
}

/// Everything a client can append to a conversation.
fn contents(named: &Named) -> Vec<(&'static str, Kind)> {
    let user = [named.user.clone()];
    let created = Created { member_ids: user.to_vec(), name: "Tea".to_owned(), ..Created::default() };
    vec![
        ("created", Kind::Created(Created { kind: 2, ..created })),
        ("text", Kind::Text(Text { body: "hello".to_owned() })),
        ("add", compose::add(&user)),
        ("remove", compose::remove(&user)),
        ("leave", compose::leave()),
        ("rename", compose::rename("Mine")),
        ("settings", compose::history(HistoryVisibility::All)),
        ("set_role", compose::set_role(&user[0], Role::Owner)),
    ]
}

fn appends(named: &Named) -> Vec<(&'static str, Append)> {
    let append = |kind| Append { op: named.op.clone(), ..compose::append(&named.conversation, 1, kind) };
    contents(named).into_iter().map(|(what, kind)| (what, append(kind))).collect()
}

/// Every unary method that takes an id of a conversation, of a user as one, or of a stream.
async fn unary(stranger: &Login, named: &Named) -> Vec<Answer> {
    let mut chat = stranger.chat();
    let mut answers = Vec::new();
    for (what, append) in appends(named) {
        answers.push(answer(named, &format!("Append {what}"), chat.append(compose::unary(&append)).await));
    }
    let conversation_id = || named.conversation.clone();
    for (from_seq, to_seq) in [(1, 0), (1, 1), (7, 9), (1_000_000_000, 0)] {
        let request = FetchRequest { conversation_id: conversation_id(), from_seq, to_seq };
        answers.push(answer(named, "Fetch", chat.fetch(request).await));
    }
    for which in [List::ConversationId(conversation_id()), List::WithUserId(named.user.clone())] {
        let request = ListMessagesRequest { conversation: Some(which), ..ListMessagesRequest::default() };
        answers.push(answer(named, "ListMessages", chat.list_messages(request).await));
    }
    for which in [Get::ConversationId(conversation_id()), Get::WithUserId(named.user.clone())] {
        let request = GetConversationRequest { conversation: Some(which) };
        answers.push(answer(named, "GetConversation", chat.get_conversation(request).await));
    }
    for seq in [1, 100] {
        let request = MarkReceivedRequest { conversation_id: conversation_id(), seq };
        answers.push(answer(named, "MarkReceived", chat.mark_received(request).await));
        let request = MarkReadRequest { conversation_id: conversation_id(), seq };
        answers.push(answer(named, "MarkRead", chat.mark_read(request).await));
    }
    let request = PushRequest { stream_id: named.stream.clone(), number: 1, frames: Vec::new() };
    answers.push(answer(named, "Push", chat.push(request).await));
    answers
}

/// The same over a stream: what comes before the Pong.
async fn streamed(stranger: &Login, named: &Named) -> Vec<Answer> {
    let conversation_id = || named.conversation.clone();
    let mut frames: Vec<_> = appends(named)
        .into_iter()
        .map(|(what, append)| (format!("Append {what}"), Frame::Append(append)))
        .collect();
    let fetch = Fetch { request_id: 7, conversation_id: conversation_id(), from_seq: 1, to_seq: 0 };
    frames.push(("Fetch".to_owned(), Frame::Fetch(fetch)));
    let received = Received { conversation_id: conversation_id(), seq: 1 };
    frames.push(("Received".to_owned(), Frame::Received(received)));
    frames.push(("Read".to_owned(), Frame::Read(Read { conversation_id: conversation_id(), seq: 1 })));

    let mut answers = Vec::new();
    for (what, frame) in frames {
        let (mut stream, _) = StreamClient::connect(&stranger.chat(), b"").await;
        stream.synced().await;
        stream.send(frame).await;
        // Each of them is answered.
        let kind = stream.next().await.expect("the stream goes on");
        let frame = ServerFrame { kind: Some(kind) };
        answers.push((format!("{what}, streamed"), named.without(&frame.encode_to_vec())));
    }
    answers
}

/// What takes a place in the caller's own list instead of an id: somebody else's place leads to nothing of theirs.
async fn places(stranger: &Login, cursor: &[u8], not_theirs: &str) {
    let mut chat = stranger.chat();
    let request = SyncRequest { cursor: cursor.to_vec().into(), page_token: String::new() };
    let synced = chat.sync(request).await.expect("any cursor of this server is good").into_inner();
    let listed =
        chat.list_conversations(ListConversationsRequest::default()).await.expect("lists").into_inner();
    let (mut stream, _) = StreamClient::connect(&chat, cursor).await;
    let (connected, _) = stream.synced().await;
    let hello =
        Hello { protocol: 1, cursor: cursor.to_vec().into(), client: String::new(), ..Default::default() };
    let mut subscribed = StreamClient::subscribe(&chat, hello).await.expect("it opens");
    subscribed.welcomed().await;
    let (rows, _) = subscribed.synced().await;
    for row in [synced.conversations, listed.conversations, connected, rows].concat() {
        assert_ne!(row.id, not_theirs, "G7: a row of a conversation of others");
    }
}

/// What the calls above are about; a method that is new to the protocol has to be brought in there, or here with a reason.
const COVERED: &[&str] = &[
    "Append",
    "Connect",
    // Takes no id of a conversation: it derives one from the caller's own id.
    "CreateConversation",
    "Fetch",
    "GetConversation",
    "ListConversations",
    "ListMessages",
    "MarkRead",
    "MarkReceived",
    "Push",
    "Subscribe",
    "Sync",
];

#[test]
fn every_method_is_covered() {
    let files = FileDescriptorSet::decode(parlor_wire::DESCRIPTORS).unwrap().file;
    let services =
        files.iter().filter(|file| file.package() == "parlor.chat.v1").flat_map(|file| &file.service);
    let methods: BTreeSet<_> =
        services.flat_map(|service| &service.method).map(|method| method.name()).collect();
    assert_eq!(methods, BTreeSet::from_iter(COVERED.iter().copied()));
}

#[tokio::test]
async fn g7_a_stranger_s_answers_are_those_of_ids_that_do_not_exist() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let ada = Login::register(server.channel(), "ada").await;
    let bob = Login::register(server.channel(), "bob").await;
    let [tea, notes] = [compose::group("Tea", &[]), compose::direct(&bob.id())];
    let op_of_tea = tea.op.clone();
    let tea =
        ada.chat().create_conversation(tea).await.expect("creates").into_inner().conversation.expect("a row");
    bob.chat().create_conversation(notes).await.expect("creates");
    let (mut on_ada, welcome) = StreamClient::connect(&ada.chat(), b"").await;
    let (_, cursor) = on_ada.synced().await;
    let before =
        (reading::log(&ada.chat(), &tea.id).await.expect("reads"), reading::row(&ada.chat(), &tea.id).await);

    let theirs = Named {
        conversation: tea.id.clone(),
        user: ada.id(),
        stream: welcome.stream_id,
        op: Op::new().to_string(),
    };
    let nobodys = Named::made_up();
    let found = [unary(&bob, &theirs).await, streamed(&bob, &theirs).await].concat();
    let made_up = [unary(&bob, &nobodys).await, streamed(&bob, &nobodys).await].concat();
    assert_eq!(found.len(), made_up.len());
    for (found, made_up) in found.iter().zip(&made_up) {
        let text = |answer: &Answer| String::from_utf8_lossy(&answer.1).into_owned();
        assert_eq!(found.1, made_up.1, "G7: {}: {:?} against {:?}", found.0, text(found), text(made_up));
        assert!(!found.1.starts_with(b"OK"), "{} is refused", found.0);
    }
    places(&bob, &cursor, &tea.id).await;
    let own = compose::group("Tea", &[]);
    let own = parlor_wire::chat::v1::CreateConversationRequest { op: op_of_tea, ..own };
    let own = bob.chat().create_conversation(own).await.expect("creates").into_inner();
    assert!(
        !own.existed && own.conversation.expect("a row").id != tea.id,
        "G7: the creator's op leads nowhere"
    );

    let after =
        (reading::log(&ada.chat(), &tea.id).await.expect("reads"), reading::row(&ada.chat(), &tea.id).await);
    assert_eq!((before.0, before.1.expect("reads")), (after.0, after.1.expect("reads")), "nothing happened");
    on_ada.ping().await;
    assert!(on_ada.take_mail().is_empty(), "and nobody was told of anything");
}
