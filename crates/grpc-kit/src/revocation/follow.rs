//! Following auth-svc's revocations from another service.
//!
//! Two ways at once, each sufficient: a stream that tells at once, and a poll each 500 ms that a hanging stream
//! cannot delay. Both start with the last 11 minutes, which are all whose tokens may still be good, and each has a
//! cursor of its own, which goes where auth-svc says: backwards too, when its store has been restored from an older
//! copy.

use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::ready::Condition;
use parlor_runtime::tasks::TaskGroup;
use parlor_types::SessionId;
use parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient;
use parlor_wire::internal::auth::v1::{ListRevocationsRequest, Revocation, WatchRevocationsRequest};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::RevokedSet;
use crate::outbound::Authorized;

/// Time between two polls.
const POLL: Duration = Duration::from_millis(500);
/// How long a poll may take before it counts as failed.
const DEADLINE: Duration = Duration::from_secs(2);
/// Wait before a stream that ended is opened again.
const REOPEN: Duration = Duration::from_secs(1);
/// A page of ListRevocations that is this long may have another behind it.
const PAGE: usize = 1000;

/// What this service knows of revocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// The last 11 minutes have not been loaded: not ready to serve.
    Loading,
    /// Up to date.
    Clear,
    /// auth-svc could not be asked for the longest time that is allowed: sessions must not live on.
    Blind,
}

/// Follows revocations into a [`RevokedSet`].
pub struct Revocations {
    client: AuthInternalServiceClient<Authorized>,
    set: Arc<RevokedSet>,
    on_revoked: Box<dyn Fn(SessionId) + Send + Sync>,
    blind_after: Duration,
    sight: watch::Sender<Sight>,
}

impl Revocations {
    /// Will follow through `channel` into `set`. `on_revoked` is called once for each session that was not in the
    /// set, and must be quick. `blind_after`: how long auth-svc may be out of reach before the sight is
    /// [`Sight::Blind`].
    #[must_use]
    pub fn new(
        channel: Authorized,
        set: Arc<RevokedSet>,
        blind_after: Duration,
        on_revoked: impl Fn(SessionId) + Send + Sync + 'static,
    ) -> Self {
        Self {
            client: AuthInternalServiceClient::new(channel),
            set,
            on_revoked: Box::new(on_revoked),
            blind_after,
            sight: watch::Sender::new(Sight::Loading),
        }
    }

    /// The present sight, and each change of it.
    #[must_use]
    pub fn sight(&self) -> watch::Receiver<Sight> {
        self.sight.subscribe()
    }

    /// Follows until `tasks` stop. `seeing` holds while the sight is clear; `on_blind` is called when it is lost, and must be
    /// quick.
    pub fn start(self, tasks: &TaskGroup, seeing: Condition, on_blind: impl Fn() + Send + 'static) {
        let mut sight = self.sight();
        let told = async move {
            loop {
                let now = *sight.borrow_and_update();
                seeing.set(now == Sight::Clear);
                if now == Sight::Blind {
                    on_blind();
                }
                if sight.changed().await.is_err() {
                    return;
                }
            }
        };
        tasks.run("sight of revocations", move |stop| async move {
            stop.run_until_cancelled(told).await;
        });
        tasks.run("revocations", move |stop| async move { self.run(stop).await });
    }

    /// Follows until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        stop.run_until_cancelled(async { tokio::join!(self.poll(), self.watch()) }).await;
    }

    async fn poll(&self) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen_at = Instant::now();
        let mut cursor = 0;
        loop {
            ticks.tick().await;
            match self.catch_up(&mut cursor).await {
                Ok(()) => {
                    seen_at = Instant::now();
                    self.see(Sight::Clear);
                }
                Err(status) => {
                    tracing::debug!(code = ?status.code(), "revocations could not be polled");
                    if seen_at.elapsed() >= self.blind_after && *self.sight.borrow() == Sight::Clear {
                        self.see(Sight::Blind);
                    }
                }
            }
        }
    }

    /// All pages after the cursor.
    async fn catch_up(&self, cursor: &mut u64) -> Result<(), Status> {
        loop {
            let request = ListRevocationsRequest { cursor: *cursor };
            let answer = timeout(DEADLINE, self.client.clone().list_revocations(request))
                .await
                .map_err(|_| Status::deadline_exceeded("no answer in time"))??
                .into_inner();
            self.apply(&answer.revocations);
            *cursor = answer.cursor;
            if answer.revocations.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn watch(&self) {
        let mut cursor = 0;
        loop {
            if let Err(status) = self.watch_once(&mut cursor).await {
                tracing::debug!(code = ?status.code(), "the stream of revocations ended");
            }
            sleep(REOPEN).await;
        }
    }

    async fn watch_once(&self, cursor: &mut u64) -> Result<(), Status> {
        let request = WatchRevocationsRequest { cursor: *cursor };
        let mut stream = self.client.clone().watch_revocations(request).await?.into_inner();
        while let Some(answer) = stream.message().await? {
            self.apply(&answer.revocations);
            *cursor = answer.cursor;
        }
        Ok(())
    }

    fn apply(&self, revocations: &[Revocation]) {
        for revocation in revocations {
            let Ok(session) = parlor_wire::id("session_id", &revocation.session_id) else {
                tracing::error!("auth-svc named a session that is not an id");
                continue;
            };
            if self.set.insert(session) {
                (self.on_revoked)(session);
            }
        }
    }

    fn see(&self, sight: Sight) {
        let changed = self.sight.send_if_modified(|seen| std::mem::replace(seen, sight) != sight);
        if changed {
            tracing::info!(?sight, "sight of revocations changed");
        }
    }
}

impl std::fmt::Debug for Revocations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revocations").field("sight", &*self.sight.borrow()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
