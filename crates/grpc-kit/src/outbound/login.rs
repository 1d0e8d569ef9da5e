//! The credential of a service that runs apart from auth-svc: a service account, and the tokens it logs in for.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use parlor_runtime::config::Secret;
use parlor_types::{DeviceId, Id as _, UserId};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Credentials, Device, LoginServiceRequest};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};
use tonic::transport::Channel;

use super::TokenSource;
use crate::problem::problem;

/// How long to wait for auth-svc.
const DEADLINE: Duration = Duration::from_secs(5);
/// How soon after an attempt that failed there is another.
const RETRY: Duration = Duration::from_millis(500);

/// Tokens of a service account, good for the internal API. One is kept and used by all calls; from half its life on a
/// new one is fetched beside the calls, so that auth-svc may be away for the other half. Clones share it.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Inner>);

struct Inner {
    auth: Channel,
    account: UserId,
    secret: Secret,
    device: Device,
    token: ArcSwapOption<Token>,
    /// When an attempt last failed. Held while one is made, so that whoever comes meanwhile waits for its answer.
    failed: Mutex<Option<Instant>>,
}

struct Token {
    text: String,
    since: Instant,
    good_for: Duration,
}

impl ServiceTokens {
    /// Logs in through `auth` when the first token is wanted. `service` is what calls itself so: all that run it with
    /// one account share a session.
    #[must_use]
    pub fn new(auth: Channel, account: UserId, secret: Secret, service: &str) -> Self {
        let device = Device { device_id: device_of(account, service).to_string(), name: service.to_owned() };
        let (token, failed) = (ArcSwapOption::empty(), Mutex::default());
        Self(Arc::new(Inner { auth, account, secret, device, token, failed }))
    }
}

/// The same for the same two, always.
fn device_of(account: UserId, service: &str) -> DeviceId {
    let mut bytes = account.bytes();
    for (at, byte) in service.bytes().enumerate() {
        bytes[at % bytes.len()] ^= byte;
    }
    DeviceId::from_bytes(bytes)
}

#[async_trait]
impl TokenSource for ServiceTokens {
    async fn token(&self) -> Result<String, Problem> {
        let Inner { token, .. } = &*self.0;
        match token.load_full() {
            Some(token) if token.age() < token.good_for / 2 => Ok(token.text.clone()),
            Some(token) if token.age() < token.good_for => {
                let own = self.clone();
                // Its failure is told, and of no consequence until the token ends.
                tokio::spawn(async move {
                    if let Ok(turn) = own.0.failed.try_lock() {
                        let _ = own.0.renew(turn).await;
                    }
                });
                Ok(token.text.clone())
            }
            _ => {
                let before = token.load_full();
                let turn = self.0.failed.lock().await;
                match token.load_full() {
                    // Somebody else has fetched it meanwhile.
                    Some(now) if before.is_none_or(|before| before.since < now.since) => Ok(now.text.clone()),
                    _ => self.0.renew(turn).await,
                }
            }
        }
    }
}

impl Inner {
    async fn renew(&self, mut failed: MutexGuard<'_, Option<Instant>>) -> Result<String, Problem> {
        if failed.is_some_and(|at| at.elapsed() < RETRY) {
            return Err(problem(ErrorReason::Unavailable, "this service has just failed to log in"));
        }
        let asked = Instant::now();
        match self.log_in().await {
            Ok(credentials) => {
                *failed = None;
                let good_for = Duration::from_secs(credentials.access_token_seconds.into());
                let text = credentials.access_token;
                self.token.store(Some(Arc::new(Token { text: text.clone(), since: asked, good_for })));
                Ok(text)
            }
            Err(reason) => {
                *failed = Some(Instant::now());
                tracing::warn!(reason, "this service cannot log in to auth-svc");
                Err(problem(ErrorReason::Unavailable, "this service cannot log in"))
            }
        }
    }

    async fn log_in(&self) -> Result<Credentials, String> {
        let request = LoginServiceRequest {
            service_account_id: self.account.to_string(),
            secret: self.secret.expose().to_owned(),
            device: Some(self.device.clone()),
        };
        let mut client = AuthServiceClient::new(self.auth.clone());
        let answer = timeout(DEADLINE, client.login_service(request))
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        answer.into_inner().credentials.ok_or_else(|| "an answer without credentials".to_owned())
    }
}

impl Token {
    fn age(&self) -> Duration {
        self.since.elapsed()
    }
}

impl std::fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceTokens").field("account", &self.0.account).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
