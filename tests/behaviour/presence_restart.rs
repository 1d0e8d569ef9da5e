//! The server dies while two look at each other, and comes back: each is shown to the other as soon as they are back, and
//! neither is told in between that the other had gone. Who does not come back is shown as gone in the end.

use parlor_testkit::{PATIENCE, StreamClient, eventually};
use parlor_tests::account::Login;
use parlor_tests::{Relay, Server};
use parlor_types::limits;
use parlor_wire::chat::v1::client_frame::Kind as Frame;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{Hello, Watch};
use parlor_wire::presence::v1::{Availability, BatchGetPresenceRequest, Presence};
use tempfile::TempDir;

/// Deaths that both come back from.
const ROUNDS: usize = 6;
/// Longer than the second of a round takes to come back; shorter than anybody wants to wait for one who does not.
const SETTLE: &str = "presence.settle=7s";

/// A server that comes and goes, and the two.
struct Scene {
    server: Option<Server>,
    relay: Relay,
    people: [Login; 2],
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let relay = Relay::start().await;
        let server = Server::start_with(&folder.path().join("data"), &[SETTLE]).await;
        relay.point_to(Some(server.address()));
        let ada = Login::register(relay.channel(), "ada").await;
        let ben = Login::register(relay.channel(), "ben").await;
        let direct = parlor_testkit::compose::direct(&ben.id());
        ada.chat().create_conversation(direct).await.expect("creates");
        Self { server: Some(server), relay, people: [ada, ben], folder }
    }

    async fn kill_and_start(&mut self) {
        self.server.take().expect("it runs").kill().await;
        self.relay.point_to(None);
        let server = Server::start_with(&self.folder.path().join("data"), &[SETTLE]).await;
        self.relay.point_to(Some(server.address()));
        self.server = Some(server);
    }
}

/// Connects as soon as the server is there, and watches the other and oneself; comes back when the watch is known to
/// presence-svc. Answers what was told of the other until then, too.
async fn come_back(login: &Login, other: &Login) -> (StreamClient, Vec<Presence>) {
    let mut found = None;
    eventually("a stream", PATIENCE, async || {
        let Ok(mut stream) = StreamClient::open(&login.chat()).await else { return false };
        stream.send(Frame::Hello(Hello { protocol: limits::PROTOCOL, ..Hello::default() })).await;
        let is_welcome = matches!(stream.next().await, Ok(In::Welcome(_)));
        found = is_welcome.then_some(stream);
        is_welcome
    })
    .await;
    let mut stream = found.expect("there is one now");
    stream.synced().await;
    stream.send(Frame::Watch(Watch { user_ids: vec![other.id(), login.id()] })).await;
    let mut told = Vec::new();
    hear_of(&mut stream, login, Availability::Online, &mut told).await;
    told.retain(|presence| presence.user_id == other.id());
    (stream, told)
}

/// Listens until somebody is `availability`, and takes down what else is told.
async fn hear_of(
    stream: &mut StreamClient,
    who: &Login,
    availability: Availability,
    told: &mut Vec<Presence>,
) {
    stream
        .find(&format!("{} {availability:?}", who.username), |frame| {
            let In::PresenceChanged(changed) = frame else { return None };
            let presence = changed.presence.clone().expect("a presence");
            let is_it = presence.user_id == who.id() && presence.availability() == availability;
            told.push(presence);
            is_it.then_some(())
        })
        .await;
}

async fn asked(viewer: &Login, of: &Login) -> Availability {
    let request = BatchGetPresenceRequest { user_ids: vec![of.id()] };
    let answer = viewer.presence().batch_get_presence(request).await.expect("answers").into_inner();
    answer.presences[0].availability()
}

fn is_no_farewell(presence: &Presence) -> bool {
    matches!(presence.availability(), Availability::Online | Availability::Unspecified)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_that_somebody_has_gone_when_only_the_server_had() {
    let mut scene = Scene::new().await;
    let mut streams = Vec::new();
    for round in 0..ROUNDS {
        if round > 0 {
            scene.kill_and_start().await;
        }
        streams.clear();
        let [first, second] = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        let (first, second) = (&scene.people[first], &scene.people[second]);
        let (mut on_first, mut told) = come_back(first, second).await;
        let meanwhile = asked(first, second).await;
        let (mut on_second, told_second) = come_back(second, first).await;
        hear_of(&mut on_first, second, Availability::Online, &mut told).await;
        if round > 0 {
            assert!(told.iter().all(is_no_farewell), "{} is told: {told:?}", first.username);
            assert!(told_second.iter().all(is_no_farewell), "{} is told: {told_second:?}", second.username);
            assert_ne!(meanwhile, Availability::Offline, "{} asks", first.username);
        }
        let mut told = told_second;
        if told.is_empty() {
            hear_of(&mut on_second, first, Availability::Online, &mut told).await;
        }
        streams = vec![on_first, on_second];
    }
    // And one who was there, and does not come back.
    scene.kill_and_start().await;
    drop(streams);
    let [ada, ben] = &scene.people;
    let (mut on_ada, mut told) = come_back(ada, ben).await;
    hear_of(&mut on_ada, ben, Availability::Offline, &mut told).await;
    assert!(told.iter().all(|presence| presence.availability() != Availability::Online), "{told:?}");
}
