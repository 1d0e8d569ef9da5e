//! G4: what one session sends to one conversation keeps its order, also across rejections.

use parlor_testkit::{StreamClient, compose};
use parlor_wire::chat::v1::Append;
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::{Scene, User, body, outcome};

fn thirty(conversation: &str) -> Vec<Append> {
    (0..30).map(|n| compose::text(conversation, 1, &format!("{n}"))).collect()
}

type Answer = Result<(u64, bool), (ErrorReason, u32)>;

/// Sends all in one message, and gives the answers.
async fn pipeline(stream: &mut StreamClient, appends: &[Append]) -> Vec<Answer> {
    stream.send_all(appends.iter().cloned().map(ClientKind::Append)).await;
    let mut answers = Vec::new();
    for append in appends {
        answers.push(outcome(stream.result_of(&append.op).await));
    }
    answers
}

async fn texts(user: &User, conversation: &str) -> Vec<String> {
    let log = user.log(conversation).await.expect("a member reads");
    log.iter().map(body).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// The tenth is refused; everything after it has to be sent again with the new lane number.
async fn refused_in_the_middle(stream: &mut StreamClient, appends: &mut [Append], reason: ErrorReason) {
    let answers = pipeline(stream, appends).await;
    let stored: Vec<Answer> = (2..12).map(|seq| Ok((seq, false))).collect();
    assert_eq!(answers[..10], stored);
    assert_eq!(answers[10], Err((reason, 1)));
    for answer in &answers[11..] {
        assert!(matches!(answer, Err((ErrorReason::OutOfOrder, _))), "G4: {answer:?}");
    }
    let early = pipeline(stream, &appends[20..22]).await;
    assert!(early.iter().all(|answer| matches!(answer, Err((ErrorReason::OutOfOrder, _)))), "G4: {early:?}");

    let rest = &mut appends[11..];
    rest.iter_mut().for_each(|append| append.lane = 1);
    let stored: Vec<Answer> = (12..31).map(|seq| Ok((seq, false))).collect();
    assert_eq!(pipeline(stream, rest).await, stored, "G4");
}

#[tokio::test]
async fn g4_after_a_malformed_append_the_rest_waits_to_be_resent() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (tea, coffee) = (ada.group(&[]).await, ada.group(&[]).await);
    let mut stream = ada.stream().await;
    let mut appends = thirty(&tea);
    appends[10] = compose::text(&tea, 1, "");
    refused_in_the_middle(&mut stream, &mut appends, ErrorReason::FieldInvalid).await;
    let wanted: Vec<String> = (0..30).filter(|n| *n != 10).map(|n| n.to_string()).collect();
    assert_eq!(texts(&ada, &tea).await, wanted, "G4");

    let elsewhere = compose::text(&coffee, 1, "another conversation is another lane");
    assert_eq!(outcome(stream.append(elsewhere).await), Ok((2, false)));
    let by_call = compose::text(&tea, 1, "calls have no lanes");
    assert_eq!(ada.append(&by_call).await.unwrap().seq, 31);
}

#[tokio::test]
async fn g4_after_one_that_is_not_allowed_the_rest_waits_to_be_resent() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    let mut stream = ben.stream().await;
    let mut appends = thirty(&tea);
    appends[10] = compose::append(&tea, 1, compose::rename("Coffee"));
    refused_in_the_middle(&mut stream, &mut appends, ErrorReason::RoleInsufficient).await;
}

/// Adding people asks another service first; what is sent after it must not pass it.
#[tokio::test]
async fn g4_an_append_that_has_to_be_looked_into_holds_up_those_behind_it() {
    let scene = Scene::start().await;
    let (ada, ben, gone) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let mut appends = thirty(&tea);
    appends[5] = compose::append(&tea, 1, compose::add(&[ben.id()]));
    let stored: Vec<Answer> = (2..32).map(|seq| Ok((seq, false))).collect();
    assert_eq!(pipeline(&mut stream, &appends).await, stored, "G4");
    assert_eq!(texts(&ben, &tea).await, (6..30).map(|n| n.to_string()).collect::<Vec<_>>());

    scene.auth.forget(gone.person.caller.user_id);
    let coffee = ada.group(&[]).await;
    let mut appends = thirty(&coffee);
    appends[10] = compose::append(&coffee, 1, compose::add(&[gone.id()]));
    refused_in_the_middle(&mut stream, &mut appends, ErrorReason::UserNotFound).await;
}

#[tokio::test]
async fn g4_a_new_stream_begins_a_new_lane() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let [bad, good] = [compose::text(&tea, 1, ""), compose::text(&tea, 1, "good")];
    let answers = pipeline(&mut stream, &[bad, good.clone()]).await;
    assert_eq!(answers, [Err((ErrorReason::FieldInvalid, 1)), Err((ErrorReason::OutOfOrder, 1))]);
    let mut stream = ada.stream().await;
    assert_eq!(outcome(stream.append(good).await), Ok((2, false)));
}
