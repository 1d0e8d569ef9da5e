//! The services run apart, and each of them is killed by itself, or cannot be reached: what does not need it goes on, what does
//! is told to come back, and all is well when it is there again.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use parlor_client::core::Draft;
use parlor_client::{Client, LogIn};
use parlor_testkit::{FaultProxy, PATIENCE, StreamClient, compose, eventually, in_time};
use parlor_tests::account::{Login, PASSWORD, name};
use parlor_tests::fleet::{Fleet, Plan, Service};
use parlor_tests::{reading, run, uploads};
use parlor_types::Seq;
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{
    EndOtherSessionsRequest, GetJwksRequest, GetProfileRequest, get_profile_request::User,
};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::chat::v1::{Entry, Text};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{Purpose, Variant};
use parlor_wire::presence::v1::{Availability, BatchGetPresenceRequest, GetStatusRequest};
use parlor_wire::reason::from_status;
use tempfile::TempDir;
use tonic::Status;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

/// A network that hardly carries anything.
const BYTES_PER_SECOND: NonZeroU32 = NonZeroU32::new(2_000).expect("more than nothing");
/// What breaks between services, and how it is called.
type Fault = (&'static str, fn(&FaultProxy));
const FAULTS: [Fault; 6] = [
    ("over connections that were cut", FaultProxy::cut),
    ("over connections that were reset", FaultProxy::reset),
    ("over connections that are half-open", FaultProxy::half_open),
    ("over networks that hang", |network| network.hang(true)),
    ("over slow networks", |network| network.lag(Duration::from_millis(300))),
    ("over networks that hardly carry anything", |network| network.throttle(Some(BYTES_PER_SECOND))),
];

/// Two who talk, each on a stream.
struct Scene {
    fleet: Fleet,
    ada: Login,
    ben: Login,
    on_ada: StreamClient,
    on_ben: StreamClient,
    direct: String,
    head: u64,
    _folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan::for_test(folder.path().join("data"));
        Self::of(plan, folder).await
    }

    async fn of(plan: Plan, folder: TempDir) -> Self {
        let fleet = Fleet::start(plan, ([127, 0, 0, 1], 0).into()).await.expect("all start");
        let ada = Login::register(channel(&fleet), "ada").await;
        let ben = Login::register(channel(&fleet), "ben").await;
        let created = ada.chat().create_conversation(compose::direct(&ben.id())).await.expect("creates");
        let row = created.into_inner().conversation.expect("a row");
        let (on_ada, on_ben) = (stream(&ada).await, stream(&ben).await);
        Self { fleet, ada, ben, on_ada, on_ben, direct: row.id, head: row.head, _folder: folder }
    }

    /// One says something and the other is told.
    async fn talk(&mut self, text: &str) {
        let append = compose::text(&self.direct, self.head, text);
        let result = in_time("an ack", self.on_ada.append(append)).await;
        self.head += 1;
        assert!(format!("{result:?}").contains(&format!("seq: {}", self.head)), "{text}: {result:?}");
        for stream in [&mut self.on_ada, &mut self.on_ben] {
            let entry = in_time(text, stream.event()).await;
            assert_eq!((entry.seq, text_of(&entry)), (self.head, text));
        }
    }

    /// Kills all connections, as when chat-svc comes back.
    async fn reconnect(&mut self) {
        (self.on_ada, self.on_ben) = (stream(&self.ada).await, stream(&self.ben).await);
    }

    async fn upload(&self, name: &str) -> Result<parlor_wire::media::v1::Media, Status> {
        uploads::upload(&self.ada.media(), name, Purpose::File, &Bytes::from_static(b"a few bytes")).await
    }
}

fn channel(fleet: &Fleet) -> Channel {
    Endpoint::from_shared(format!("http://{}", fleet.address()))
        .expect("an address makes a URI")
        .connect_lazy()
}

async fn stream(login: &Login) -> StreamClient {
    let (mut stream, _) = in_time("a stream", StreamClient::connect(&login.chat(), b"")).await;
    in_time("a sync", stream.synced()).await;
    stream
}

fn text_of(entry: &Entry) -> &str {
    match entry.kind() {
        Some(Kind::Text(text)) => &text.body,
        other => panic!("a text, not {other:?}"),
    }
}

async fn availability(asker: &Login, of: &Login) -> Result<Availability, Status> {
    let request = BatchGetPresenceRequest { user_ids: vec![of.id()] };
    let answer = asker.presence().batch_get_presence(request).await?.into_inner();
    Ok(answer.presences[0].availability())
}

/// It is away, and so it says: a client tries again.
fn is_away<T>(answer: Result<T, Status>) -> bool {
    answer.is_err_and(|status| from_status(&status).reason() == ErrorReason::Unavailable)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_presence_svc_messages_flow_and_streams_open() {
    let mut scene = Scene::new().await;
    scene.talk("all are there").await;
    scene.fleet.kill(Service::Presence).await;
    scene.talk("without presence-svc").await;
    assert!(is_away(availability(&scene.ada, &scene.ben).await), "there is nobody to ask");
    scene.reconnect().await;
    scene.talk("on streams opened without presence-svc").await;
    scene.fleet.restart(Service::Presence).await;
    eventually("who was there all along is shown to be", 3 * PATIENCE, async || {
        availability(&scene.ada, &scene.ben).await.is_ok_and(|found| found == Availability::Online)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_media_svc_text_works_and_files_work_again_after() {
    let mut scene = Scene::new().await;
    let before = scene.upload("before").await.expect("uploads");
    scene.fleet.kill(Service::Media).await;
    scene.talk("without media-svc").await;
    assert!(is_away(scene.upload("meanwhile").await), "there is nobody to take it");
    let file = |media: &parlor_wire::media::v1::Media| {
        Kind::File(parlor_wire::chat::v1::File { media: uploads::named(media), ..Default::default() })
    };
    let said = uploads::say(&scene.ada, &scene.direct, file(&before)).await;
    assert!(is_away(said), "nobody can say whether there is such a file");
    scene.fleet.restart(Service::Media).await;
    let mut said = None;
    eventually("a file can be sent", PATIENCE, async || {
        said = uploads::say(&scene.ada, &scene.direct, file(&before)).await.ok();
        said.is_some()
    })
    .await;
    let bytes = uploads::download(&scene.ben.media(), &before.id, Variant::Original).await;
    assert_eq!(bytes.expect("who is sent a file may have it"), b"a few bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_auth_svc_streams_and_calls_go_on_and_sessions_end_after() {
    let mut scene = Scene::new().await;
    let other = scene.ada.another_device(PASSWORD).await.expect("logs in");
    let mut on_other = stream(&other).await;
    scene.fleet.kill(Service::Auth).await;
    scene.talk("without auth-svc").await;
    reading::row(&scene.ben.chat(), &scene.direct).await.expect("a token is good without who made it");
    scene.upload("without auth-svc").await.expect("for files, too");
    assert!(is_away(scene.ada.another_device(PASSWORD).await), "there is nobody to log in to");
    scene.reconnect().await;
    scene.talk("on streams opened without auth-svc").await;
    scene.fleet.restart(Service::Auth).await;
    scene.talk("and after").await;
    scene.ada.auth().end_other_sessions(EndOtherSessionsRequest {}).await.expect("ends them");
    let ended = in_time("G7: the stream of an ended session ends", on_other.end()).await;
    assert_eq!(ended.reason().0, ErrorReason::SessionEnded);
    scene.talk("and the others go on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_chat_svc_the_others_answer_and_nothing_is_lost() {
    let mut scene = Scene::new().await;
    scene.talk("before").await;
    scene.fleet.kill(Service::Chat).await;
    let ended = in_time("the stream ends with its server", scene.on_ada.end()).await;
    assert!(ended.goodbye.is_none(), "a killed process says no goodbye");
    let user = Some(User::UserId(scene.ben.id()));
    scene.ada.profiles().get_profile(GetProfileRequest { user }).await.expect("profiles are to be had");
    let again = scene.ada.another_device(PASSWORD).await.expect("one can log in");
    scene.upload("without chat-svc").await.expect("one can upload");
    assert!(is_away(availability(&again, &scene.ada).await), "G7: nobody can say who may see whom");
    again.presence().get_status(GetStatusRequest {}).await.expect("one's own status is to be had");
    assert!(is_away(reading::row(&scene.ada.chat(), &scene.direct).await), "conversations are not to be had");
    scene.fleet.restart(Service::Chat).await;
    scene.reconnect().await;
    let log = reading::log(&scene.ben.chat(), &scene.direct).await.expect("reads");
    assert_eq!(log.last().map(text_of), Some("before"), "G1: what was acked is there");
    scene.talk("and it goes on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_between_services_messages_flow_and_all_is_well_after() {
    let mut scene = Scene::new().await;
    let file = scene.upload("before").await.expect("uploads");
    let content =
        Kind::File(parlor_wire::chat::v1::File { media: uploads::named(&file), ..Default::default() });
    for (what, fault) in FAULTS {
        for service in Service::ALL {
            fault(scene.fleet.network_of(service));
        }
        scene.talk(what).await;
        reading::row(&scene.ben.chat(), &scene.direct).await.expect("a token is good without who made it");
        for service in Service::ALL {
            scene.fleet.network_of(service).heal();
        }
        let well = format!("G6: after messages {what} all services are reached");
        eventually(&well, PATIENCE, async || {
            let online = availability(&scene.ada, &scene.ben).await;
            let is_seen = online.is_ok_and(|found| found == Availability::Online);
            is_seen && scene.upload("after").await.is_ok()
        })
        .await;
        let said =
            uploads::say(&scene.ada, &scene.direct, content.clone()).await.expect("media-svc is asked");
        scene.head = said.seq;
        for stream in [&mut scene.on_ada, &mut scene.on_ben] {
            in_time("a file", stream.event()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_show_each_other_certificates_work_together_and_with_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let certs = folder.path().join("certs");
    run(&["dev-certs".as_ref(), certs.as_os_str()]).await;
    let mut plan = Plan::for_test(folder.path().join("data"));
    plan.scheme = "https";
    for (key, file) in [("tls_cert", "services.pem"), ("tls_key", "services.key"), ("tls_ca", "ca.pem")] {
        let setting = format!("internal.{key}={}", certs.join(file).display());
        plan.arguments.extend(["--set".into(), setting.into()]);
    }
    let mut scene = Scene::of(plan, folder).await;
    scene.talk("over certificates").await;
    scene.upload("over certificates").await.expect("uploads");
    let online = availability(&scene.ada, &scene.ben).await.expect("three services are asked");
    assert_eq!(online, Availability::Online);

    let auth = scene.fleet.internal_address_of(Service::Auth);
    let text = std::fs::read(certs.join("ca.pem")).expect("it was made");
    let bare = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(text));
    for endpoint in [
        Endpoint::from_shared(format!("http://{auth}")).expect("a URI"),
        Endpoint::from_shared(format!("https://{auth}")).and_then(|it| it.tls_config(bare)).expect("a URI"),
    ] {
        let mut client = AuthServiceClient::new(endpoint.connect_lazy());
        client.get_jwks(GetJwksRequest {}).await.expect_err("who shows no certificate gets no answer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_knows_four_addresses_needs_no_router() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = Plan::for_test(folder.path().join("data"));
    let fleet = Fleet::start(plan, ([127, 0, 0, 1], 0).into()).await.expect("all start");
    let url = |service| format!("http://{}", fleet.address_of(service).expect("it runs"));
    let [auth, chat, presence, media] =
        [Service::Auth, Service::Chat, Service::Presence, Service::Media].map(url);
    let server = format!("{chat},auth={auth},presence={presence},media={media}");
    let enter = async |username: &str, server: &str| {
        let client = Client::open(&folder.path().join(username), server, PATIENCE).await.expect("it opens");
        let (username, device_name) = (name(username), "test".to_owned());
        let who = LogIn { username, password: PASSWORD.to_owned(), device_name };
        let id = client.register(&who, "").await.expect("auth-svc answers");
        (client, id)
    };
    let (ada, ada_id) = enter("ada", &server).await;
    let (ben, ben_id) = enter("ben", &format!("http://{}", fleet.address())).await;
    let (live, _events) = ada.live().await.expect("a stream");
    let direct = ada.direct(ben_id).await.expect("chat-svc answers");
    let said = Draft::new(direct, Kind::Text(Text { body: "without a router".to_owned() }));
    let sent = live.send(said).await.expect("kept").settled().await.expect("sent");
    let page = ben.fetch(direct, Seq(sent.seq), Seq(sent.seq)).await.expect("through the router");
    assert_eq!(text_of(&page.entries[0]), "without a router");
    eventually("presence-svc answers who is there", PATIENCE, async || {
        let found =
            ben.presences(&[ada_id]).await.is_ok_and(|all| all[0].availability() == Availability::Online);
        found && ada.presences(&[ben_id]).await.is_ok()
    })
    .await;
    let file = folder.path().join("file");
    std::fs::write(&file, "a few bytes").expect("a file");
    ada.upload(&file, None, &mut |_| {}).await.expect("media-svc answers");
}
