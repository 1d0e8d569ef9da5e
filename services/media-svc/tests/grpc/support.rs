//! A media-svc for each test, between an auth-svc and a chat-svc that use the files that the test says. Time stands still
//! until the test moves it.

mod uses;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media_svc::{App, Config, Needs, RateLimit};
use parlor_grpc_kit::{Audience, Authorized, Caller, CallerKind, TokenSource, local_channel};
use parlor_runtime::clock::ManualClock;
use parlor_testkit::{Bearer, PATIENCE, Person, Serving, TestAuth, eventually, in_time};
use parlor_types::{ConversationId, Id as _, MediaId, Op};
use parlor_wire::errors::v1::Problem;
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalServiceServer;
use parlor_wire::internal::chat::v1::chat_internal_service_server::ChatInternalServiceServer;
use parlor_wire::internal::media::v1::media_internal_service_client::MediaInternalServiceClient;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, EntryUse, ReleaseRequest, Use};
use parlor_wire::media::v1::media_service_client::MediaServiceClient;
use parlor_wire::media::v1::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tonic::Status;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

pub use uses::Uses;

/// What shutting down may take.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// Bytes of a part.
pub const PART: usize = 256 * 1024;
/// How long tokens are good.
const LIFE: Duration = Duration::from_secs(100 * 24 * 3600);
/// How long a file is kept that nothing uses.
pub const KEEP: Duration = Duration::from_secs(24 * 3600);

pub type Client = MediaServiceClient<InterceptedService<Channel, Bearer>>;

/// A running media-svc and what it needs.
pub struct Scene {
    pub auth: TestAuth,
    pub uses: Uses,
    pub clock: Arc<ManualClock>,
    pub app: App,
    public: Serving,
    internal: Serving,
    pub folder: Arc<TempDir>,
    config: Config,
}

/// The defaults, but looking for what is to be collected all the time, and without limits of calls.
pub fn config() -> Config {
    let fast = RateLimit { burst: 1_000_000, per_second: 1_000_000.0 };
    let mut config = Config {
        collect_every: Duration::from_millis(10),
        save_every: Duration::from_millis(20),
        ..Config::default()
    };
    (config.limits.read, config.limits.write, config.limits.part) = (fast, fast, fast);
    config
}

impl Scene {
    pub async fn start() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: Config) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(ManualClock::at(SystemTime::now()));
        Self::open(TestAuth::new(), Uses::default(), folder, clock, config).await
    }

    pub async fn open(
        auth: TestAuth,
        uses: Uses,
        folder: Arc<TempDir>,
        clock: Arc<ManualClock>,
        config: Config,
    ) -> Self {
        let internal = |routes| Authorized::new(local_channel(routes), Arc::new(auth.clone()));
        let profiles = AuthInternalServiceServer::new(uses.profiles(&auth));
        let entries = ChatInternalServiceServer::new(uses.clone());
        let mut opened = None;
        eventually("the store is free", PATIENCE, async || {
            let needs = Needs {
                data: folder.path().to_owned(),
                auth: auth.public_channel(),
                auth_internal: internal(Routes::new(profiles.clone())),
                chat_internal: internal(Routes::new(entries.clone())),
                inspector: vec![env!("CARGO_BIN_EXE_inspect-media").into()],
                clock: Arc::clone(&clock) as _,
            };
            opened = App::build(&config, needs).ok();
            opened.is_some()
        })
        .await;
        let app = opened.expect("it was waited for");
        in_time("readiness", app.readiness().wait()).await;
        let (public, internal) = (Serving::start(app.public()).await, Serving::start(app.internal()).await);
        Self { auth, uses, clock, app, public, internal, folder, config }
    }

    /// Stops it in good order, and starts it again on the same folder.
    pub async fn restart(self) -> Self {
        let Self { auth, uses, clock, app, public, internal, folder, config } = self;
        app.shutdown(SHUTDOWN).await.expect("the tasks end in time");
        public.stop(Duration::ZERO).await;
        internal.stop(Duration::ZERO).await;
        drop(app);
        Self::open(auth, uses, folder, clock, config).await
    }

    /// Somebody new, with a connection of their own.
    pub async fn user(&self) -> User {
        self.again(person(&self.auth)).await
    }

    /// Somebody who was there before a restart.
    pub async fn again(&self, person: Person) -> User {
        User { media: self.calling(Some(&person.token)).await, person }
    }

    pub async fn calling(&self, token: Option<&str>) -> Client {
        MediaServiceClient::with_interceptor(self.public.channel().await, Bearer::new(token))
    }

    /// The internal API as another service calls it.
    pub async fn service(&self) -> MediaInternalServiceClient<Authorized> {
        let tokens = Arc::new(ServiceTokens(self.auth.clone()));
        MediaInternalServiceClient::new(Authorized::new(self.internal.channel().await, tokens))
    }

    /// Claims files for an entry of some op; those of others they can read.
    pub async fn claim(
        &self,
        user: &User,
        op: &str,
        ids: &[&str],
        readable: &[&str],
    ) -> Result<Vec<Media>, Status> {
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let (media_ids, readable_ids) = (texts(ids), texts(readable));
        let request =
            ClaimRequest { user_id: user.person.id(), r#use: Some(entry(op)), media_ids, readable_ids };
        Ok(self.service().await.claim(request).await?.into_inner().media)
    }

    pub async fn release(&self, op: &str, ids: &[&str]) {
        let media_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let request = ReleaseRequest { r#use: Some(entry(op)), media_ids };
        self.service().await.release(request).await.unwrap();
    }

    /// The bytes that are kept of a finished file.
    pub fn blob(&self, id: &str, variant: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join("blobs").join(id).join(variant)).ok()
    }

    /// All files in a folder of its data, but for the mark that says whose they are.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let folder = self.folder.path().join(folder);
        let found = files_in(&folder).into_iter();
        found.filter(|path| *path != folder.join("owner")).collect()
    }
}

/// Somebody new, whose token outlives the days that a test lets pass.
pub fn person(auth: &TestAuth) -> Person {
    let caller = Caller { expires_at: SystemTime::now() + LIFE, ..auth.person().caller };
    let token = auth.token(&caller, Audience::Public, SystemTime::now());
    Person { caller, token }
}

/// Another service's tokens, which do too.
struct ServiceTokens(TestAuth);

#[tonic::async_trait]
impl TokenSource for ServiceTokens {
    async fn token(&self) -> Result<String, Problem> {
        let caller = Caller { kind: CallerKind::Service, ..person(&self.0).caller };
        Ok(self.0.token(&caller, Audience::Internal, SystemTime::now()))
    }
}

pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// An entry of the one conversation there is, by its op.
pub fn entry(op: &str) -> Use {
    let conversation_id = ConversationId::from_bytes([1; 16]).to_string();
    Use { place: Some(Place::Entry(EntryUse { conversation_id, op: op.to_owned() })) }
}

pub fn profile(user: &User) -> Use {
    Use { place: Some(Place::ProfileUserId(user.person.id())) }
}

pub fn op() -> String {
    Op::new().to_string()
}

/// An id that nothing has.
pub fn nothing() -> String {
    MediaId::new().to_string()
}

/// Bytes that are nowhere alike.
pub fn bytes(length: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Somebody logged in.
pub struct User {
    pub person: Person,
    pub media: Client,
}

impl User {
    /// What one says to upload these bytes as a file.
    pub fn saying(bytes: &[u8]) -> CreateUploadRequest {
        CreateUploadRequest {
            op: op(),
            name: "a file".to_owned(),
            size: bytes.len() as u64,
            media_type: String::new(),
            sha256: sha256(bytes).into(),
            purpose: Purpose::File.into(),
        }
    }

    pub async fn begin(&self, request: CreateUploadRequest) -> Result<Upload, Status> {
        Ok(self.media.clone().create_upload(request).await?.into_inner().upload.unwrap())
    }

    pub async fn part(&self, id: &str, offset: usize, data: &[u8]) -> Result<u64, Status> {
        let data = data.to_vec().into();
        let request = UploadPartRequest { media_id: id.to_owned(), offset: offset as u64, data };
        Ok(self.media.clone().upload_part(request).await?.into_inner().received_bytes)
    }

    /// Part number `index` of these bytes.
    pub async fn send(&self, id: &str, bytes: &[u8], index: usize) -> Result<u64, Status> {
        let start = index * PART;
        self.part(id, start, &bytes[start..bytes.len().min(start + PART)]).await
    }

    pub async fn send_all(&self, id: &str, bytes: &[u8]) {
        for index in 0..bytes.len().div_ceil(PART) {
            self.send(id, bytes, index).await.unwrap();
        }
    }

    pub async fn upload(&self, id: &str) -> Result<Upload, Status> {
        let request = GetUploadRequest { media_id: id.to_owned() };
        Ok(self.media.clone().get_upload(request).await?.into_inner().upload.unwrap())
    }

    pub async fn finish(&self, id: &str) -> Result<Media, Status> {
        let request = FinishUploadRequest { media_id: id.to_owned() };
        Ok(self.media.clone().finish_upload(request).await?.into_inner().media.unwrap())
    }

    pub async fn delete(&self, id: &str) -> Result<(), Status> {
        let request = DeleteMediaRequest { media_id: id.to_owned() };
        self.media.clone().delete_media(request).await.map(drop)
    }

    pub async fn usage(&self) -> GetUsageResponse {
        self.media.clone().get_usage(GetUsageRequest {}).await.unwrap().into_inner()
    }

    /// A finished file of these bytes.
    pub async fn file(&self, bytes: &[u8]) -> Media {
        let upload = self.begin(Self::saying(bytes)).await.unwrap();
        self.send_all(&upload.media_id, bytes).await;
        self.finish(&upload.media_id).await.unwrap()
    }

    /// Whether there is such a file or upload of theirs.
    pub async fn has(&self, id: &str) -> bool {
        self.upload(id).await.is_ok()
    }
}
