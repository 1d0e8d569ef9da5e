//! G7: of a conversation one never was in, and of a stream of others, one learns nothing: the answer is, byte for byte,
//! that for an id which does not exist.

use parlor_testkit::compose;
use parlor_types::{ConversationId, StreamId, UserId};
use parlor_wire::chat::v1::client_frame::Kind as ClientKind;
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::get_conversation_request::Conversation as GetNamed;
use parlor_wire::chat::v1::list_messages_request::{Conversation as ListNamed, Start};
use parlor_wire::chat::v1::server_frame::Kind as ServerKind;
use parlor_wire::chat::v1::{
    Append, Fetch, FetchRequest, GetConversationRequest, GetReceiptsRequest, HistoryVisibility,
    ListMessagesRequest, MarkReadRequest, MarkReceivedRequest, PreferenceChanges, PreferencesResult,
    PushRequest, Read, Received, Role, SetPreferences, SetPreferencesRequest, Text, append_result,
    fetch_result, preferences_result,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tonic::{Code, Status};

use crate::support::{Scene, User};

/// All that a caller can see of a refusal.
fn seen<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String, Vec<u8>) {
    let status = result.expect_err("a stranger gets nothing");
    assert_eq!(from_status(&status).reason(), ErrorReason::ConversationNotFound, "{status:?}");
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

/// Every kind that a client may append, with people who exist and people who do not.
fn kinds(member: &User, stranger: &User) -> Vec<Kind> {
    let nobody = UserId::new().to_string();
    vec![
        Kind::Text(Text { body: "hello".to_owned() }),
        compose::add(&[stranger.id()]),
        compose::add(&[nobody]),
        compose::remove(&[member.id()]),
        compose::leave(),
        compose::rename("Mine"),
        compose::history(HistoryVisibility::All),
        compose::set_role(&stranger.id(), Role::Owner),
    ]
}

fn appends(conversation: &str, member: &User, stranger: &User) -> Vec<Append> {
    let of_base = |base_seq| {
        kinds(member, stranger).into_iter().map(move |kind| compose::append(conversation, base_seq, kind))
    };
    let mut all: Vec<Append> = [0, 1, 2, 99, u64::MAX].into_iter().flat_map(of_base).collect();
    let mut reply = compose::text(conversation, 1, "hello");
    reply.reply_to = 1;
    reply.mention_ids = vec![member.id()];
    all.push(reply);
    all
}

/// What a stranger sees of every unary call with this conversation id.
async fn unary_answers(
    stranger: &User,
    id: &str,
    with_user: &str,
    appends: &[Append],
) -> Vec<(Code, String, Vec<u8>)> {
    let conversation_id = || id.to_owned();
    let mut chat = stranger.chat.clone();
    let mut all = Vec::new();
    for append in appends {
        all.push(seen(stranger.append(append).await));
    }
    for (from_seq, to_seq) in [(1, 0), (1, 1), (99, 0)] {
        let request = FetchRequest { conversation_id: conversation_id(), from_seq, to_seq };
        all.push(seen(chat.fetch(request).await));
    }
    let time = Some(Start::Time(parlor_wire::to_time(std::time::SystemTime::now())));
    for start in [None, Some(Start::Seq(1)), time] {
        for named in
            [ListNamed::ConversationId(conversation_id()), ListNamed::WithUserId(with_user.to_owned())]
        {
            let request =
                ListMessagesRequest { conversation: Some(named), start, ..ListMessagesRequest::default() };
            all.push(seen(chat.list_messages(request).await));
        }
    }
    for named in [GetNamed::ConversationId(conversation_id()), GetNamed::WithUserId(with_user.to_owned())] {
        all.push(seen(chat.get_conversation(GetConversationRequest { conversation: Some(named) }).await));
    }
    for seq in [0, 1, 99] {
        let request = MarkReceivedRequest { conversation_id: conversation_id(), seq };
        all.push(seen(chat.mark_received(request).await));
        let request = MarkReadRequest { conversation_id: conversation_id(), seq };
        all.push(seen(chat.mark_read(request).await));
        let request = GetReceiptsRequest { conversation_id: conversation_id(), seq };
        all.push(seen(chat.get_receipts(request).await));
    }
    let changes = Some(PreferenceChanges { archived: Some(true), ..PreferenceChanges::default() });
    let request = SetPreferencesRequest { conversation_id: conversation_id(), changes };
    all.push(seen(chat.set_preferences(request).await));
    all
}

#[tokio::test]
async fn g7_every_call_answers_a_stranger_as_if_there_were_no_such_conversation() {
    let scene = Scene::start().await;
    let (ada, ben, eve) = (scene.user().await, scene.user().await, scene.user().await);
    let group = ada.group(&[&ben]).await;
    ada.says(&group, "not for Eve").await;
    let (direct, _) = ada.create(compose::direct(&ben.id())).await.unwrap();
    let unknown = ConversationId::new().to_string();
    for id in [group, direct.id] {
        let of_it = unary_answers(&eve, &id, &ada.id(), &appends(&id, &ada, &eve)).await;
        let of_none =
            unary_answers(&eve, &unknown, &UserId::new().to_string(), &appends(&unknown, &ada, &eve)).await;
        assert_eq!(of_it, of_none, "G7");
        assert_eq!(ada.row(&id).await.unwrap().member_count, 2);
    }
}

#[tokio::test]
async fn g7_the_stream_answers_a_stranger_as_if_there_were_no_such_conversation() {
    let scene = Scene::start().await;
    let (ada, eve) = (scene.user().await, scene.user().await);
    let group = ada.group(&[]).await;
    let unknown = ConversationId::new().to_string();
    let mut stream = eve.stream().await;
    let mut answers = Vec::new();
    for id in [&group, &unknown] {
        let mut seen = Vec::new();
        for append in appends(id, &ada, &eve) {
            let result = stream.append(append).await;
            match result.outcome {
                Some(append_result::Outcome::Problem(problem)) => seen.push((problem, result.lane)),
                other => panic!("G7: {other:?}"),
            }
        }
        for mark in [
            ClientKind::Received(Received { conversation_id: id.clone(), seq: 1 }),
            ClientKind::Read(Read { conversation_id: id.clone(), seq: 1 }),
        ] {
            stream.send(mark).await;
            let refused = stream.find("MarkRefused", |frame| match frame {
                ServerKind::MarkRefused(refused) => refused.problem.clone(),
                _ => None,
            });
            seen.push((refused.await, 0));
        }
        let changes = Some(PreferenceChanges { pinned: Some(true), ..PreferenceChanges::default() });
        let request = SetPreferences { request_id: 1, conversation_id: id.clone(), changes };
        stream.send(ClientKind::SetPreferences(request)).await;
        let refused = stream.find("PreferencesResult", |frame| match frame {
            ServerKind::PreferencesResult(PreferencesResult {
                outcome: Some(preferences_result::Outcome::Problem(problem)),
                ..
            }) => Some(problem.clone()),
            _ => None,
        });
        seen.push((refused.await, 0));
        match stream.fetch(id, 1, 0).await.outcome {
            Some(fetch_result::Outcome::Problem(problem)) => seen.push((problem, 0)),
            other => panic!("G7: {other:?}"),
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1], "G7");
    let reasons: Vec<_> = answers[0].iter().map(|(problem, _)| problem.reason()).collect();
    let known = [ErrorReason::ConversationNotFound, ErrorReason::OutOfOrder];
    assert!(reasons.iter().all(|reason| known.contains(reason)), "{reasons:?}");

    // A Fetch is no frame of a stream of one's own.
    let fetch = Fetch { request_id: 7, conversation_id: group, from_seq: 1, to_seq: 0 };
    let frame = parlor_wire::chat::v1::ClientFrame { kind: Some(ClientKind::Fetch(fetch)) };
    let theirs = parlor_testkit::StreamClient::subscribe(&ada.chat, crate::support::hello()).await;
    let stream_id = theirs.unwrap().welcomed().await.stream_id;
    let mut pushes = Vec::new();
    for stream_id in [stream_id, StreamId::new().to_string()] {
        let frames = vec![prost::Message::encode_to_vec(&frame).into()];
        let status = eve.chat.clone().push(PushRequest { stream_id, number: 1, frames }).await.unwrap_err();
        assert_eq!(from_status(&status).reason(), ErrorReason::StreamNotFound, "G7");
        pushes.push((status.code(), status.message().to_owned(), status.details().to_vec()));
    }
    assert_eq!(pushes[0], pushes[1], "G7");
}

#[tokio::test]
async fn g7_who_was_removed_appends_as_to_an_unknown_conversation() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let tea = ada.group(&[&ben]).await;
    ada.does(&tea, compose::remove(&[ben.id()])).await.unwrap();
    let unknown = ConversationId::new().to_string();
    for kind in kinds(&ada, &ben) {
        let to_it = seen(ben.append(&compose::append(&tea, 2, kind.clone())).await);
        let to_none = seen(ben.append(&compose::append(&unknown, 0, kind)).await);
        assert_eq!(to_it, to_none, "G7");
    }
}
