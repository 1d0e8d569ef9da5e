//! People, over the public API.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use parlor_client::{Client, LogIn};
use parlor_testkit::{ChatClient, chat_client, in_time};
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::email_service_client::EmailServiceClient;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use parlor_wire::auth::v1::{Credentials, Device, LoginRequest, LoginServiceRequest, RegisterRequest};
use parlor_wire::chat::v1::people_service_client::PeopleServiceClient;
use parlor_wire::media::v1::media_service_client::MediaServiceClient;
use parlor_wire::presence::v1::presence_service_client::PresenceServiceClient;
use tokio::process::Command;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::{history, programs};

/// Everybody's, until it is changed.
pub const PASSWORD: &str = "correct horse battery staple";
/// How long our client library repeats a call: longer than a server takes to come back.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody logged in on one device.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// What the server gave.
    pub credentials: Credentials,
    channel: Channel,
}

/// A user name that nobody has.
#[must_use]
pub fn name(like: &str) -> String {
    let random = Op::new().to_string();
    format!("{like}.{}", &random[24..])
}

impl Login {
    /// Somebody new.
    ///
    /// # Panics
    /// Refused.
    pub async fn register(channel: Channel, like: &str) -> Self {
        let username = name(like);
        let request = RegisterRequest {
            op: Op::new().to_string(),
            username: username.clone(),
            password: PASSWORD.to_owned(),
            display_name: String::new(),
            device: Some(new_device()),
        };
        let answer = AuthServiceClient::new(channel.clone()).register(request).await.expect("registers");
        Self { username, credentials: answer.into_inner().credentials.expect("credentials"), channel }
    }

    /// A service account, with what whoever operates the server was shown.
    ///
    /// # Panics
    /// Refused.
    pub async fn service(channel: Channel, id: &str, secret: &str) -> Self {
        let request = LoginServiceRequest {
            service_account_id: id.to_owned(),
            secret: secret.to_owned(),
            device: Some(new_device()),
        };
        let answer = AuthServiceClient::new(channel.clone()).login_service(request).await.expect("logs in");
        let credentials = answer.into_inner().credentials.expect("credentials");
        Self { username: "a service".to_owned(), credentials, channel }
    }

    /// Somebody who is registered, on a new device.
    ///
    /// # Errors
    /// The password is another, or there is no such user.
    ///
    /// # Panics
    /// The answer lacks something.
    pub async fn enter(channel: Channel, username: &str, password: &str) -> Result<Self, Status> {
        let username = username.to_owned();
        let request = LoginRequest {
            username: username.clone(),
            password: password.to_owned(),
            device: Some(new_device()),
        };
        let answer = AuthServiceClient::new(channel.clone()).login(request).await?;
        let credentials = answer.into_inner().credentials.expect("credentials");
        Ok(Self { username, credentials, channel })
    }

    /// The same person on another device, on the same connection.
    ///
    /// # Errors
    /// The password is another.
    ///
    /// # Panics
    /// The answer lacks something.
    pub async fn another_device(&self, password: &str) -> Result<Self, Status> {
        Self::enter(self.channel.clone(), &self.username, password).await
    }

    /// The same session over another connection.
    #[must_use]
    pub fn over(&self, channel: Channel) -> Self {
        Self { channel, ..self.clone() }
    }

    /// The user id.
    #[must_use]
    pub fn id(&self) -> String {
        self.credentials.user_id.clone()
    }

    /// The connection.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The chat API in this session's name.
    #[must_use]
    pub fn chat(&self) -> ChatClient {
        chat_client(self.channel.clone(), Some(&self.credentials.access_token))
    }

    /// The auth API in this session's name.
    #[must_use]
    pub fn auth(&self) -> AuthServiceClient<Authorized> {
        AuthServiceClient::new(self.authorized())
    }

    /// Profiles, in this session's name.
    #[must_use]
    pub fn profiles(&self) -> ProfileServiceClient<Authorized> {
        ProfileServiceClient::new(self.authorized())
    }

    /// E-mail addresses, in this session's name.
    #[must_use]
    pub fn emails(&self) -> EmailServiceClient<Authorized> {
        EmailServiceClient::new(self.authorized())
    }

    /// Contacts, blocks and privacy, in this session's name.
    #[must_use]
    pub fn people(&self) -> PeopleServiceClient<Authorized> {
        PeopleServiceClient::new(self.authorized())
    }

    /// The presence API in this session's name.
    #[must_use]
    pub fn presence(&self) -> PresenceServiceClient<Authorized> {
        PresenceServiceClient::new(self.authorized())
    }

    /// The media API in this session's name.
    #[must_use]
    pub fn media(&self) -> MediaServiceClient<Authorized> {
        MediaServiceClient::new(self.authorized())
    }

    fn authorized(&self) -> Authorized {
        InterceptedService::new(self.channel.clone(), Authorize(self.credentials.access_token.clone()))
    }
}

/// A connection that carries the access token.
pub type Authorized = InterceptedService<Channel, Authorize>;

/// Adds the access token.
#[derive(Debug, Clone)]
pub struct Authorize(String);

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = format!("Bearer {}", self.0).parse().expect("a token is text for a header");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

fn new_device() -> Device {
    Device { device_id: DeviceId::new().to_string(), name: "test".to_owned() }
}

/// Makes a service account on the folder of a server that is stopped: its id and its secret.
///
/// # Panics
/// The name is taken, or the server runs.
pub async fn service(data: &Path, name: &str) -> [String; 2] {
    let mut command = Command::new(programs().join("auth-svc"));
    command.args(["service-account", "create", name, "--data"]).arg(data).stdin(Stdio::null());
    let made = in_time("an account", command.output()).await.expect("auth-svc can be run");
    assert!(made.status.success(), "an account is made: {made:?}");
    let text = String::from_utf8(made.stdout).expect("text");
    let word = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).expect("it is printed");
    ["id", "secret"].map(|key| word(key).trim().to_owned())
}

/// Somebody new, through our client library, with a profile in `folder` and a history beside it.
///
/// # Panics
/// Refused.
pub async fn client(folder: &Path, server: &str, like: &str) -> Client {
    let client = Client::open(folder, server, PATIENCE).await.expect("the profile opens");
    client.record_history(&history::of_profile(folder)).await.expect("it can be written");
    let who = LogIn { username: name(like), password: PASSWORD.to_owned(), device_name: "test".to_owned() };
    client.register(&who, "").await.expect("registers");
    client
}
