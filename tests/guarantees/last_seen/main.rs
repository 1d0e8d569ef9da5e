//! G7: when somebody was last there cannot be derived by one who may not see it, from anything that can be asked or is told:
//! after a visit no answer holds a time that lies in it.

mod scan;
mod viewer;

use std::collections::BTreeSet;

use parlor_testkit::{PATIENCE, StreamClient, compose, eventually};
use parlor_tests::Server;
use parlor_tests::account::Login;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Audience, BlockUserRequest, Read, Received, SetActive, SetPrivacyRequest, Watch,
};
use parlor_wire::presence::v1::{
    Appearance, Availability, BatchGetPresenceRequest, Presence, SetStatusRequest, Status,
};
use tempfile::TempDir;

use viewer::{Times, Viewer};

/// What shows marks of others, and with them when they were raised.
const MARKS: &[&str] =
    &["GetConversation", "GetReceipts", "ListConversations", "Sync", "the stream", "the sync of a stream"];
/// What shows presence.
const PRESENCE: &[&str] = &["BatchGetPresence", "Watch", "Watch on a stream", "the stream"];

/// Who goes is gone at once, also from a server that was just started.
const SETTINGS: &[&str] = &["presence.grace=0s", "presence.settle=0s"];

/// Ada; and who looks at her. The first three share conversations with her.
struct Scene {
    ada: Login,
    /// Each with a direct conversation of theirs with Ada, and all with one group.
    conversations: Vec<String>,
    /// Ben; Cem, who lets nobody see when he was there; Dan, whom Ada has blocked; Eve, a stranger.
    viewers: Vec<Viewer>,
    _server: Server,
    _folder: TempDir,
}

impl Scene {
    async fn new(audience: Audience) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start_with(&folder.path().join("data"), SETTINGS).await;
        let ada = Login::register(server.channel(), "ada").await;
        let shown =
            SetPrivacyRequest { online: audience.into(), last_seen: audience.into(), ..Default::default() };
        ada.people().set_privacy(shown).await.expect("sets");
        let mut logins = Vec::new();
        for name in ["ben", "cem", "dan", "eve"] {
            logins.push(Login::register(server.channel(), name).await);
        }
        let hidden = SetPrivacyRequest { last_seen: Audience::Nobody.into(), ..Default::default() };
        logins[1].people().set_privacy(hidden).await.expect("sets");

        let ids: Vec<String> = logins[..3].iter().map(Login::id).collect();
        let group = create(&ada, compose::group("Tea", &ids)).await;
        let mut conversations = vec![group.clone()];
        for login in &logins[..3] {
            let direct = create(login, compose::direct(&ada.id())).await;
            say(login, &direct).await;
            say(login, &group).await;
            conversations.push(direct);
        }
        ada.people().block_user(BlockUserRequest { user_id: ids[2].clone() }).await.expect("blocks");
        let mut viewers = Vec::new();
        for login in logins {
            viewers.push(Viewer::new(login, &ada).await);
        }
        Self { ada, conversations, viewers, _server: server, _folder: folder }
    }

    /// Ada comes, takes in and reads everything, and goes. Answers what everybody can find out of when that was.
    async fn visit(&mut self) -> Vec<BTreeSet<&'static str>> {
        let mut before = Vec::new();
        for viewer in &mut self.viewers {
            before.push(viewer.times().await);
        }
        let begin = scan::next_second().await;
        let (mut stream, _) = StreamClient::connect(&self.ada.chat(), b"").await;
        let (rows, _) = stream.synced().await;
        for row in rows {
            let (conversation_id, seq) = (row.id, row.head);
            stream.send(Frame::Received(Received { conversation_id: conversation_id.clone(), seq })).await;
            stream.send(Frame::Read(Read { conversation_id, seq })).await;
        }
        stream.ping().await;
        eventually("the marks of all conversations", PATIENCE, async || self.has_read_all().await).await;
        own_presence(&self.ada, Availability::Online).await;
        drop(stream);
        own_presence(&self.ada, Availability::Offline).await;
        let end = scan::now();
        scan::next_second().await;

        // Last seen is to the minute.
        let there: BTreeSet<u64> = (begin..=end).chain([begin - begin % 60]).collect();
        let mut found = Vec::new();
        for (viewer, before) in self.viewers.iter_mut().zip(before) {
            found.push(new_times(&before, &viewer.times().await, &there));
        }
        found
    }

    async fn has_read_all(&self) -> bool {
        for conversation in &self.conversations {
            let row = parlor_tests::reading::row(&self.ada.chat(), conversation).await.expect("reads");
            if row.marks.is_none_or(|marks| marks.read < row.head) {
                return false;
            }
        }
        true
    }
}

/// What holds times of the visit that it did not hold before. Elsewhere they may have stood: last seen is to the minute, and
/// something else may have happened in the second at which that minute began.
fn new_times(before: &Times, after: &Times, there: &BTreeSet<u64>) -> BTreeSet<&'static str> {
    after.difference(before).filter(|(_, time)| there.contains(time)).map(|(what, _)| *what).collect()
}

async fn create(login: &Login, request: parlor_wire::chat::v1::CreateConversationRequest) -> String {
    let answer = login.chat().create_conversation(request).await.expect("creates").into_inner();
    answer.conversation.expect("a row").id
}

async fn say(login: &Login, conversation: &str) {
    let append = compose::text(conversation, 1, "Are you there?");
    login.chat().append(compose::unary(&append)).await.expect("stored");
}

/// Waits until Ada is so, as she herself sees it.
async fn own_presence(ada: &Login, availability: Availability) -> Presence {
    let mut seen = Presence::default();
    eventually(&format!("Ada {availability:?}"), PATIENCE, async || {
        seen = presence(ada, ada).await;
        seen.availability() == availability
    })
    .await;
    seen
}

async fn presence(viewer: &Login, of: &Login) -> Presence {
    let request = BatchGetPresenceRequest { user_ids: vec![of.id()] };
    let answer = viewer.presence().batch_get_presence(request).await.expect("answers");
    answer.into_inner().presences.remove(0)
}

fn set(parts: &[&[&'static str]]) -> BTreeSet<&'static str> {
    parts.concat().into_iter().collect()
}

#[tokio::test]
async fn g7_nobody_finds_out_when_somebody_was_there_who_hides_it() {
    let mut scene = Scene::new(Audience::Nobody).await;
    let found = scene.visit().await;
    for (viewer, found) in scene.viewers.iter().zip(found) {
        assert_eq!(found, set(&[]), "G7: {} finds when Ada was there", viewer.login.username);
    }
}

#[tokio::test]
async fn g7_only_those_find_out_who_may_see_it_and_show_it_themselves() {
    let mut scene = Scene::new(Audience::Contacts).await;
    let [ben, cem, dan, eve] = scene.visit().await.try_into().expect("four");
    assert_eq!(ben, set(&[MARKS, PRESENCE]), "it can be found at all");
    assert_eq!(cem, set(&[]), "G7: by one who hides his own");
    assert_eq!(dan, set(&[]), "G7: by one who is blocked");
    assert_eq!(eve, set(&[]), "G7: by a stranger");
}

#[tokio::test]
async fn g7_a_blocked_user_sees_less_than_a_stranger() {
    let mut scene = Scene::new(Audience::Everyone).await;
    let [ben, cem, dan, eve] = scene.visit().await.try_into().expect("four");
    assert_eq!(ben, set(&[MARKS, PRESENCE]), "it can be found at all");
    assert_eq!(cem, set(&[]), "G7: by one who hides his own");
    assert_eq!(dan, set(&[]), "G7: by one who is blocked");
    assert_eq!(eve, set(&[PRESENCE]), "a stranger has no marks, but sees presence that everyone sees");
    let (of_blocked, of_nobody) = (
        presence(&scene.viewers[2].login, &scene.ada).await,
        Presence { user_id: scene.ada.id(), ..Presence::default() },
    );
    assert_eq!(of_blocked, of_nobody, "G7: as of somebody there is not");
}

#[tokio::test]
async fn g7_who_is_invisible_is_not_seen_to_have_been_there() {
    let scene = Scene::new(Audience::Everyone).await;
    let [ben, cem] = [&scene.viewers[0].login, &scene.viewers[1].login];
    // Nobody has seen her yet; so there is nothing to be seen, also after she was there.
    let status = Status { appearance: Appearance::Invisible.into(), text: "hidden".to_owned(), until: None };
    scene.ada.presence().set_status(SetStatusRequest { status: Some(status) }).await.expect("sets");
    let (mut stream, _) = StreamClient::connect(&scene.ada.chat(), b"").await;
    stream.synced().await;
    registered(&mut stream, ben).await;
    let seen = presence(ben, &scene.ada).await;
    assert_eq!((seen.availability(), seen.last_seen), (Availability::Offline, None), "G7: invisible");
    assert_eq!(seen.text, "", "G7: invisible");

    stream.send(Frame::SetActive(SetActive { foreground: false })).await;
    registered(&mut stream, cem).await;
    let visible = Some(Status::default());
    scene.ada.presence().set_status(SetStatusRequest { status: visible }).await.expect("sets");
    let seen = presence(ben, &scene.ada).await;
    assert_eq!(
        (seen.availability(), seen.last_seen),
        (Availability::Away, None),
        "G7: frozen while invisible"
    );
}

/// What the stream said is known to presence-svc once it tells of somebody the stream watches.
async fn registered(stream: &mut StreamClient, other: &Login) {
    stream.send(Frame::Watch(Watch { user_ids: vec![other.id()] })).await;
    let is_of_other = |frame: &In| {
        let In::PresenceChanged(changed) = frame else { return None };
        changed.presence.as_ref().filter(|presence| presence.user_id == other.id()).map(|_| ())
    };
    stream.find("what is watched", is_of_other).await;
}
