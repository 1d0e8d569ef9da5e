//! Calls in the name of a session: the token ahead of need, retries as the server advises.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use parlor_types::Op;
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::email_service_client::EmailServiceClient;
use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
use parlor_wire::auth::v1::{Credentials, RefreshRequest};
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::people_service_client::PeopleServiceClient;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::media_service_client::MediaServiceClient;
use parlor_wire::presence::v1::presence_service_client::PresenceServiceClient;
use parlor_wire::reason::{Retry, from_status, meaning};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::blocking;
use super::record::Record;
use super::server::Channels;
use crate::core::{retry_after, wait};
use crate::error::Error;
use crate::store::{Store, StoreError, Tokens};

/// The access token is renewed this long before it ends.
const AHEAD: Duration = Duration::from_secs(60);
/// One call may take this long.
pub(super) const CALL_WITHIN: Duration = Duration::from_secs(30);

/// A server, and who speaks to it.
#[derive(Debug)]
pub(super) struct Session {
    pub store: Arc<Store>,
    pub server: String,
    channels: Channels,
    pub patience: Duration,
    /// Held while tokens are renewed; an access token that the server refused.
    refused: Mutex<Refused>,
    /// What becomes of this client is written down here, if anywhere.
    pub record: OnceLock<Record>,
}

#[derive(Debug, Default)]
struct Refused {
    token: Option<String>,
    /// The token that came in its place. If it is refused too, another would be.
    successor: Option<String>,
}

/// What a call needs.
#[derive(Clone)]
pub(super) struct Access {
    channels: Channels,
    pub token: Option<String>,
}

impl Access {
    pub fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channels.auth.clone())
    }

    pub fn profiles(&self) -> ProfileServiceClient<Channel> {
        ProfileServiceClient::new(self.channels.auth.clone())
    }

    pub fn email(&self) -> EmailServiceClient<Channel> {
        EmailServiceClient::new(self.channels.auth.clone())
    }

    pub fn people(&self) -> PeopleServiceClient<Channel> {
        PeopleServiceClient::new(self.channels.chat.clone())
    }

    pub fn presence(&self) -> PresenceServiceClient<Channel> {
        PresenceServiceClient::new(self.channels.presence.clone())
    }

    pub fn chat(&self) -> ChatServiceClient<Channel> {
        ChatServiceClient::new(self.channels.chat.clone())
    }

    pub fn media(&self) -> MediaServiceClient<Channel> {
        MediaServiceClient::new(self.channels.files.clone())
    }

    /// With the token and a deadline.
    pub fn request<T>(&self, message: T) -> Request<T> {
        self.request_within(CALL_WITHIN, message)
    }

    /// With the token and this deadline.
    pub fn request_within<T>(&self, within: Duration, message: T) -> Request<T> {
        let mut request = self.endless(message);
        request.set_timeout(within);
        request
    }

    /// With the token.
    pub fn endless<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer =
            self.token.as_ref().and_then(|token| MetadataValue::try_from(format!("Bearer {token}")).ok());
        if let Some(bearer) = bearer {
            request.metadata_mut().insert("authorization", bearer);
        }
        request
    }
}

impl Session {
    pub fn new(store: Arc<Store>, server: String, channels: Channels, patience: Duration) -> Self {
        Self { store, server, channels, patience, refused: Mutex::default(), record: OnceLock::new() }
    }

    fn access_with(&self, token: Option<String>) -> Access {
        Access { channels: self.channels.clone(), token }
    }

    pub async fn stored<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Error> {
        let store = Arc::clone(&self.store);
        blocking(move || job(&store)).await
    }

    /// A call without a token, repeated as long as patience lasts.
    pub async fn open_call<T, F, R>(&self, call: F) -> Result<T, Error>
    where
        F: Fn(Access) -> R,
        R: Future<Output = Result<Response<T>, Status>>,
    {
        let access = self.access_with(None);
        self.patiently(async || within(CALL_WITHIN, call(access.clone())).await.map_err(refused)).await
    }

    /// A call in the session's name, repeated as long as patience lasts.
    pub async fn call<T, F, R>(&self, call: F) -> Result<T, Error>
    where
        F: Fn(Access) -> R,
        R: Future<Output = Result<Response<T>, Status>>,
    {
        self.patiently(async || self.call_once(&call).await).await
    }

    /// A call in the session's name, made once, or twice if the first found the token out of date.
    pub async fn call_once<T, F, R>(&self, call: F) -> Result<T, Error>
    where
        F: Fn(Access) -> R,
        R: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_once_within(CALL_WITHIN, call).await
    }

    /// The same, with another deadline.
    pub async fn call_once_within<T, F, R>(&self, limit: Duration, call: F) -> Result<T, Error>
    where
        F: Fn(Access) -> R,
        R: Future<Output = Result<Response<T>, Status>>,
    {
        loop {
            let access = self.access().await?;
            let problem = match within(limit, call(access.clone())).await {
                Ok(answer) => return Ok(answer),
                Err(problem) => problem,
            };
            if !self.token_was_refused(&access, &problem).await {
                return Err(self.over(problem).await?);
            }
        }
    }

    /// The present access token, renewed if it is about to end or was refused.
    pub async fn access(&self) -> Result<Access, Error> {
        let mut refused = self.refused.lock().await;
        let tokens = self.stored(Store::account).await?.tokens.ok_or(Error::NotLoggedIn)?;
        let was_refused = refused.token.as_ref() == Some(&tokens.access);
        let left = tokens.access_until.duration_since(SystemTime::now()).unwrap_or_default();
        let token = if left > AHEAD && !was_refused {
            tokens.access
        } else {
            match self.refresh(&tokens).await {
                Ok(fresh) => {
                    refused.successor = was_refused.then(|| fresh.access.clone());
                    fresh.access
                }
                // Nobody answers, but the token is still good.
                Err(Error::Unreachable(_)) if !left.is_zero() && !was_refused => tokens.access,
                Err(other) => return Err(other),
            }
        };
        Ok(self.access_with(Some(token)))
    }

    /// Notes that a token is of no use. Answers whether another may be.
    pub async fn token_was_refused(&self, access: &Access, problem: &Problem) -> bool {
        if !matches!(problem.reason(), ErrorReason::TokenExpired | ErrorReason::TokenInvalid) {
            return false;
        }
        let mut refused = self.refused.lock().await;
        if refused.successor == access.token {
            return false;
        }
        refused.token.clone_from(&access.token);
        true
    }

    /// Trades the refresh token. Two processes that do so at once use the same op, so both get the same successor.
    async fn refresh(&self, stale: &Tokens) -> Result<Tokens, Error> {
        let begun = {
            let stale = stale.clone();
            self.stored(move |store| store.begin_refresh(&stale, Op::new())).await?
        };
        let Some(attempt) = begun else {
            // Another process was faster, or has logged out.
            return self.stored(Store::account).await?.tokens.ok_or(Error::NotLoggedIn);
        };
        let access = self.access_with(None);
        let message = RefreshRequest { refresh_token: attempt.token.clone(), op: attempt.op.to_string() };
        let answer =
            within(CALL_WITHIN, async { access.auth().refresh(access.request(message)).await }).await;
        match answer {
            Ok(answer) => {
                let tokens = tokens(answer.credentials)?;
                let saved = self.stored(move |store| store.finish_refresh(&attempt, &tokens)).await?;
                saved.ok_or(Error::NotLoggedIn)
            }
            Err(problem) => {
                let present = self.stored(Store::account).await?.tokens.ok_or(Error::NotLoggedIn)?;
                if present.refresh != attempt.token {
                    return Ok(present); // another process was faster
                }
                Err(self.over(problem).await?)
            }
        }
    }

    /// Makes the error of a problem; if it says that the session is over, the store hears of it.
    pub async fn over(&self, problem: Problem) -> Result<Error, Error> {
        if !ends_session(problem.reason()) {
            return Ok(refused(problem));
        }
        let session = self.stored(Store::account).await?.session;
        self.stored(move |store| store.end_session(session)).await?;
        Ok(Error::SessionOver(problem))
    }

    async fn patiently<T>(&self, attempt: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        let until = Instant::now() + self.patience;
        let mut rng = StdRng::from_rng(&mut rand::rng());
        for failures in 0.. {
            let error = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let (Error::Refused(problem) | Error::Unreachable(problem)) = &error else { return Err(error) };
            let wait = wait(&mut rng, failures, retry_after(problem));
            if meaning(problem.reason()).1 != Retry::Same || Instant::now() + wait > until {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
        }
        Err(Error::Stopped)
    }
}

/// Whether the session is gone for good.
pub(super) fn ends_session(reason: ErrorReason) -> bool {
    use ErrorReason as R;
    matches!(reason, R::TokenMissing | R::TokenInvalid | R::SessionEnded | R::RefreshReused)
}

/// One attempt, with the deadline that the server was told.
async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(limit, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(from_status(&status)),
        Err(_) => Err(Problem {
            reason: ErrorReason::Unavailable.into(),
            message: "no answer in time".to_owned(),
            ..Problem::default()
        }),
    }
}

/// The error of a problem that leaves the session as it is.
pub(super) fn refused(problem: Problem) -> Error {
    match problem.reason() {
        ErrorReason::Unavailable | ErrorReason::Draining => Error::Unreachable(problem),
        _ => Error::Refused(problem),
    }
}

/// The tokens of an answer, with their end by our own clock.
pub(super) fn tokens(credentials: Option<Credentials>) -> Result<Tokens, Error> {
    let credentials = credentials.ok_or(Error::Answer("credentials"))?;
    let good_for = Duration::from_secs(credentials.access_token_seconds.into());
    Ok(Tokens {
        access: credentials.access_token,
        access_until: SystemTime::now() + good_for,
        refresh: credentials.refresh_token,
    })
}
