//! What is done once a minute: expired sessions end, and what nobody asks for any more is forgotten.

use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::time::Moment;

/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Revocations are kept this long; followers ask for 11 minutes at most.
const KEEP_REVOCATIONS: Duration = Duration::from_secs(24 * 60 * 60);
/// Expired sessions ended in one go.
const BATCH: usize = 500;

/// Cleans up.
pub(crate) struct Housekeeping {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How long ended sessions are kept.
    pub(crate) keep_ended: Duration,
}

impl Housekeeping {
    /// Once a minute until `stop`. A round that fails is logged, and the next one does its work.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let rounds = async {
            loop {
                if let Err(error) = self.round(self.clock.wall().into()).await {
                    tracing::warn!(%error, "cleaning up failed");
                }
                tokio::time::sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    async fn round(&self, now: Moment) -> Result<(), Refusal> {
        while self.sessions.end_expired(now, BATCH).await? == BATCH {}
        self.store.forget_unproved(now).await?;
        self.store.prune(now.minus(KEEP_REVOCATIONS), now.minus(self.keep_ended)).await?;
        Ok(())
    }
}
