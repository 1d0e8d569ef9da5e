//! Preferences: a member's own, the same on all their devices.

use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, reason};
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::preferences_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind as ServerKind;
use parlor_wire::chat::v1::{
    Draft, PreferenceChanges, Preferences, PreferencesResult, Read, SetPreferences, SetPreferencesRequest,
};
use parlor_wire::errors::v1::ErrorReason;
use tonic::Status;

use crate::support::{Scene, User};

async fn set(user: &User, conversation: &str, changes: PreferenceChanges) -> Result<Preferences, Status> {
    let request = SetPreferencesRequest { conversation_id: conversation.to_owned(), changes: Some(changes) };
    let answer = user.chat.clone().set_preferences(request).await?.into_inner();
    Ok(answer.preferences.expect("preferences"))
}

fn frame(request_id: u64, conversation: &str, changes: Option<PreferenceChanges>) -> ClientKind {
    let conversation_id = conversation.to_owned();
    ClientKind::SetPreferences(SetPreferences { request_id, conversation_id, changes })
}

async fn result(stream: &mut StreamClient, request: u64) -> Result<Preferences, ErrorReason> {
    let found = |frame: &ServerKind| match frame {
        ServerKind::PreferencesResult(PreferencesResult { request_id, outcome })
            if *request_id == request =>
        {
            outcome.clone()
        }
        _ => None,
    };
    match stream.find("a PreferencesResult", found).await {
        Outcome::Preferences(preferences) => Ok(preferences),
        Outcome::Problem(problem) => Err(problem.reason()),
    }
}

fn draft(text: &str, reply_to: u64) -> PreferenceChanges {
    let draft = Some(Draft { text: text.to_owned(), reply_to });
    PreferenceChanges { draft, ..PreferenceChanges::default() }
}

fn archive() -> PreferenceChanges {
    PreferenceChanges { archived: Some(true), ..PreferenceChanges::default() }
}

/// Bad changes, and what they get.
fn bad() -> Vec<(PreferenceChanges, ErrorReason)> {
    let named =
        |name: &str| PreferenceChanges { custom_name: Some(name.to_owned()), ..PreferenceChanges::default() };
    let mut never = parlor_wire::to_time(std::time::UNIX_EPOCH);
    never.seconds = i64::MAX;
    let muted = PreferenceChanges { muted_until: Some(never), ..PreferenceChanges::default() };
    vec![
        (draft(&"x".repeat(9 * 1024), 0), ErrorReason::FieldInvalid),
        (draft("about what is not there yet", 99), ErrorReason::SeqAhead),
        (named(&"x".repeat(101)), ErrorReason::FieldInvalid),
        (named("a\u{1b}[2J"), ErrorReason::FieldInvalid),
        (muted, ErrorReason::FieldInvalid),
    ]
}

#[tokio::test]
async fn preferences_are_on_all_devices_of_their_member_and_nobody_elses() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let (mut phone, mut ada_stream) = (ben.stream().await, ada.stream().await);
    let mut laptop = scene.another_session(&ben).await.stream().await;
    let changes = PreferenceChanges {
        pinned: Some(true),
        custom_name: Some(" Our tea ".to_owned()),
        ..draft("dear", 1)
    };
    phone.send(frame(7, &tea, Some(changes))).await;
    let kept = result(&mut phone, 7).await.unwrap();
    assert_eq!((kept.custom_name.as_str(), kept.draft.as_str(), kept.draft_reply_to), ("Our tea", "dear", 1));
    assert!(kept.pinned_at.is_some());
    assert_eq!(laptop.row().await.preferences, Some(kept.clone()), "G6");
    assert_eq!(ada.row(&tea).await.unwrap().preferences, Some(Preferences::default()), "G7");
    ada_stream.ping().await;
    phone.ping().await;
    let rows = |stream: &mut StreamClient| {
        let is_row = |frame: &ServerKind| matches!(frame, ServerKind::SyncConversation(_));
        stream.take_mail().iter().filter(|frame| is_row(frame)).count()
    };
    assert_eq!((rows(&mut ada_stream), rows(&mut phone)), (0, 0), "G7, and no row to who has the answer");

    let scene = scene.restart(None, |_| {}).await;
    let ben = scene.session(ben.person.clone()).await;
    assert_eq!(ben.row(&tea).await.unwrap().preferences, Some(kept), "G1");
}

#[tokio::test]
async fn a_message_brings_an_archived_conversation_back_on_every_device() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    set(&ben, &tea, archive()).await.unwrap();
    let mut streams = [ben.stream().await, scene.another_session(&ben).await.stream().await];
    ada.says(&tea, "come back").await;
    for stream in &mut streams {
        assert_eq!(stream.event().await.seq, 2);
        let row = stream.row().await;
        assert_eq!((row.preferences, row.unread), (Some(Preferences::default()), 1), "G6");
    }
}

#[tokio::test]
async fn changes_of_one_stream_keep_their_order() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let texts: Vec<String> = (0..16).map(|number| format!("draft {number}")).collect();
    let frames = texts.iter().zip(0..).map(|(text, id)| frame(id, &tea, Some(draft(text, 0))));
    stream.send_all(frames).await;
    for (text, id) in texts.iter().zip(0..) {
        assert_eq!(result(&mut stream, id).await.unwrap().draft, *text);
    }
    assert_eq!(ada.row(&tea).await.unwrap().preferences.unwrap().draft, "draft 15");
}

#[tokio::test]
async fn what_was_read_before_a_conversation_is_marked_unread_leaves_it_so() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "two").await;
    let mut phone = ben.stream().await;
    let read = |seq| ClientKind::Read(Read { conversation_id: tea.clone(), seq });
    let unread = PreferenceChanges { marked_unread: Some(true), ..PreferenceChanges::default() };
    phone.send(read(1)).await;
    eventually("the first mark is kept", PATIENCE, async || mark(&ben, &tea).await.0 == 1).await;
    phone.send_all([read(2), frame(1, &tea, Some(unread))]).await;
    assert!(result(&mut phone, 1).await.unwrap().marked_unread);
    eventually("the second mark is kept", PATIENCE, async || mark(&ben, &tea).await.0 == 2).await;
    assert_eq!(mark(&ben, &tea).await, (2, true), "a mark said before overtook the change");
    phone.send(read(2)).await;
    ada.says(&tea, "three").await;
    phone.send(read(3)).await;
    eventually("what is read later clears it", PATIENCE, async || mark(&ben, &tea).await == (3, false)).await;
}

/// Up to where it is read, and whether it is marked unread.
async fn mark(user: &User, conversation: &str) -> (u64, bool) {
    let row = user.row(conversation).await.expect("a row");
    (row.marks.expect("marks").read, row.preferences.expect("preferences").marked_unread)
}

#[tokio::test]
async fn bad_changes_change_nothing_and_are_told_why() {
    let scene = Scene::start().await;
    let (ada, eve) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    for ((changes, wanted), id) in bad().into_iter().zip(1..) {
        assert_eq!(reason(set(&ada, &tea, changes.clone()).await), wanted, "{changes:?}");
        stream.send(frame(id, &tea, Some(changes))).await;
        assert_eq!(result(&mut stream, id).await, Err(wanted), "the same on the stream");
    }
    for (id, conversation, changes, wanted) in [
        (11, &*tea, None, ErrorReason::FieldInvalid),
        (12, "tea", Some(archive()), ErrorReason::FieldInvalid),
        (13, &*compose::op(), Some(archive()), ErrorReason::ConversationNotFound),
    ] {
        stream.send(frame(id, conversation, changes)).await;
        assert_eq!(result(&mut stream, id).await, Err(wanted), "{conversation}");
    }
    assert_eq!(reason(set(&eve, &tea, archive()).await), ErrorReason::ConversationNotFound, "G7");
    let largest = draft(&"x".repeat(8 * 1024), 1);
    assert_eq!(set(&ada, &tea, largest).await.unwrap().draft.len(), 8 * 1024);
    assert_eq!(set(&ada, &tea, draft("", 1)).await.unwrap(), Preferences::default(), "empty removes it");
}

#[tokio::test]
async fn the_fifty_first_pin_is_refused() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let pin = |on| PreferenceChanges { pinned: Some(on), ..PreferenceChanges::default() };
    let mut groups = Vec::new();
    for _ in 0..51 {
        groups.push(ada.group(&[]).await);
    }
    for group in &groups[..50] {
        set(&ada, group, pin(true)).await.unwrap();
    }
    assert_eq!(reason(set(&ada, &groups[50], pin(true)).await), ErrorReason::TooManyPinned);
    set(&ada, &groups[0], pin(true)).await.unwrap();
    set(&ada, &groups[0], pin(false)).await.unwrap();
    assert!(set(&ada, &groups[50], pin(true)).await.unwrap().pinned_at.is_some());
}

#[tokio::test]
async fn g8_more_changes_than_can_wait_are_refused_and_the_stream_goes_on() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let flood = (0..60).map(|id| frame(id, &tea, Some(draft(&"x".repeat(900), 0))));
    stream.send_all(flood).await;
    let mut refused = 0;
    for id in 0..60 {
        match result(&mut stream, id).await {
            Ok(_) => {}
            Err(ErrorReason::Overloaded) => refused += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(refused > 0, "G8: all 60 waited");
    stream.ping().await;
}
