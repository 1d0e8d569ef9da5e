//! Who calls with the id of somebody they have nothing to do with. That there is such a user is no secret, so profiles and
//! what begins with a request say so; whether they are there, and whom they have blocked, is.

use std::slice::from_ref;

use parlor_testkit::{PATIENCE, StreamClient, compose, eventually, in_time};
use parlor_tests::Server;
use parlor_tests::account::Login;
use parlor_types::UserId;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    AcceptContactRequest, Audience, BlockUserRequest, GetConversationRequest, Person, RemoveContactRequest,
    RequestContactRequest, SetPrivacyRequest, UnblockUserRequest, Watch, get_conversation_request,
};
use parlor_wire::presence::v1::{
    Availability, BatchGetPresenceRequest, Presence, WatchRequest, WatchResponse,
};
use tonic::{Response, Status, Streaming};

use crate::named::{Answer, Named, assert_same};

/// Who goes is gone at once, also from a server that was just started.
const SETTINGS: &[&str] = &["presence.grace=0s", "presence.settle=0s"];

/// What can be asked of users one has nothing to do with.
pub async fn unary(stranger: &Login, named: &Named) -> Vec<Answer> {
    let (mut people, mut presence) = (stranger.people(), stranger.presence());
    let user_id = || named.user.clone();
    let accept = people.accept_contact(AcceptContactRequest { user_id: user_id() }).await;
    let mut remove = people.remove_contact(RemoveContactRequest { user_id: user_id() }).await;
    forget_time(&mut remove, |answer| &mut answer.person);
    let mut unblock = people.unblock_user(UnblockUserRequest { user_id: user_id() }).await;
    forget_time(&mut unblock, |answer| &mut answer.person);
    let get = presence.batch_get_presence(BatchGetPresenceRequest { user_ids: vec![user_id()] }).await;
    vec![
        Answer::unary(named, "AcceptContact", accept),
        Answer::unary(named, "RemoveContact", remove),
        Answer::unary(named, "UnblockUser", unblock),
        Answer::unary(named, "BatchGetPresence", get),
    ]
}

/// When it was asked is the asker's own doing.
fn forget_time<T>(answer: &mut Result<Response<T>, Status>, person: fn(&mut T) -> &mut Option<Person>) {
    if let Ok(answer) = answer
        && let Some(person) = person(answer.get_mut())
    {
        person.changed_at = None;
    }
}

/// As `unary`, of what leaves traces: only when nobody is asked again.
async fn begin(caller: &Login, named: &Named) -> Vec<Answer> {
    let request = RequestContactRequest { user_id: named.user.clone(), note: "hello".to_owned() };
    let mut requested = caller.people().request_contact(request).await;
    forget_time(&mut requested, |answer| &mut answer.person);
    let direct = caller.chat().create_conversation(compose::direct(&named.user)).await;
    let group = caller.chat().create_conversation(compose::group("Tea", from_ref(&named.user))).await;
    let which = get_conversation_request::Conversation::WithUserId(named.user.clone());
    let get = caller.chat().get_conversation(GetConversationRequest { conversation: Some(which) }).await;
    vec![
        Answer::unary(named, "RequestContact", requested),
        Answer::unary(named, "CreateConversation direct", direct),
        Answer::unary(named, "CreateConversation group", group),
        Answer::unary(named, "GetConversation", get),
    ]
}

fn of(login: &Login) -> Named {
    Named { user: login.id(), ..Named::made_up() }
}

async fn block(who: &Login, whom: &Login) {
    who.people().block_user(BlockUserRequest { user_id: whom.id() }).await.expect("blocks");
}

#[tokio::test]
async fn g7_who_is_blocked_is_answered_as_by_somebody_who_lets_nobody_begin() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data")).await;
    let ben = Login::register(server.channel(), "ben").await;
    let ada = Login::register(server.channel(), "ada").await;
    let cem = Login::register(server.channel(), "cem").await;
    let nobody = Audience::Nobody.into();
    let shy = SetPrivacyRequest { direct: nobody, groups: nobody, ..SetPrivacyRequest::default() };
    cem.people().set_privacy(shy).await.expect("sets");
    let (mut on_ada, _) = StreamClient::connect(&ada.chat(), b"").await;
    on_ada.synced().await;
    block(&ada, &ben).await;
    on_ada.find("the block, on the blocker's stream", |frame| person(frame, &ben)).await;

    let (by_ada, by_cem) = (of(&ada), of(&cem));
    assert_same(&begin(&ben, &by_ada).await, &begin(&ben, &by_cem).await);
    assert_same(&unary(&ben, &by_ada).await, &unary(&ben, &by_cem).await);
    // What was asked of one who has blocked the asker is not told to them.
    on_ada.ping().await;
    let mail = on_ada.take_mail();
    assert!(mail.iter().all(|frame| person(frame, &ben).is_none()), "nothing of the blocked: {mail:?}");
}

fn person(frame: &In, who: &Login) -> Option<Person> {
    match frame {
        In::SyncPerson(sync) => sync.person.clone().filter(|person| person.user_id == who.id()),
        _ => None,
    }
}

/// Somebody there, whom `with` shares a conversation with.
async fn acquainted(server: &Server, with: &Login) -> (Login, StreamClient) {
    let login = Login::register(server.channel(), "cem").await;
    with.chat().create_conversation(compose::direct(&login.id())).await.expect("creates");
    let (mut stream, _) = StreamClient::connect(&login.chat(), b"").await;
    stream.synced().await;
    (login, stream)
}

/// What is told on the stream until somebody is shown as `availability`.
async fn told_until(stream: &mut StreamClient, who: &Login, availability: Availability) -> Vec<Presence> {
    let mut told = Vec::new();
    loop {
        let frame = stream.next().await.expect("the stream goes on");
        let In::PresenceChanged(changed) = frame else { continue };
        let presence = changed.presence.expect("a presence");
        let is_it = presence.user_id == who.id() && presence.availability() == availability;
        told.push(presence);
        if is_it {
            break;
        }
    }
    told
}

#[tokio::test]
async fn g7_who_watches_strangers_is_told_nothing_of_them_on_a_stream() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with(&folder.path().join("data"), SETTINGS).await;
    let ada = Login::register(server.channel(), "ada").await;
    let eve = Login::register(server.channel(), "eve").await;
    let (cem, on_cem) = acquainted(&server, &eve).await;
    let (mut on_eve, _) = StreamClient::connect(&eve.chat(), b"").await;
    on_eve.synced().await;

    let user_ids = vec![ada.id(), UserId::new().to_string(), cem.id()];
    on_eve.send(Frame::Watch(Watch { user_ids })).await;
    let mut told = told_until(&mut on_eve, &cem, Availability::Online).await;
    comes_and_goes(&ada).await;
    // What is told of Cem now comes behind what would have been told of Ada.
    drop(on_cem);
    told.extend(told_until(&mut on_eve, &cem, Availability::Offline).await);
    let of_others: Vec<_> = told.iter().filter(|presence| presence.user_id != cem.id()).collect();
    assert!(of_others.iter().all(|presence| is_nothing(presence)), "G7: told of strangers: {of_others:?}");
    assert_eq!(of_others.len(), 2, "G7: once each, whether they exist or not: {of_others:?}");
}

fn is_nothing(presence: &Presence) -> bool {
    *presence == Presence { user_id: presence.user_id.clone(), ..Presence::default() }
}

/// Waits until `viewer` sees `who` so.
async fn is_seen(viewer: &Login, who: &Login, availability: Availability) {
    let what = format!("{} sees {} {availability:?}", viewer.username, who.username);
    eventually(&what, PATIENCE, async || {
        let request = BatchGetPresenceRequest { user_ids: vec![who.id()] };
        let answer = viewer.presence().batch_get_presence(request).await.expect("answers").into_inner();
        answer.presences[0].availability() == availability
    })
    .await;
}

async fn comes_and_goes(who: &Login) {
    let (mut stream, _) = StreamClient::connect(&who.chat(), b"").await;
    stream.synced().await;
    is_seen(who, who, Availability::Online).await;
    drop(stream);
    is_seen(who, who, Availability::Offline).await;
}

#[tokio::test]
async fn g7_who_watches_strangers_is_told_nothing_of_them_by_a_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start_with(&folder.path().join("data"), SETTINGS).await;
    let ada = Login::register(server.channel(), "ada").await;
    let eve = Login::register(server.channel(), "eve").await;
    let (cem, on_cem) = acquainted(&server, &eve).await;
    is_seen(&eve, &cem, Availability::Online).await;
    let user_ids = vec![ada.id(), UserId::new().to_string(), cem.id()];
    let mut watch = eve.presence().watch(WatchRequest { user_ids }).await.expect("watches").into_inner();
    news_until(&mut watch, &cem, Availability::Online).await;
    comes_and_goes(&ada).await;
    // What is told of Cem now comes behind what would have been told of Ada.
    drop(on_cem);
    news_until(&mut watch, &cem, Availability::Offline).await;
}

/// Takes in what is told until somebody is `availability`; of anybody else it is only that nothing is to be seen.
async fn news_until(watch: &mut Streaming<WatchResponse>, who: &Login, availability: Availability) {
    loop {
        let news = in_time("news", watch.message()).await.expect("it goes on").expect("it goes on");
        for presence in news.presences {
            let is_theirs = presence.user_id == who.id();
            assert!(is_theirs || is_nothing(&presence), "G7: told of a stranger: {presence:?}");
            if is_theirs && presence.availability() == availability {
                return;
            }
        }
    }
}
