//! What is too large, too many, not there or not one's own is refused by name, and the stream goes on.

use parlor_testkit::{StreamClient, reason};
use parlor_tests::account::Login;
use parlor_types::UserId;
use parlor_types::limits::{MAX_STATUS_TEXT, MAX_WATCHED};
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Activity, Draft, PreferenceChanges, Read, Received, RequestContactRequest, SetPreferences, SetTyping,
    Watch, preferences_result,
};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::presence::v1::{BatchGetPresenceRequest, SetStatusRequest, Status, WatchRequest};

use crate::scene::Scene;

/// Ten megabytes.
const HUGE: usize = 10_000_000;
/// Fifty times what is allowed.
const MANY: usize = 10_000;

fn users(count: usize) -> Vec<String> {
    (0..count).map(|_| UserId::new().to_string()).collect()
}

#[tokio::test]
async fn g8_a_status_a_list_or_a_note_out_of_bounds_is_refused_by_name() {
    let scene = Scene::new().await;
    let mut presence = scene.mallory.presence();
    for (length, expected) in
        [(HUGE, ErrorReason::MessageTooLarge), (MAX_STATUS_TEXT + 1, ErrorReason::FieldInvalid)]
    {
        let status = Status { text: "x".repeat(length), ..Status::default() };
        let answer = presence.set_status(SetStatusRequest { status: Some(status) }).await;
        assert_eq!(reason(answer), expected, "{length}");
    }
    for (count, expected) in [
        (MANY, ErrorReason::MessageTooLarge),
        (MAX_WATCHED + 1, ErrorReason::FieldInvalid),
        (0, ErrorReason::FieldInvalid),
    ] {
        let get = presence.batch_get_presence(BatchGetPresenceRequest { user_ids: users(count) }).await;
        assert_eq!(reason(get), expected, "{count}");
        let watch = presence.watch(WatchRequest { user_ids: users(count) }).await.map(|_| ());
        assert_eq!(reason(watch), expected, "{count}");
    }
    let note = |length| RequestContactRequest { user_id: scene.ada.id(), note: "x".repeat(length) };
    for (length, expected) in [(HUGE, ErrorReason::MessageTooLarge), (201, ErrorReason::FieldInvalid)] {
        assert_eq!(reason(scene.mallory.people().request_contact(note(length)).await), expected, "{length}");
    }
}

/// Who is refused, with what.
fn cases(scene: &Scene) -> Vec<(&'static str, Frame, ErrorReason)> {
    let (own, not_theirs) = (|| scene.group.clone(), || scene.not_theirs.clone());
    let received = |conversation_id, seq| Frame::Received(Received { conversation_id, seq });
    let read = |conversation_id, seq| Frame::Read(Read { conversation_id, seq });
    let typing = |conversation_id, activity| Frame::SetTyping(SetTyping { conversation_id, activity });
    let preferences = |conversation_id, changes| {
        Frame::SetPreferences(SetPreferences { request_id: 7, conversation_id, changes: Some(changes) })
    };
    let draft = |bytes| PreferenceChanges {
        draft: Some(Draft { text: "x".repeat(bytes), reply_to: 0 }),
        ..PreferenceChanges::default()
    };
    let named =
        |length| PreferenceChanges { custom_name: Some("x".repeat(length)), ..PreferenceChanges::default() };
    let pinned = PreferenceChanges { pinned: Some(true), ..PreferenceChanges::default() };
    let (not_found, ahead, invalid) =
        (ErrorReason::ConversationNotFound, ErrorReason::SeqAhead, ErrorReason::FieldInvalid);
    vec![
        ("received elsewhere", received(not_theirs(), 1), not_found),
        ("read elsewhere", read(not_theirs(), 1), not_found),
        ("received to come", received(own(), 1_000_000), ahead),
        ("read to come", read(own(), u64::MAX), ahead),
        ("typing elsewhere", typing(not_theirs(), Activity::Typing.into()), not_found),
        ("recording nowhere", typing(String::new(), Activity::Recording.into()), invalid),
        ("an activity there is not", typing(own(), 99), invalid),
        ("preferences elsewhere", preferences(not_theirs(), pinned), not_found),
        ("a long draft", preferences(own(), draft(8 * 1024 + 1)), invalid),
        ("a long name", preferences(own(), named(101)), invalid),
        ("too many to watch", Frame::Watch(Watch { user_ids: users(MAX_WATCHED + 1) }), invalid),
        ("nobody to watch", Frame::Watch(Watch { user_ids: vec!["nobody".to_owned()] }), invalid),
    ]
}

/// The problem a frame tells of, of those that refuse without ending the stream.
fn problem(frame: &In) -> Option<Problem> {
    match frame {
        In::MarkRefused(refused) => refused.problem.clone(),
        In::Refused(refused) => refused.problem.clone(),
        In::PreferencesResult(result) => match &result.outcome {
            Some(preferences_result::Outcome::Problem(problem)) => Some(problem.clone()),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn g8_frames_out_of_bounds_are_refused_by_name_and_the_stream_goes_on() {
    let scene = Scene::new().await;
    let (mut stream, _) = StreamClient::connect(&scene.mallory.chat(), b"").await;
    stream.synced().await;
    for (what, frame, expected) in cases(&scene) {
        stream.send(frame).await;
        let found = stream.find(what, problem).await;
        assert_eq!(found.reason(), expected, "{what}: {found:?}");
        stream.ping().await;
    }
    // More than a message may hold ends the stream, with a word on why.
    stream.send(Frame::Watch(Watch { user_ids: users(MANY) })).await;
    assert_eq!(stream.end().await.reason(), (ErrorReason::MessageTooLarge, false));
    is_served(&scene.mallory).await;
}

async fn is_served(login: &Login) {
    let (mut stream, _) = StreamClient::connect(&login.chat(), b"").await;
    stream.synced().await;
}
