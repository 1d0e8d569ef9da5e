//! G8: who floods is answered in words a program can use, others are served meanwhile as ever, and the server keeps nothing of
//! it.
//!
//! `PARLOR_FLOOD` says how many frames a flood has.

mod connections;
mod never_read;
mod rates;
mod refused;
mod scene;
mod uploads;

use parlor_testkit::StreamClient;
use parlor_tests::number;
use parlor_types::UserId;
use parlor_types::limits::MAX_WATCHED;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Activity, Draft, PreferenceChanges, Read, Received, RequestContactRequest, SetActive, SetPreferences,
    SetTyping, Watch,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::presence::v1::WatchRequest;
use parlor_wire::reason::from_status;

use scene::Scene;

/// Frames of a flood, if `PARLOR_FLOOD` does not say.
const FLOOD: usize = 10_000;
/// Frames sent before the answers to them are taken in: as many as one message holds of the largest.
const AT_ONCE: usize = 8;
/// What the server's memory may grow by under a flood that follows one of a tenth of its size, after which all buffers are as
/// large as they get. What is sent meanwhile is more than twice as much in each flood of large frames, so none of it is kept;
/// the allocator keeps some of what it once had.
const GROWTH: u64 = 32 << 20;

/// The frames of a flood, by number.
type Flood = Box<dyn Fn(usize) -> Frame>;

fn floods(scene: &Scene) -> Vec<(&'static str, Flood)> {
    let (own, not_theirs) = (scene.group.clone(), scene.not_theirs.clone());
    let (typing_in, marks_in, drafts_in) = (own.clone(), own.clone(), own.clone());
    let users: Vec<String> = (0..MAX_WATCHED).map(|_| UserId::new().to_string()).collect();
    let draft = |number: usize| {
        let text = format!("{number} {}", "x".repeat(7 * 1024));
        PreferenceChanges { draft: Some(Draft { text, reply_to: 0 }), ..PreferenceChanges::default() }
    };
    vec![
        ("Watch", Box::new(move |_| Frame::Watch(Watch { user_ids: users.clone() }))),
        (
            "SetTyping",
            Box::new(move |number| {
                let activity = [Activity::Typing, Activity::Unspecified, Activity::Recording][number % 3];
                let conversation_id = typing_in.clone();
                Frame::SetTyping(SetTyping { conversation_id, activity: activity.into() })
            }),
        ),
        (
            "Received to come",
            Box::new(move |number| {
                let (conversation_id, seq) = (marks_in.clone(), 1_000_000 + number as u64);
                Frame::Received(Received { conversation_id, seq })
            }),
        ),
        (
            "Read elsewhere",
            Box::new(move |_| Frame::Read(Read { conversation_id: not_theirs.clone(), seq: 1 })),
        ),
        (
            "SetPreferences",
            Box::new(move |number| {
                let (request_id, conversation_id) = (number as u64, drafts_in.clone());
                let changes = Some(draft(number));
                Frame::SetPreferences(SetPreferences { request_id, conversation_id, changes })
            }),
        ),
        ("SetActive", Box::new(move |number| Frame::SetActive(SetActive { foreground: number % 2 == 0 }))),
    ]
}

/// Sends them, and takes in what is answered.
async fn send(stream: &mut StreamClient, flood: &Flood, count: usize) {
    for from in (0..count).step_by(AT_ONCE) {
        stream.send_all((from..count.min(from + AT_ONCE)).map(flood)).await;
        stream.ping().await;
        stream.take_mail();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_floods_of_frames_cost_others_nothing_and_the_server_no_memory() {
    let count = number("PARLOR_FLOOD").unwrap_or(FLOOD);
    let mut scene = Scene::new().await;
    let (mut stream, _) = StreamClient::connect(&scene.mallory.chat(), b"").await;
    stream.synced().await;
    for (what, flood) in floods(&scene) {
        send(&mut stream, &flood, count / 10).await;
        let before = scene.server.resident_bytes();
        let sending = send(&mut stream, &flood, count);
        let ((), meanwhile) = scene.undisturbed(&format!("{count} {what}"), sending).await;
        let after = scene.server.resident_bytes();
        let grown = after.saturating_sub(before);
        println!("{what}: memory {} MiB, grown by {} KiB; {meanwhile:?}", after >> 20, grown >> 10);
        assert!(grown < GROWTH, "G8: {count} {what} make the server grow by {} MiB", grown >> 20);
    }
    // The flooder's own stream is served as ever, too.
    stream.send(Frame::SetActive(SetActive { foreground: true })).await;
    stream.send(Frame::Watch(Watch { user_ids: vec![scene.ben.id()] })).await;
    let ben = scene.ben.id();
    stream.find("the presence of Ben", |frame| told(frame, &ben)).await;
}

/// Drafts are almost as large as they may be, and so is what answers them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_answers_that_nobody_takes_in_are_not_kept() {
    let count = number("PARLOR_FLOOD").unwrap_or(FLOOD);
    let mut scene = Scene::new().await;
    let (_, flood) = floods(&scene).into_iter().find(|(what, _)| *what == "SetPreferences").expect("a flood");
    let before = scene.server.resident_bytes();
    let (mut stream, _) = StreamClient::connect(&scene.mallory.chat(), b"").await;
    let silent = async {
        for from in (0..count).step_by(AT_ONCE) {
            stream.send_all((from..count.min(from + AT_ONCE)).map(&flood)).await;
        }
    };
    scene.undisturbed(&format!("{count} SetPreferences whose answers nobody reads"), silent).await;
    let grown = scene.server.resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH, "G8: answers that are not read make the server grow by {} MiB", grown >> 20);
    println!("grown by {} KiB", grown >> 10);
    // Who comes back and listens is served as ever.
    let (mut stream, _) = StreamClient::connect(&scene.mallory.chat(), b"").await;
    stream.synced().await;
    stream.send(flood(0)).await;
    stream.find("the answer", |frame| matches!(frame, In::PreferencesResult(_)).then_some(())).await;
}

fn told(frame: &In, user: &str) -> Option<()> {
    let In::PresenceChanged(changed) = frame else { return None };
    changed.presence.as_ref().filter(|presence| presence.user_id == user).map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g8_floods_of_calls_are_told_to_come_back() {
    let count = number("PARLOR_FLOOD").unwrap_or(FLOOD) / 10;
    let mut scene = Scene::new().await;
    let (mallory, ada) = (scene.mallory.clone(), scene.ada.id());
    let requests = async {
        let mut served = 0;
        for number in 0..count {
            let request = RequestContactRequest { user_id: ada.clone(), note: format!("please {number}") };
            match mallory.people().request_contact(request).await {
                Ok(_) => served += 1,
                Err(status) => {
                    assert_eq!(from_status(&status).reason(), ErrorReason::RateLimited, "{status:?}")
                }
            }
        }
        served
    };
    let (served, _) = scene.undisturbed(&format!("{count} requests to be a contact"), requests).await;
    assert!(served > 0 && served < count, "{served} of {count} were served");

    let mallory = scene.mallory.clone();
    let watches = async {
        let mut held = Vec::new();
        for _ in 0..count {
            let request = WatchRequest { user_ids: vec![UserId::new().to_string()] };
            match mallory.presence().watch(request).await {
                Ok(watch) => held.push(watch),
                Err(status) => {
                    assert_eq!(from_status(&status).reason(), ErrorReason::RateLimited, "{status:?}")
                }
            }
        }
        held.len()
    };
    let (held, _) = scene.undisturbed(&format!("{count} watches"), watches).await;
    assert!(held > 0 && held <= 10, "G8: {held} watches of one user at once");
}
