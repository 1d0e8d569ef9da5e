//! Starts the service, calls it, and reads its refusals.

pub mod smtp;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use auth_svc::{
    App, Argon2id, Config, DailyLimit, FailureConfig, Hasher, Parts, Password, PasswordConfig, PasswordHash,
    RateLimit,
};
use parlor_grpc_kit::{Listener, ServeOptions, local_channel};
use parlor_runtime::clock::ManualClock;
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::email_service_client::EmailServiceClient;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient;
use parlor_wire::reason::from_status;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

pub const PASSWORD: &str = "correct horse battery";
pub const OTHER_PASSWORD: &str = "wolkenkratzer-lampe-7";
pub const LONG: Duration = Duration::from_secs(3600);

/// A password hasher that is counted.
pub struct Counting {
    inner: Argon2id,
    pub hashed: AtomicUsize,
    pub verified: AtomicUsize,
}

impl Counting {
    pub fn new(memory_kib: u32) -> Arc<Self> {
        let inner = Argon2id::new(memory_kib, 1, 1).unwrap();
        Arc::new(Self { inner, hashed: AtomicUsize::new(0), verified: AtomicUsize::new(0) })
    }

    /// Hashes made and verified since the last time.
    pub fn take(&self) -> (usize, usize) {
        (self.hashed.swap(0, Ordering::SeqCst), self.verified.swap(0, Ordering::SeqCst))
    }
}

impl Hasher for Counting {
    fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        self.hashed.fetch_add(1, Ordering::SeqCst);
        self.inner.hash(password)
    }

    fn verify(&self, password: &Password, hash: &PasswordHash) -> bool {
        self.verified.fetch_add(1, Ordering::SeqCst);
        self.inner.verify(password, hash)
    }

    fn is_current(&self, hash: &PasswordHash) -> bool {
        self.inner.is_current(hash)
    }
}

/// Cheap hashes and no limits; what a test is about it changes.
pub fn config(folder: &Path) -> Config {
    let mut config = Config::in_folder(folder);
    config.password = PasswordConfig {
        memory_kib: 64,
        passes: 1,
        patience: Duration::from_secs(60),
        waiting: 10_000,
        ..config.password
    };
    let unlimited = RateLimit { burst: 1_000_000, per_second: 1_000_000.0 };
    let limits = &mut config.limits;
    for limit in [&mut limits.register, &mut limits.login, &mut limits.refresh, &mut limits.keys] {
        *limit = unlimited;
    }
    for limit in [&mut limits.set_email, &mut limits.find_by_email] {
        *limit = unlimited;
    }
    limits.mail_per_address = DailyLimit { burst: 1_000_000, per_day: 1_000_000 };
    limits.mail_per_account_and_address = DailyLimit { burst: 999_999, per_day: 999_999 };
    for limit in [&mut limits.read, &mut limits.write, &mut limits.change_password] {
        *limit = unlimited;
    }
    let patient = FailureConfig { burst: 1_000_000, every: Duration::from_secs(1) };
    (config.throttle.account, config.throttle.address) = (patient, patient);
    config
}

/// The service at work.
pub struct Server {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub config: Config,
    channel: Channel,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    /// In a new folder, which lives as long as the first of the two.
    pub async fn start() -> (TempDir, Self) {
        let folder = tempfile::tempdir().unwrap();
        let server = Self::start_with(config(folder.path())).await;
        (folder, server)
    }

    pub async fn start_with(config: Config) -> Self {
        Self::start_hashing(config, None).await
    }

    pub async fn start_hashing(config: Config, hasher: Option<Arc<dyn Hasher>>) -> Self {
        Self::start_at(config, hasher, Arc::new(ManualClock::at(SystemTime::now()))).await
    }

    pub async fn start_at(config: Config, hasher: Option<Arc<dyn Hasher>>, clock: Arc<ManualClock>) -> Self {
        Self::start_from(
            config,
            Parts { clock: Arc::clone(&clock) as _, hasher, media_internal: None },
            clock,
        )
        .await
    }

    /// With a media-svc behind this channel.
    pub async fn start_with_media(config: Config, media: Channel) -> Self {
        let clock = Arc::new(ManualClock::at(SystemTime::now()));
        let parts = Parts { clock: Arc::clone(&clock) as _, hasher: None, media_internal: Some(media) };
        Self::start_from(config, parts, clock).await
    }

    async fn start_from(config: Config, parts: Parts, clock: Arc<ManualClock>) -> Self {
        let app = App::build(config.clone(), parts).await.unwrap();
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let endpoint = Endpoint::from_shared(format!("http://{}", listener.address())).unwrap();
        let (routes, stop) = (app.public(), CancellationToken::new());
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move {
                let stop = async move {
                    stop.cancelled().await;
                    LONG
                };
                listener.serve(routes, &ServeOptions::default(), stop).await.unwrap();
            }
        });
        let channel = endpoint.connect().await.unwrap();
        Self { app, clock, config, channel, stop, serving }
    }

    /// Stops all of it; then the folder may be opened again.
    pub async fn stop(self) {
        drop(self.channel);
        self.stop.cancel();
        self.serving.await.unwrap();
        self.app.shutdown(Duration::from_secs(10)).await.unwrap();
    }

    /// Stops and starts again on the same folder, with the same clock.
    pub async fn restart(self) -> Self {
        let (config, clock) = (self.config.clone(), Arc::clone(&self.clock));
        self.stop().await;
        Self::start_at(config, None, clock).await
    }

    pub fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    pub fn people(&self) -> ProfileServiceClient<Channel> {
        ProfileServiceClient::new(self.channel.clone())
    }

    pub fn emails(&self) -> EmailServiceClient<Channel> {
        EmailServiceClient::new(self.channel.clone())
    }

    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub fn internal(&self) -> AuthInternalServiceClient<Channel> {
        AuthInternalServiceClient::new(local_channel(self.app.internal()))
    }

    /// An internal access token.
    pub async fn service_token(&self) -> String {
        self.app.internal_token_source().token().await.unwrap()
    }

    /// A new account with [`PASSWORD`], logged in on a device of its own.
    pub async fn register(&self, username: &str) -> Credentials {
        let answer = self.auth().register(registration(username)).await.unwrap();
        answer.into_inner().credentials.unwrap()
    }

    pub async fn login(&self, username: &str, password: &str, device: Device) -> Result<Credentials, Status> {
        let answer = self.auth().login(login(username, password, device)).await?;
        Ok(answer.into_inner().credentials.unwrap())
    }

    pub async fn refresh(&self, token: &str, op: &str) -> Result<Credentials, Status> {
        let request = RefreshRequest { refresh_token: token.to_owned(), op: op.to_owned() };
        Ok(self.auth().refresh(request).await?.into_inner().credentials.unwrap())
    }

    /// Whether the access token is still good; else why not.
    pub async fn check(&self, token: &str) -> Result<(), ErrorReason> {
        let answer = self.people().get_profile(with(token, GetProfileRequest::default())).await;
        answer.map(drop).map_err(|status| from_status(&status).reason())
    }
}

pub fn op() -> String {
    Op::new().to_string()
}

pub fn device() -> Device {
    Device { device_id: DeviceId::new().to_string(), name: "phone".to_owned() }
}

pub fn registration(username: &str) -> RegisterRequest {
    RegisterRequest {
        op: op(),
        username: username.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: String::new(),
        device: Some(device()),
    }
}

pub fn login(username: &str, password: &str, device: Device) -> LoginRequest {
    LoginRequest { username: username.to_owned(), password: password.to_owned(), device: Some(device) }
}

/// The message with an access token.
pub fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// The failure of a call that must fail.
pub fn problem<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Problem {
    from_status(&answer.expect_err("the call must fail"))
}

pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> ErrorReason {
    from_status(&answer.expect_err("the call must fail")).reason()
}

/// The fields a call that must fail was refused for.
pub fn fields<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> Vec<String> {
    let problem = problem(answer);
    assert_eq!(problem.reason(), ErrorReason::FieldInvalid, "{problem:?}");
    problem.violations.into_iter().map(|violation| violation.field).collect()
}

/// All that a client can see of a failure.
pub fn bytes_of(status: &Status) -> (i32, String, Vec<u8>) {
    (status.code().into(), status.message().to_owned(), status.details().to_vec())
}
