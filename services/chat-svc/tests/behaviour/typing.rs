//! Who types, just now: shown to the other members who are there, and to nobody else (G7); a flood of it costs the others
//! nothing (G8).

use parlor_testkit::{StreamClient, compose, in_time};
use parlor_types::ConversationId;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::people_service_client::PeopleServiceClient;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Activity, BlockUserRequest, Refused, SetTyping, Typing};
use parlor_wire::errors::v1::ErrorReason;

use tonic::Request;

use crate::support::{Scene, User, body, hello};

fn does(conversation: &str, activity: Activity) -> Out {
    Out::SetTyping(SetTyping { conversation_id: conversation.to_owned(), activity: activity.into() })
}

async fn typing(stream: &mut StreamClient) -> Typing {
    let typing = |frame: &In| if let In::Typing(typing) = frame { Some(typing.clone()) } else { None };
    stream.find("Typing", typing).await
}

async fn refused(stream: &mut StreamClient) -> Refused {
    let refused = |frame: &In| if let In::Refused(refused) = frame { Some(refused.clone()) } else { None };
    stream.find("Refused", refused).await
}

/// Everything of it that has come, and nobody asked for.
async fn left(stream: &mut StreamClient) -> Vec<Typing> {
    stream.ping().await;
    let typing = |frame| if let In::Typing(typing) = frame { Some(typing) } else { None };
    stream.take_mail().into_iter().filter_map(typing).collect()
}

async fn block(scene: &Scene, by: &User, whom: &User) {
    let mut request = Request::new(BlockUserRequest { user_id: whom.id() });
    let bearer = format!("Bearer {}", by.person.token).parse().expect("a token is text for a header");
    request.metadata_mut().insert("authorization", bearer);
    let mut people = PeopleServiceClient::new(scene.channel().await);
    people.block_user(request).await.expect("anybody may be blocked");
}

fn seconds(typing: &Typing) -> f64 {
    let left = typing.expires_after.unwrap_or_default();
    left.seconds as f64 + f64::from(left.nanos) / 1e9
}

#[tokio::test]
async fn g7_it_is_shown_on_all_devices_of_the_other_members_and_nowhere_else() {
    let scene = Scene::start().await;
    let (ada, ben, eve) = (scene.user().await, scene.user().await, scene.user().await);
    let (ada_too, ben_too) = (scene.another_session(&ada).await, scene.another_session(&ben).await);
    let tea = ada.group(&[&ben]).await;
    ada.group(&[&eve]).await;
    let (mut typing_one, mut own, mut strange) =
        (ada.stream().await, ada_too.stream().await, eve.stream().await);
    let mut here = ben.stream().await;
    let mut there = StreamClient::subscribe(&ben_too.chat, hello()).await.unwrap();
    there.welcomed().await;
    there.synced().await;
    for (activity, shown) in [(Activity::Recording, 5.0..=6.0), (Activity::Unspecified, 0.0..=0.0)] {
        typing_one.send(does(&tea, activity)).await;
        for stream in [&mut here, &mut there] {
            let told = typing(stream).await;
            assert_eq!((told.conversation_id.as_str(), &told.user_id), (tea.as_str(), &ada.id()));
            assert_eq!(told.activity(), activity);
            assert!(shown.contains(&seconds(&told)), "{told:?}");
        }
    }
    // The second was told once the first had been told to all.
    for stream in [&mut typing_one, &mut own, &mut strange] {
        assert_eq!(left(stream).await, [], "G7");
    }
}

#[tokio::test]
async fn g8_a_flood_is_shown_once_and_its_stream_goes_on() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (tea, coffee) = (ada.group(&[&ben]).await, ada.group(&[&ben]).await);
    let (mut flooding, mut reading) = (ada.stream().await, ben.stream().await);
    for _ in 0..10 {
        flooding.send_all((0..100).map(|_| does(&tea, Activity::Typing))).await;
    }
    let said = in_time("an answer", flooding.append(compose::text(&coffee, 1, "in between"))).await;
    assert_eq!(crate::support::outcome(said), Ok((2, false)), "G8");
    assert_eq!(body(&reading.event().await), "in between");
    assert_eq!(typing(&mut reading).await.activity(), Activity::Typing);
    flooding.send(does(&tea, Activity::Unspecified)).await;
    assert_eq!(typing(&mut reading).await.activity(), Activity::Unspecified, "one, however many were sent");
    assert_eq!(left(&mut reading).await, []);

    let nowhere = |_| does(&ConversationId::new().to_string(), Activity::Typing);
    flooding.send_all((0..1_000).map(nowhere)).await;
    assert_eq!(refused(&mut flooding).await.frame, "set_typing");
    flooding.ping().await;
    assert!(flooding.take_mail().len() < 1_000, "G8: what is refused faster than it is read is not kept");
}

#[tokio::test]
async fn g7_in_a_conversation_of_others_it_is_refused_as_in_one_that_is_not() {
    let scene = Scene::start().await;
    let (ada, ben, eve) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    let mut listening = ada.stream().await;
    for somebody in [&ben, &eve] {
        let mut stream = somebody.stream().await;
        let mut answers = Vec::new();
        for id in [tea.clone(), ConversationId::new().to_string()] {
            stream.send(does(&id, Activity::Typing)).await;
            answers.push(refused(&mut stream).await);
        }
        assert_eq!(answers[0].problem.as_ref().unwrap().reason(), ErrorReason::ConversationNotFound);
        assert_eq!(answers[0], answers[1], "G7");
    }
    assert_eq!(left(&mut listening).await, [], "G7");
}

#[tokio::test]
async fn what_is_no_activity_or_no_conversation_is_refused() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    for (conversation_id, activity, field) in [
        (tea.clone(), 3, "activity"),
        (tea, -1, "activity"),
        ("tea".to_owned(), 1, "conversation_id"),
        (String::new(), 1, "conversation_id"),
    ] {
        stream.send(Out::SetTyping(SetTyping { conversation_id, activity })).await;
        let problem = refused(&mut stream).await.problem.unwrap();
        assert_eq!(
            (problem.reason(), problem.violations[0].field.as_str()),
            (ErrorReason::FieldInvalid, field)
        );
    }
    stream.ping().await;
}

#[tokio::test]
async fn who_comes_later_sees_what_goes_on_until_a_message_ends_it() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cem]).await;
    let (mut writing, mut witness) = (ada.stream().await, cem.stream().await);
    writing.send(does(&tea, Activity::Typing)).await;
    typing(&mut witness).await;
    let mut later = ben.stream().await;
    let told = typing(&mut later).await;
    assert_eq!((told.user_id.as_str(), told.activity()), (ada.id().as_str(), Activity::Typing));
    assert!(seconds(&told) > 0.0 && seconds(&told) <= 6.0, "{told:?}");
    ada.says(&tea, "done").await;
    assert_eq!(body(&later.event().await), "done");
    let mut last = scene.another_session(&ben).await.stream().await;
    assert_eq!(left(&mut last).await, [], "the message ended it");
    // Clients end it with the message; the next begins at once.
    assert_eq!(left(&mut later).await, []);
    writing.send(does(&tea, Activity::Typing)).await;
    assert_eq!(typing(&mut later).await.activity(), Activity::Typing);
}

#[tokio::test]
async fn g7_who_is_removed_meanwhile_sees_no_more_of_it_and_is_seen_no_more() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cem]).await;
    let (mut of_ada, mut of_ben, mut of_cem) = (ada.stream().await, ben.stream().await, cem.stream().await);
    of_ada.send(does(&tea, Activity::Typing)).await;
    typing(&mut of_ben).await;
    typing(&mut of_cem).await;
    of_ben.send(does(&tea, Activity::Recording)).await;
    assert_eq!(typing(&mut of_cem).await.user_id, ben.id());
    assert_eq!(typing(&mut of_ada).await.user_id, ben.id());
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    for stream in [&mut of_ada, &mut of_cem] {
        let told = typing(stream).await;
        assert_eq!((told.user_id, told.activity), (ben.id(), 0), "somebody who is gone does not type");
    }
    of_ada.send(does(&tea, Activity::Unspecified)).await;
    assert_eq!(typing(&mut of_cem).await.user_id, ada.id());
    assert_eq!(left(&mut of_ben).await, [], "G7");
    let mut again = scene.another_session(&ben).await.stream().await;
    assert_eq!(left(&mut again).await, [], "G7");
}

#[tokio::test]
async fn between_two_of_whom_one_has_blocked_the_other_nothing_is_shown() {
    let scene = Scene::start().await;
    let (ada, ben, cem) = (scene.user().await, scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben, &cem]).await;
    let (mut of_ada, mut of_ben, mut of_cem) = (ada.stream().await, ben.stream().await, cem.stream().await);
    of_ada.send(does(&tea, Activity::Typing)).await;
    typing(&mut of_cem).await;
    assert_eq!(typing(&mut of_ben).await.activity(), Activity::Typing);
    block(&scene, &ben, &ada).await;
    let over = typing(&mut of_ben).await;
    assert_eq!((over.user_id, over.activity), (ada.id(), 0), "as if she had stopped");
    of_ada.send(does(&tea, Activity::Unspecified)).await;
    assert_eq!(typing(&mut of_cem).await.activity(), Activity::Unspecified);
    of_ben.send(does(&tea, Activity::Typing)).await;
    assert_eq!(typing(&mut of_cem).await.user_id, ben.id());
    let mut later = scene.another_session(&ada).await.stream().await;
    for stream in [&mut of_ada, &mut of_ben, &mut later] {
        assert_eq!(left(stream).await, []);
    }
    // What begins anew is shown to the third alone.
    ada.says(&tea, "a message begins anew").await;
    of_ada.send(does(&tea, Activity::Recording)).await;
    assert_eq!(typing(&mut of_cem).await.activity(), Activity::Recording);
    assert_eq!(left(&mut of_ben).await, []);
}
