//! A stream on which something wrong is said: it ends with the reason, or lives on, as the protocol has it.

use std::time::Duration;

use bytes::Bytes;
use chat_svc::Config;
use parlor_testkit::{StreamClient, compose, raw_call};
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::fetch_result::Outcome;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Ack, ClientFrame, ConnectRequest, ConnectResponse, Fetch, Hello, Ping, Read, Received, ServerFrame,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use prost::Message as _;

use crate::support::{Scene, config, hello, outcome};

fn encoded(kind: Out) -> Bytes {
    ClientFrame { kind: Some(kind) }.encode_to_vec().into()
}

/// A frame whose text is not UTF-8.
fn bad_utf8() -> Bytes {
    let mut frame = encoded(Out::Append(compose::text("c0ffee", 1, "text"))).to_vec();
    let at = frame.windows(4).position(|bytes| bytes == b"text").expect("it is there");
    frame[at] = 0xff;
    frame.into()
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_stream_and_says_why() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let welcome = || encoded(Out::Hello(hello()));
    let ping = || encoded(Out::Ping(Ping { nonce: 1 }));
    let of_protocol = |protocol| encoded(Out::Hello(Hello { protocol, ..hello() }));
    let with_cursor = |cursor: &'static [u8]| encoded(Out::Hello(Hello { cursor: cursor.into(), ..hello() }));
    for (frames, reason) in [
        (vec![ping(), welcome()], ErrorReason::HelloExpected),
        (vec![Bytes::new()], ErrorReason::HelloExpected),
        (vec![welcome(), welcome()], ErrorReason::HelloRepeated),
        (vec![of_protocol(0)], ErrorReason::ProtocolUnsupported),
        (vec![of_protocol(2)], ErrorReason::ProtocolUnsupported),
        (vec![with_cursor(b"garbage")], ErrorReason::CursorInvalid),
        (vec![with_cursor(b"\x01")], ErrorReason::CursorInvalid),
        (vec![Bytes::from_static(b"\x0a\x7f")], ErrorReason::MessageMalformed),
        (vec![welcome(), ping(), Bytes::from_static(b"\xff")], ErrorReason::MessageMalformed),
        (vec![welcome(), bad_utf8()], ErrorReason::MessageMalformed),
        (vec![welcome(), encoded(Out::Ack(Ack { batch: 1_000 }))], ErrorReason::AckAhead),
        (vec![welcome(), encoded(Out::Ack(Ack { batch: u64::MAX }))], ErrorReason::AckAhead),
    ] {
        let mut stream = StreamClient::open(&ada.chat).await.unwrap();
        stream.send_bytes(frames.clone()).await;
        assert_eq!(stream.end().await.reason(), (reason, false), "{frames:?}");
    }
}

#[tokio::test]
async fn messages_that_are_none_or_too_large_end_the_stream() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let path = "/parlor.chat.v1.ChatService/Connect";
    let frames = vec![encoded(Out::Ping(Ping { nonce: 1 })); 16 * 1024];
    let large = ConnectRequest { frames }.encode_to_vec();
    assert!(large.len() > 64 * 1024);
    for (message, reason) in [
        (b"\x0a\x7f".as_slice(), ErrorReason::MessageMalformed),
        (b"\xff\xff\xff", ErrorReason::MessageMalformed),
        (&large, ErrorReason::MessageTooLarge),
    ] {
        let call = raw_call(scene.channel().await, &ada.person.token, path, message);
        let (answers, status) = call.await;
        assert_eq!(from_status(&status.expect("it ends with a reason")).reason(), reason);
        let last = ConnectResponse::decode(answers.last().expect("a Goodbye").clone()).unwrap();
        let frame = ServerFrame::decode(last.frames.last().unwrap().clone()).unwrap();
        let Some(In::Goodbye(goodbye)) = frame.kind else { panic!("{frame:?}") };
        assert_eq!((goodbye.reason(), goodbye.reconnect), (reason, false));
    }
}

#[tokio::test]
async fn who_does_not_say_hello_in_time_may_try_again() {
    let scene = Scene::with(Config { hello_within: Duration::from_millis(100), ..config() }).await;
    let ada = scene.user().await;
    let ben = scene.user().await;
    let mut greeted = ben.stream().await;
    let mut silent = StreamClient::open(&ada.chat).await.unwrap();
    assert_eq!(silent.end().await.reason(), (ErrorReason::HelloTimeout, true));
    greeted.ping().await;
}

#[tokio::test]
async fn frames_of_unknown_kinds_are_skipped() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut stream = ada.stream().await;
    // Field 19, a kind of a later release; and an empty frame.
    stream.send_bytes(vec![Bytes::from_static(b"\x9a\x01\x02hi"), Bytes::new()]).await;
    stream.ping().await;
}

#[tokio::test]
async fn marks_that_cannot_be_are_refused_and_the_stream_lives_on() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let received = |conversation_id: &str, seq| {
        Out::Received(Received { conversation_id: conversation_id.to_owned(), seq })
    };
    let read = |seq| Out::Read(Read { conversation_id: tea.clone(), seq });
    for (mark, seq, reason) in [
        (received(&tea, 2), 2, ErrorReason::SeqAhead),
        (read(u64::MAX), u64::MAX, ErrorReason::SeqAhead),
        (received("tea", 1), 1, ErrorReason::FieldInvalid),
    ] {
        stream.send(mark).await;
        let refused = stream.find("MarkRefused", |frame| match frame {
            In::MarkRefused(refused) => Some(refused.clone()),
            _ => None,
        });
        let refused = refused.await;
        assert_eq!((refused.seq, refused.problem.unwrap().reason()), (seq, reason));
    }
    stream.ping().await;
}

#[tokio::test]
async fn fetches_out_of_range_are_refused_or_cut() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    crate::support::fill(&mut stream, &tea, 1, 250, "message").await;
    for (from, to, wanted) in [
        (1, 1_000_000_000, Ok((200, 201))),
        (1_000_000_000, 0, Ok((0, 0))),
        (201, 210, Ok((10, 0))),
        (0, 0, Err(ErrorReason::FieldInvalid)),
        (2, 1, Err(ErrorReason::FieldInvalid)),
    ] {
        let answer = match stream.fetch(&tea, from, to).await.outcome.unwrap() {
            Outcome::Page(page) => Ok((page.entries.len(), page.next_seq)),
            Outcome::Problem(problem) => Err(problem.reason()),
        };
        assert_eq!(answer, wanted, "{from}..{to}");
    }
}

/// All frames of a message are taken in before the first answer can be: the test has one thread.
#[tokio::test]
async fn g8_too_many_requests_in_flight_are_refused_and_the_rest_is_done() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let appends: Vec<_> = (0..40).map(|n| compose::text(&tea, 1, &format!("{n}"))).collect();
    stream.send_all(appends.iter().cloned().map(Out::Append)).await;
    for (n, append) in appends.iter().enumerate() {
        let answer = outcome(stream.result_of(&append.op).await);
        if n < 32 {
            assert_eq!(answer, Ok((n as u64 + 2, false)));
        } else {
            assert_eq!(answer, Err((ErrorReason::TooManyInFlight, 1)));
        }
    }
    let again = parlor_wire::chat::v1::Append { lane: 1, ..appends[32].clone() };
    assert_eq!(outcome(stream.append(again).await), Ok((34, false)), "wait for answers, then resend");

    let conversation_id = || tea.clone();
    let fetch = |request_id| {
        Out::Fetch(Fetch { request_id, conversation_id: conversation_id(), from_seq: 1, to_seq: 0 })
    };
    stream.send_all((101..=105).map(fetch)).await;
    for request in 101..=105 {
        match stream.result_of_fetch(request).await.outcome.unwrap() {
            Outcome::Page(page) => assert!(request <= 102 && page.head == 34),
            Outcome::Problem(problem) => {
                assert!(request > 102);
                assert_eq!(problem.reason(), ErrorReason::TooManyInFlight);
            }
        }
    }
    assert!(matches!(stream.fetch(&tea, 34, 0).await.outcome, Some(Outcome::Page(_))));
}

#[tokio::test]
async fn bad_appends_get_their_reason_on_the_stream_too() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let tea = ada.group(&[]).await;
    let mut stream = ada.stream().await;
    let ahead = compose::text(&tea, 7, "ahead");
    for (lane, append, reason) in [
        (0, compose::text(&tea, 1, ""), ErrorReason::FieldInvalid),
        (1, compose::text(&tea, 1, "bell\u{7}"), ErrorReason::FieldInvalid),
        (2, compose::text(&tea, 1, &"x".repeat(16 * 1024 + 1)), ErrorReason::ContentTooLarge),
        (3, ahead, ErrorReason::BaseSeqAhead),
    ] {
        let append = parlor_wire::chat::v1::Append { lane, ..append };
        assert_eq!(outcome(stream.append(append).await), Err((reason, lane + 1)));
    }
    let nowhere = stream.append(compose::text("tea", 1, "no id")).await;
    assert_eq!(
        (outcome(nowhere.clone()), nowhere.conversation_id.as_str()),
        (Err((ErrorReason::FieldInvalid, 0)), "tea")
    );
}
