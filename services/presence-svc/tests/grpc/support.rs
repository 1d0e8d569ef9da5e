//! A presence-svc for each test, between a [`TestAuth`] and a chat-svc that says of visibility what the test wants. Time
//! stands still until the test moves it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use parlor_grpc_kit::Authorized;
use parlor_runtime::clock::ManualClock;
use parlor_testkit::{Bearer, PATIENCE, Person, Serving, TestAuth, eventually, in_time};
use parlor_types::{NodeId, SessionId, StreamId, UserId};
use parlor_wire::internal::chat::v1::chat_internal_service_server::{
    ChatInternalService, ChatInternalServiceServer,
};
use parlor_wire::internal::chat::v1::{
    CheckMediaAccessRequest, CheckMediaAccessResponse, CheckVisibilityRequest, CheckVisibilityResponse,
    FindMediaReferencesRequest, FindMediaReferencesResponse, Visibility,
};
use parlor_wire::internal::presence::v1::attach_frame::Kind;
use parlor_wire::internal::presence::v1::presence_internal_service_client::PresenceInternalServiceClient;
use parlor_wire::internal::presence::v1::*;
use parlor_wire::presence::v1::presence_service_client::PresenceServiceClient;
use parlor_wire::presence::v1::{
    Appearance, Availability, BatchGetPresenceRequest, Presence, SetStatusRequest, Status as Chosen,
};
use presence_svc::{App, Config, Needs, RateLimit};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// What shutting down may take.
const SHUTDOWN: Duration = Duration::from_secs(5);

pub type Client = PresenceServiceClient<InterceptedService<Channel, Bearer>>;

/// Says who may see whom; at first everybody sees everything.
#[derive(Clone, Default)]
pub struct FakeChat(Arc<FakeState>);

#[derive(Default)]
struct FakeState {
    hidden: Mutex<HashMap<(String, String), (bool, bool)>>,
    away: AtomicBool,
    asked: Mutex<Vec<CheckVisibilityRequest>>,
}

impl FakeChat {
    /// What `viewer` may see of `user` from now on.
    pub fn allow(&self, viewer: &Person, user: &str, online: bool, last_seen: bool) {
        self.0.hidden.lock().unwrap().insert((viewer.id(), user.to_owned()), (online, last_seen));
    }

    /// Whether it can be asked.
    pub fn answers(&self, answers: bool) {
        self.0.away.store(!answers, Ordering::SeqCst);
    }

    /// How often it was asked for somebody.
    pub fn asked_for(&self, viewer: &Person) -> usize {
        self.0.asked.lock().unwrap().iter().filter(|asked| asked.viewer_id == viewer.id()).count()
    }
}

#[tonic::async_trait]
impl ChatInternalService for FakeChat {
    async fn check_visibility(
        &self,
        request: Request<CheckVisibilityRequest>,
    ) -> Result<Response<CheckVisibilityResponse>, Status> {
        let request = request.into_inner();
        self.0.asked.lock().unwrap().push(request.clone());
        if self.0.away.load(Ordering::SeqCst) {
            return Err(Status::unavailable("away"));
        }
        let hidden = self.0.hidden.lock().unwrap();
        let visibilities = request.user_ids.into_iter().map(|user_id| {
            let allowed = hidden.get(&(request.viewer_id.clone(), user_id.clone())).copied();
            let (online, last_seen) = allowed.unwrap_or((true, true));
            Visibility { user_id, online, last_seen }
        });
        Ok(Response::new(CheckVisibilityResponse { visibilities: visibilities.collect() }))
    }

    async fn check_media_access(
        &self,
        _: Request<CheckMediaAccessRequest>,
    ) -> Result<Response<CheckMediaAccessResponse>, Status> {
        Err(Status::unimplemented("presence-svc asks for no files"))
    }

    async fn find_media_references(
        &self,
        _: Request<FindMediaReferencesRequest>,
    ) -> Result<Response<FindMediaReferencesResponse>, Status> {
        Err(Status::unimplemented("presence-svc asks for no files"))
    }
}

/// A running presence-svc and what it needs.
pub struct Scene {
    pub auth: TestAuth,
    pub chat: FakeChat,
    pub clock: Arc<ManualClock>,
    pub app: App,
    public: Serving,
    internal: Serving,
    chat_serving: Serving,
    folder: TempDir,
    config: Config,
}

/// The defaults, but settled at once and without limits.
pub fn config() -> Config {
    let fast = RateLimit { burst: 1_000_000, per_second: 1_000_000.0 };
    let mut config = Config { settle: Duration::ZERO, ..Config::default() };
    (config.limits.read, config.limits.write, config.limits.watch) = (fast, fast, fast);
    config
}

impl Scene {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let chat = FakeChat::default();
        let chat_serving = Serving::start(Routes::new(ChatInternalServiceServer::new(chat.clone()))).await;
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(SystemTime::now()));
        Self::open(TestAuth::new(), chat, chat_serving, folder, clock, config).await
    }

    async fn open(
        auth: TestAuth,
        chat: FakeChat,
        chat_serving: Serving,
        folder: TempDir,
        clock: Arc<ManualClock>,
        config: Config,
    ) -> Self {
        let chat_channel = chat_serving.channel().await;
        let mut opened = None;
        eventually("the store is free", PATIENCE, async || {
            let needs = Needs {
                store: folder.path().join("presence.db"),
                auth: auth.public_channel(),
                auth_internal: auth.internal_channel(),
                chat_internal: Authorized::new(chat_channel.clone(), Arc::new(auth.clone())),
                clock: Arc::clone(&clock) as _,
            };
            opened = App::build(&config, needs).ok();
            opened.is_some()
        })
        .await;
        let app = opened.expect("it was waited for");
        in_time("readiness", app.readiness().wait()).await;
        let (public, internal) = (Serving::start(app.public()).await, Serving::start(app.internal()).await);
        Self { auth, chat, clock, app, public, internal, chat_serving, folder, config }
    }

    /// Stops it in good order, and starts it again on the same folder.
    pub async fn restart(self, config: Option<Config>) -> Self {
        let Self { auth, chat, clock, app, public, internal, chat_serving, folder, config: old } = self;
        app.shutdown(SHUTDOWN).await.expect("the tasks end in time");
        public.stop(Duration::ZERO).await;
        internal.stop(Duration::ZERO).await;
        drop(app);
        Self::open(auth, chat, chat_serving, folder, clock, config.unwrap_or(old)).await
    }

    /// Somebody new, with a connection of their own.
    pub async fn user(&self) -> User {
        let person = self.auth.person();
        User { presence: self.calling(Some(&person.token)).await, person }
    }

    pub async fn calling(&self, token: Option<&str>) -> Client {
        PresenceServiceClient::with_interceptor(self.public.channel().await, Bearer::new(token))
    }

    pub async fn public_channel(&self) -> Channel {
        self.public.channel().await
    }

    pub async fn internal_channel(&self) -> Channel {
        self.internal.channel().await
    }

    /// The internal API as another service calls it.
    pub async fn service(&self) -> PresenceInternalServiceClient<Authorized> {
        let channel = Authorized::new(self.internal.channel().await, Arc::new(self.auth.clone()));
        PresenceInternalServiceClient::new(channel)
    }

    /// A new node.
    pub async fn node(&self) -> Node {
        let mut node = Node { id: NodeId::new().to_string(), line: None, told: Vec::new(), heard: 0 };
        node.attach(self).await;
        node.say(Kind::SnapshotDone(SnapshotDone {})).await;
        node
    }

    pub async fn locate(&self, users: &[&User]) -> Vec<Located> {
        let user_ids = users.iter().map(|user| user.id()).collect();
        let request = LocateRequest { user_ids };
        self.service().await.locate(request).await.unwrap().into_inner().sessions
    }

    /// Waits until they are seen like this by somebody who may see everything.
    pub async fn shows(&self, who: &User, availability: Availability) -> Presence {
        let viewer = self.user().await;
        let mut shown = Presence::default();
        eventually(&format!("{availability:?}"), PATIENCE, async || {
            shown = viewer.sees(who).await;
            shown.availability() == availability
        })
        .await;
        shown
    }
}

/// Somebody logged in.
pub struct User {
    pub person: Person,
    pub presence: Client,
}

impl User {
    pub fn id(&self) -> String {
        self.person.id()
    }

    pub fn session(&self) -> SessionId {
        self.person.caller.session_id
    }

    /// What the user may see of them.
    pub async fn sees(&self, who: &User) -> Presence {
        self.batch(&[who.id()]).await.unwrap().remove(0)
    }

    pub async fn batch(&self, user_ids: &[String]) -> Result<Vec<Presence>, Status> {
        let request = BatchGetPresenceRequest { user_ids: user_ids.to_vec() };
        Ok(self.presence.clone().batch_get_presence(request).await?.into_inner().presences)
    }

    pub async fn choose(&self, appearance: Appearance, text: &str) {
        let status = Chosen { appearance: appearance.into(), text: text.to_owned(), until: None };
        self.set(status).await.unwrap();
    }

    pub async fn set(&self, status: Chosen) -> Result<Chosen, Status> {
        let request = SetStatusRequest { status: Some(status) };
        Ok(self.presence.clone().set_status(request).await?.into_inner().status.unwrap())
    }
}

/// A chat-svc node. Dropping it, or its line, breaks the line.
pub struct Node {
    pub id: String,
    line: Option<(mpsc::Sender<AttachRequest>, Streaming<AttachResponse>)>,
    /// All that was told, in order.
    pub told: Vec<(String, Presence)>,
    /// How much of that has been looked at.
    heard: usize,
}

impl Node {
    /// On a new line; what the older one was told stays told.
    pub async fn attach(&mut self, scene: &Scene) {
        let (frames, sent) = mpsc::channel(16);
        let answer = scene.service().await.attach(ReceiverStream::new(sent)).await.unwrap();
        self.line = Some((frames, answer.into_inner()));
        self.say(Kind::Hello(Hello { node_id: self.id.clone() })).await;
    }

    pub fn break_line(&mut self) {
        self.line = None;
    }

    pub async fn say(&self, kind: Kind) {
        let request = AttachRequest { frames: vec![AttachFrame { kind: Some(kind) }] };
        self.line.as_ref().expect("attached").0.send(request).await.expect("the line is open");
    }

    /// A stream of the user's session, under a name that it is given.
    pub async fn open(&self, user: &User, foreground: bool) -> String {
        let stream_id = StreamId::new().to_string();
        self.open_as(&stream_id, user, foreground, false).await;
        stream_id
    }

    pub async fn open_as(&self, stream_id: &str, user: &User, foreground: bool, mobile: bool) {
        self.say(Kind::Opened(Opened {
            stream_id: stream_id.to_owned(),
            user_id: user.id(),
            session_id: user.session().to_string(),
            foreground,
            mobile,
        }))
        .await;
    }

    pub async fn close(&self, stream_id: &str, session_ended: bool) {
        self.say(Kind::Closed(Closed { stream_id: stream_id.to_owned(), session_ended })).await;
    }

    pub async fn watch(&self, stream_id: &str, users: &[&User]) {
        let user_ids = users.iter().map(|user| user.id()).collect();
        self.say(Kind::Watching(Watching { stream_id: stream_id.to_owned(), user_ids })).await;
    }

    pub async fn snapshot_done(&self) {
        self.say(Kind::SnapshotDone(SnapshotDone {})).await;
    }

    pub async fn visibility_changed(&self, user: &User) {
        self.say(Kind::VisibilityChanged(VisibilityChanged { user_ids: vec![user.id()] })).await;
    }

    /// The next of what was told.
    pub async fn next(&mut self) -> (String, Presence) {
        while self.told.len() == self.heard {
            self.hear().await.expect("the line goes on");
        }
        self.heard += 1;
        self.told[self.heard - 1].clone()
    }

    /// Takes in what comes until the stream has been told this of somebody.
    pub async fn hears(&mut self, stream_id: &str, who: &User, availability: Availability) -> Presence {
        loop {
            let (stream, presence) = self.next().await;
            if stream == stream_id && presence.user_id == who.id() && presence.availability() == availability
            {
                return presence;
            }
        }
    }

    /// Takes in what comes; why the line ended, if it has.
    pub async fn hear(&mut self) -> Result<(), Option<Status>> {
        let (_, told) = self.line.as_mut().expect("attached");
        let answer = in_time("news on the line", told.message()).await.map_err(Some)?.ok_or(None)?;
        for told in answer.told {
            self.told.extend(told.presences.into_iter().map(|presence| (told.stream_id.clone(), presence)));
        }
        Ok(())
    }
}

/// An id that nobody has.
pub fn nobody() -> String {
    UserId::new().to_string()
}
