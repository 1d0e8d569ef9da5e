//! Keys from auth-svc, for everybody else.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use parlor_runtime::ready::Condition;
use parlor_wire::auth::v1::GetJwksRequest;
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::{KeySet, KeySource};

/// How often the keys are asked for.
const POLL: Duration = Duration::from_secs(60);
/// How soon after the last time an unknown key makes us ask again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon after an attempt that failed it is tried again while there are no keys at all.
const RETRY: Duration = Duration::from_millis(500);
/// How long to wait for the answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// Keys that GetJwks gives. While auth-svc cannot be asked, the last ones stay good.
#[derive(Debug)]
pub struct RemoteKeys {
    channel: Channel,
    keys: ArcSwap<KeySet>,
    /// When it was last asked. Held while asking, so that whoever comes meanwhile waits for that answer.
    asked: Mutex<Option<Instant>>,
}

impl RemoteKeys {
    /// No keys yet: [`run`](Self::run) or the first token fetches them.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { channel, keys: ArcSwap::default(), asked: Mutex::default() }
    }

    /// Keeps the keys fresh until `stop`. `known` holds from when there are some.
    pub async fn run(&self, known: Condition, stop: CancellationToken) {
        let poll = async {
            loop {
                self.refresh().await;
                let none = self.keys.load().is_empty();
                known.set(!none);
                sleep(if none { RETRY } else { POLL }).await;
            }
        };
        stop.run_until_cancelled(poll).await;
    }

    async fn ask_unless_asked_within(&self, patience: Duration) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| at.elapsed() < patience) {
            return;
        }
        *asked = Some(Instant::now());
        match self.ask().await {
            Ok(keys) => self.keys.store(Arc::new(keys)),
            Err(reason) => tracing::warn!(reason, "the keys of access tokens could not be fetched"),
        }
    }

    async fn ask(&self) -> Result<KeySet, String> {
        let mut client = AuthServiceClient::new(self.channel.clone());
        let answer = timeout(DEADLINE, client.get_jwks(GetJwksRequest {}))
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|status| format!("{:?}: {}", status.code(), status.message()))?;
        KeySet::from_jwks(&answer.into_inner().keys).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl KeySource for RemoteKeys {
    fn keys(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    async fn refresh(&self) {
        let patience = if self.keys.load().is_empty() { RETRY } else { PATIENCE };
        self.ask_unless_asked_within(patience).await;
    }
}

#[cfg(test)]
mod tests;
