//! Every method and frame of the chat API that takes an id of a conversation, of a user as one, or of a stream.

use parlor_testkit::{StreamClient, compose};
use parlor_tests::account::Login;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::get_conversation_request::Conversation as Get;
use parlor_wire::chat::v1::list_messages_request::Conversation as List;
use parlor_wire::chat::v1::{
    Activity, Append, Created, Draft, Fetch, FetchRequest, File, GetConversationRequest, GetReceiptsRequest,
    HistoryVisibility, Image, ListMessagesRequest, Location, MarkReadRequest, MarkReceivedRequest,
    PreferenceChanges, PushRequest, Read, Received, Role, ServerFrame, SetAvatar, SetPreferences,
    SetPreferencesRequest, SetTyping, Text, Voice,
};
use parlor_wire::media::v1::Media;
use prost::Message as _;
use prost_types::Timestamp;

use crate::named::{Answer, Named};

/// Everything a client can append to a conversation.
fn contents(named: &Named) -> Vec<(&'static str, Kind)> {
    let user = [named.user.clone()];
    let media = || Some(Media { id: named.media.clone(), ..Media::default() });
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
        ("image", Kind::Image(Image { media: media(), caption: String::new() })),
        ("file", Kind::File(File { media: media(), caption: String::new() })),
        ("voice", Kind::Voice(Voice { media: media() })),
        ("set_avatar", Kind::SetAvatar(SetAvatar { media: media() })),
        ("location", Kind::Location(Location { latitude: 1.0, ..Location::default() })),
    ]
}

fn appends(named: &Named) -> Vec<(&'static str, Append)> {
    let append = |kind| Append { op: named.op.clone(), ..compose::append(&named.conversation, 1, kind) };
    contents(named).into_iter().map(|(what, kind)| (what, append(kind))).collect()
}

/// Every way to have a conversation, one at a time; some need to know its head.
fn preferences() -> Vec<(&'static str, PreferenceChanges)> {
    let draft = |reply_to| Draft { text: "begun".to_owned(), reply_to };
    let changes = PreferenceChanges::default;
    vec![
        ("nothing", changes()),
        ("muted_until", PreferenceChanges { muted_until: Some(Timestamp::default()), ..changes() }),
        ("pinned", PreferenceChanges { pinned: Some(true), ..changes() }),
        ("archived", PreferenceChanges { archived: Some(true), ..changes() }),
        ("hidden", PreferenceChanges { hidden: Some(true), ..changes() }),
        ("marked_unread", PreferenceChanges { marked_unread: Some(true), ..changes() }),
        ("draft", PreferenceChanges { draft: Some(draft(1)), ..changes() }),
        ("draft ahead", PreferenceChanges { draft: Some(draft(1_000_000)), ..changes() }),
        ("custom_name", PreferenceChanges { custom_name: Some("Mine".to_owned()), ..changes() }),
    ]
}

/// Unary.
pub async fn unary(stranger: &Login, named: &Named) -> Vec<Answer> {
    let mut chat = stranger.chat();
    let mut answers = Vec::new();
    let mut note = |answer| answers.push(answer);
    for (what, append) in appends(named) {
        let result = chat.append(compose::unary(&append)).await;
        note(Answer::unary(named, &format!("Append {what}"), result));
    }
    let conversation_id = || named.conversation.clone();
    for (from_seq, to_seq) in [(1, 0), (1, 1), (7, 9), (1_000_000_000, 0)] {
        let request = FetchRequest { conversation_id: conversation_id(), from_seq, to_seq };
        note(Answer::unary(named, "Fetch", chat.fetch(request).await));
    }
    for which in [List::ConversationId(conversation_id()), List::WithUserId(named.user.clone())] {
        let request = ListMessagesRequest { conversation: Some(which), ..ListMessagesRequest::default() };
        note(Answer::unary(named, "ListMessages", chat.list_messages(request).await));
    }
    for which in [Get::ConversationId(conversation_id()), Get::WithUserId(named.user.clone())] {
        let request = GetConversationRequest { conversation: Some(which) };
        note(Answer::unary(named, "GetConversation", chat.get_conversation(request).await));
    }
    for seq in [1, 100] {
        let request = MarkReceivedRequest { conversation_id: conversation_id(), seq };
        note(Answer::unary(named, "MarkReceived", chat.mark_received(request).await));
        let request = MarkReadRequest { conversation_id: conversation_id(), seq };
        note(Answer::unary(named, "MarkRead", chat.mark_read(request).await));
        let request = GetReceiptsRequest { conversation_id: conversation_id(), seq };
        note(Answer::unary(named, "GetReceipts", chat.get_receipts(request).await));
    }
    for (what, changes) in preferences() {
        let request = SetPreferencesRequest { conversation_id: conversation_id(), changes: Some(changes) };
        let result = chat.set_preferences(request).await;
        note(Answer::unary(named, &format!("SetPreferences {what}"), result));
    }
    let request = PushRequest { stream_id: named.stream.clone(), number: 1, frames: Vec::new() };
    note(Answer::unary(named, "Push", chat.push(request).await));
    answers
}

fn frames(named: &Named) -> Vec<(String, Frame)> {
    let conversation_id = || named.conversation.clone();
    let frame = |(what, append)| (format!("Append {what}"), Frame::Append(append));
    let mut frames: Vec<_> = appends(named).into_iter().map(frame).collect();
    let fetch = Fetch { request_id: 7, conversation_id: conversation_id(), from_seq: 1, to_seq: 0 };
    frames.push(("Fetch".to_owned(), Frame::Fetch(fetch)));
    for seq in [1, 100] {
        let received = Received { conversation_id: conversation_id(), seq };
        frames.push(("Received".to_owned(), Frame::Received(received)));
        frames.push(("Read".to_owned(), Frame::Read(Read { conversation_id: conversation_id(), seq })));
    }
    for (what, changes) in preferences() {
        let set =
            SetPreferences { request_id: 7, conversation_id: conversation_id(), changes: Some(changes) };
        frames.push((format!("SetPreferences {what}"), Frame::SetPreferences(set)));
    }
    for activity in [Activity::Typing, Activity::Recording] {
        let typing = SetTyping { conversation_id: conversation_id(), activity: activity.into() };
        frames.push((format!("SetTyping {activity:?}"), Frame::SetTyping(typing)));
    }
    frames
}

/// The same over a stream of its own for each frame, since a refusal may bear on the next.
pub async fn streamed(stranger: &Login, named: &Named) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (what, frame) in frames(named) {
        let (mut stream, _) = StreamClient::connect(&stranger.chat(), b"").await;
        stream.synced().await;
        stream.take_mail();
        stream.send(frame).await;
        // Each of them is answered.
        let kind = stream.next().await.expect("the stream goes on");
        let bytes = named.without(&ServerFrame { kind: Some(kind) }.encode_to_vec());
        answers.push(Answer { what: format!("{what}, streamed"), bytes });
    }
    answers
}
