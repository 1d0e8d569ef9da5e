//! Subscribe with Push: the same session, for callers that cannot stream upwards.

use parlor_testkit::{ChatClient, StreamClient, compose, reason};
use parlor_types::StreamId;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::fetch_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Ack, Append, ClientFrame, Hello, Ping, PushRequest, Read, SubscribeRequest};
use parlor_wire::errors::v1::ErrorReason;
use prost::Message as _;
use tonic::Status;

use crate::support::{Scene, body, hello, outcome, places, seqs};

fn push(stream_id: &str, number: u64, kinds: impl IntoIterator<Item = Out>) -> PushRequest {
    let encode = |kind| ClientFrame { kind: Some(kind) }.encode_to_vec().into();
    PushRequest { stream_id: stream_id.to_owned(), number, frames: kinds.into_iter().map(encode).collect() }
}

async fn pushed(chat: &ChatClient, request: PushRequest) -> Result<(), Status> {
    chat.clone().push(request).await.map(drop)
}

#[tokio::test]
async fn a_subscription_is_a_session_like_any_other() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.says(&tea, "before").await;
    let mut stream = StreamClient::subscribe(&ben.chat, hello()).await.unwrap();
    let welcome = stream.welcomed().await;
    assert_eq!(welcome.session_id, ben.person.caller.session_id.to_string());
    let (rows, cursor) = stream.synced().await;
    assert_eq!((rows.len(), rows[0].head), (1, 2));
    stream.ping().await;

    let append = compose::text(&tea, 2, "pushed");
    assert_eq!(outcome(stream.append(append.clone()).await), Ok((3, false)));
    assert_eq!(outcome(stream.append(append).await), Ok((3, true)), "G2");
    ada.says(&tea, "answered").await;
    let events = [stream.event().await, stream.event().await];
    assert_eq!(events.each_ref().map(body), ["pushed", "answered"], "G6");
    match stream.fetch(&tea, 1, 2).await.outcome {
        Some(Outcome::Page(page)) => assert_eq!(seqs(&page.entries), [1, 2]),
        other => panic!("{other:?}"),
    }
    stream.send(Out::Read(Read { conversation_id: tea.clone(), seq: 4 })).await;
    parlor_testkit::eventually("the mark is raised", parlor_testkit::PATIENCE, async || {
        places(&ben.row(&tea).await.unwrap().marks) == (4, 4)
    })
    .await;

    let mut again = StreamClient::subscribe(&ben.chat, Hello { cursor, ..hello() }).await.unwrap();
    again.welcomed().await;
    let (rows, _) = again.synced().await;
    assert_eq!((rows.len(), rows[0].head, rows[0].unread), (1, 4, 0), "G5");
    assert_eq!(stream.end().await.reason(), (ErrorReason::Displaced, false));
}

#[tokio::test]
async fn g4_pushes_that_overtake_each_other_are_put_in_order_and_count_once() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = StreamClient::subscribe(&ada.chat, hello()).await.unwrap();
    let id = stream.welcomed().await.stream_id;
    stream.auto_ack(false);
    let texts: Vec<Append> = (0..4).map(|n| compose::text(&tea, 1, &format!("{n}"))).collect();
    let of = |number: u64| {
        let append = texts[usize::try_from(number - 1).unwrap()].clone();
        push(&id, number, [Out::Append(append), Out::Ping(Ping { nonce: number })])
    };
    for number in [3, 2, 2, 4, 1, 1, 3] {
        pushed(&ada.chat, of(number)).await.unwrap();
    }
    for (append, seq) in texts.iter().zip(2..) {
        assert_eq!(outcome(stream.result_of(&append.op).await), Ok((seq, false)), "G4");
    }
    pushed(&ada.chat, push(&id, 5, [Out::Ping(Ping { nonce: 5 })])).await.unwrap();
    let mut pongs = Vec::new();
    while pongs.last() != Some(&5) {
        let nonce = stream.find("a Pong", |frame| match frame {
            In::Pong(pong) => Some(pong.nonce),
            _ => None,
        });
        pongs.push(nonce.await);
    }
    assert_eq!(pongs, [1, 2, 3, 4, 5], "each push counts once");

    pushed(&ada.chat, push(&id, 21, [])).await.unwrap();
    assert_eq!(reason(pushed(&ada.chat, push(&id, 22, [])).await), ErrorReason::PushAhead);
    assert_eq!(reason(pushed(&ada.chat, push(&id, u64::MAX, [])).await), ErrorReason::PushAhead);
    assert_eq!(reason(pushed(&ada.chat, push(&id, 0, [])).await), ErrorReason::FieldInvalid);
    pushed(&ada.chat, push(&id, 6, [Out::Ping(Ping { nonce: 6 })])).await.unwrap();
    stream.find("a Pong", |frame| matches!(frame, In::Pong(pong) if pong.nonce == 6).then_some(())).await;
}

#[tokio::test]
async fn g7_a_push_goes_to_an_open_stream_of_its_own_session_only() {
    let scene = Scene::start().await;
    let (ada, eve) = (scene.user().await, scene.user().await);
    let other_device = scene.another_session(&ada).await;
    let mut stream = StreamClient::subscribe(&ada.chat, hello()).await.unwrap();
    let id = stream.welcomed().await.stream_id;
    let ping = |id: &str| push(id, 1, [Out::Ping(Ping { nonce: 9 })]);
    for chat in [&eve.chat, &other_device.chat] {
        assert_eq!(reason(pushed(chat, ping(&id)).await), ErrorReason::StreamNotFound, "G7");
    }
    let unknown = StreamId::new().to_string();
    assert_eq!(reason(pushed(&ada.chat, ping(&unknown)).await), ErrorReason::StreamNotFound);
    assert_eq!(reason(pushed(&ada.chat, ping("stream")).await), ErrorReason::FieldInvalid);
    let large = push(&id, 1, vec![Out::Ping(Ping { nonce: 1 }); 20 * 1024]);
    assert_eq!(reason(pushed(&ada.chat, large).await), ErrorReason::MessageTooLarge);
    pushed(&ada.chat, ping(&id)).await.unwrap();
    stream.find("a Pong", |frame| matches!(frame, In::Pong(pong) if pong.nonce == 9).then_some(())).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_a_subscription_too() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let refused = ada.chat.clone().subscribe(SubscribeRequest { hello: None }).await.unwrap().into_inner();
    let mut silent = StreamClient::of_subscription(&ada.chat, refused);
    assert_eq!(silent.end().await.reason(), (ErrorReason::HelloExpected, false));
    let mut stream = StreamClient::subscribe(&ada.chat, Hello { protocol: 2, ..hello() }).await.unwrap();
    assert_eq!(stream.end().await.reason(), (ErrorReason::ProtocolUnsupported, false));
    let garbage = Hello { cursor: b"garbage".as_slice().into(), ..hello() };
    let mut stream = StreamClient::subscribe(&ada.chat, garbage).await.unwrap();
    assert_eq!(stream.end().await.reason(), (ErrorReason::CursorInvalid, false));
    for (kind, reason) in [
        (Out::Hello(hello()), ErrorReason::HelloRepeated),
        (Out::Ack(Ack { batch: 1_000 }), ErrorReason::AckAhead),
    ] {
        let mut stream = StreamClient::subscribe(&ada.chat, hello()).await.unwrap();
        let id = stream.welcomed().await.stream_id;
        stream.send(kind).await;
        assert_eq!(stream.end().await.reason(), (reason, false));
        let late = pushed(&ada.chat, push(&id, 2, [])).await;
        assert_eq!(parlor_testkit::reason(late), ErrorReason::StreamNotFound);
    }
}
