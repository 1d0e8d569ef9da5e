//! G7: who calls with ids of what is not theirs gets the answer that made-up ids get, byte for byte, from every method and
//! frame there is; and nothing happens.

mod calls;
mod files;
mod internal;
mod named;
mod people;

use std::collections::BTreeSet;

use parlor_testkit::{StreamClient, compose};
use parlor_tests::account::Login;
use parlor_tests::{Server, reading, uploads};
use parlor_wire::chat::v1::{CreateConversationRequest, Hello, ListConversationsRequest, SyncRequest};
use parlor_wire::media::v1::{GetUploadRequest, Purpose, Variant};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use named::{Named, assert_same};

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

/// What the tests here are about; a method that is new to the protocol has to be brought in, or put here with a reason.
const COVERED: &[&str] = &[
    "ChatService/Append",
    "ChatService/Connect",
    // Takes no id of a conversation: it derives one from the caller's own id.
    "ChatService/CreateConversation",
    "ChatService/Fetch",
    // The caller's own.
    "ChatService/GetBadge",
    "ChatService/GetConversation",
    "ChatService/GetReceipts",
    "ChatService/ListConversations",
    "ChatService/ListMessages",
    "ChatService/MarkRead",
    "ChatService/MarkReceived",
    "ChatService/Push",
    "ChatService/SetPreferences",
    "ChatService/Subscribe",
    "ChatService/Sync",
    "MediaService/BatchGetMediaUrls",
    // Takes no id: its op is the caller's own, as the test of files sees.
    "MediaService/CreateUpload",
    "MediaService/DeleteMedia",
    "MediaService/Download",
    "MediaService/FinishUpload",
    "MediaService/GetMedia",
    "MediaService/GetUpload",
    // The caller's own.
    "MediaService/GetUsage",
    "MediaService/UploadPart",
    "PeopleService/AcceptContact",
    "PeopleService/BlockUser",
    // The caller's own.
    "PeopleService/GetPrivacy",
    // The caller's own; that it holds nothing of others is seen in each test.
    "PeopleService/ListPeople",
    "PeopleService/RemoveContact",
    "PeopleService/RequestContact",
    // The caller's own.
    "PeopleService/SetPrivacy",
    "PeopleService/UnblockUser",
    "PresenceService/BatchGetPresence",
    // The caller's own.
    "PresenceService/GetStatus",
    // The caller's own.
    "PresenceService/SetStatus",
    "PresenceService/Watch",
];

#[test]
fn every_method_is_covered() {
    let files = FileDescriptorSet::decode(parlor_wire::DESCRIPTORS).unwrap().file;
    let public = ["parlor.chat.v1", "parlor.media.v1", "parlor.presence.v1"];
    let mut methods = BTreeSet::new();
    for service in files.iter().filter(|file| public.contains(&file.package())).flat_map(|file| &file.service)
    {
        let path = |method: &str| format!("{}/{method}", service.name());
        methods.extend(service.method.iter().map(|method| path(method.name())));
    }
    assert_eq!(methods, COVERED.iter().map(|&method| method.to_owned()).collect());
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
    on_ada.take_mail();
    let before =
        (reading::log(&ada.chat(), &tea.id).await.expect("reads"), reading::row(&ada.chat(), &tea.id).await);

    let theirs = Named::theirs(&tea.id, &ada, &welcome.stream_id);
    let nobodys = Named::made_up();
    let found = [calls::unary(&bob, &theirs).await, calls::streamed(&bob, &theirs).await].concat();
    let made_up = [calls::unary(&bob, &nobodys).await, calls::streamed(&bob, &nobodys).await].concat();
    assert_same(&found, &made_up);
    for found in &found {
        assert!(found.is_refusal(), "{} is refused", found.what);
    }
    let found = people::unary(&bob, &theirs).await;
    assert_same(&found, &people::unary(&bob, &nobodys).await);
    places(&bob, &cursor, &tea.id).await;
    let own = CreateConversationRequest { op: op_of_tea, ..compose::group("Tea", &[]) };
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

#[tokio::test]
async fn g7_a_file_of_others_is_to_a_stranger_what_a_made_up_id_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let ada = Login::register(server.channel(), "ada").await;
    let bob = Login::register(server.channel(), "bob").await;
    let [file, begun] = files::of(&ada).await;
    let nobodys = files::unary(&bob, &Named::made_up()).await;
    for media in [&file, &begun] {
        let theirs = Named { media: media.clone(), ..Named::made_up() };
        assert_same(&files::unary(&bob, &theirs).await, &nobodys);
    }
    let bytes =
        uploads::download(&ada.media(), &file, Variant::Original).await.expect("nothing happened to it");
    assert_eq!(bytes, b"dear diary");
    let still = GetUploadRequest { media_id: begun };
    let still =
        ada.media().get_upload(still).await.expect("nor to this").into_inner().upload.expect("an upload");
    assert!(!still.missing.is_empty() && !still.finished, "G7: a stranger's part is in it");

    let request = uploads::beginning("mine.txt", Purpose::File, b"mine");
    let hers = uploads::begin(&ada.media(), &request).await.expect("begins");
    let his = uploads::begin(&bob.media(), &request).await.expect("begins");
    assert_ne!(hers.media_id, his.media_id, "G7: an op of others leads to their upload");
}
