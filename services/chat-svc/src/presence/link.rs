//! Saying it, and hearing the answers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parlor_grpc_kit::Authorized;
use parlor_runtime::clock::Clock;
use parlor_types::{NodeId, StreamId, UserId};
use parlor_wire::internal::presence::v1::presence_internal_service_client::PresenceInternalServiceClient;
use parlor_wire::internal::presence::v1::{AttachRequest, AttachResponse};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::{Facts, Line, Owned, Registry};
use crate::edge;
use crate::people::VisibilityWatcher;
use crate::routing::LocalRouter;
use crate::session::Stream;

/// presence-svc takes a line within this, or counts as out of reach.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// The longest wait before the second attempt; it doubles with each that fails.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest wait. Below the 15 s after which users whose line is gone are shown as gone.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A line that held for this long ended for a new reason.
const STEADY: Duration = Duration::from_secs(10);

/// See the room. Without [`PresenceLink::run`] it only remembers which streams are open.
pub struct PresenceLink {
    node: NodeId,
    /// How long streams show how people were when the line was lost.
    blind_max: Duration,
    inner: Mutex<Inner>,
    /// Something made the present line useless.
    broken: Notify,
}

#[derive(Default)]
struct Inner {
    registry: Registry,
    /// The transport, when it waits for something to say.
    waker: Option<Waker>,
}

impl PresenceLink {
    /// Of a node that starts now and goes by this name; without a line, streams go on showing how people are for `blind_max`.
    #[must_use]
    pub fn new(node: NodeId, blind_max: Duration) -> Self {
        Self { node, blind_max, inner: Mutex::default(), broken: Notify::new() }
    }

    /// A stream is open. `facts` are asked for when nothing can come in between.
    pub fn opened(&self, owned: Owned, facts: impl FnOnce() -> Facts) {
        self.with(|registry| registry.opened(owned, facts()));
    }

    /// The facts of a stream have changed.
    pub fn updated(&self, stream: StreamId, facts: impl FnOnce() -> Facts) {
        self.with(|registry| registry.changed(stream, facts()));
    }

    /// A stream has ended, and perhaps its session with it.
    pub fn closed(&self, stream: StreamId, session_ended: bool) {
        self.with(|registry| registry.closed(stream, session_ended));
    }

    /// Holds the line, for as long as the service lives: what comes in goes to the streams of `router`. Without a line for
    /// long, they are told that nothing is known any more.
    pub async fn run(self: Arc<Self>, channel: Authorized, router: Arc<LocalRouter>, clock: Arc<dyn Clock>) {
        let client = PresenceInternalServiceClient::new(channel);
        let (mut failures, mut lost) = (0, None);
        loop {
            let began = clock.now();
            let line = self.inner().registry.attach();
            let mut taken = false;
            let held = self.hold(client.clone(), line, &router, &mut taken).await;
            if taken {
                lost = Some(clock.now());
            }
            self.with(|registry| registry.detach(line));
            if clock.now().saturating_duration_since(began) >= STEADY {
                failures = 0;
            }
            let wait = pause(failures, rand::random());
            match held {
                Ok(()) => tracing::info!(?wait, "the line to presence-svc has ended"),
                Err(reason) if failures == 0 => tracing::warn!(%reason, ?wait, "no line to presence-svc"),
                Err(reason) => tracing::debug!(%reason, ?wait, "still no line to presence-svc"),
            }
            failures += 1;
            if lost.is_some_and(|lost| clock.now().saturating_duration_since(lost) >= self.blind_max) {
                lost = None;
                router.streams().iter().for_each(Stream::presence_unknown);
            }
            sleep(wait).await;
        }
    }

    async fn hold(
        self: &Arc<Self>,
        mut client: PresenceInternalServiceClient<Authorized>,
        line: Line,
        router: &LocalRouter,
        taken: &mut bool,
    ) -> Result<(), String> {
        let outbound = Outbound { link: Arc::clone(self), line };
        let answer = timeout(TAKEN_WITHIN, client.attach(outbound)).await;
        let answer = answer.map_err(|_| "it is not taken in time")?.map_err(|status| status.to_string())?;
        tracing::info!("attached to presence-svc");
        *taken = true;
        let mut inbound = answer.into_inner();
        loop {
            let next = tokio::select! {
                next = inbound.message() => next,
                () = self.broken.notified() => {
                    if self.inner().registry.is_on(line) {
                        continue;
                    }
                    return Err("it fell too far behind".to_owned());
                }
            };
            match next.map_err(|status| status.to_string())? {
                Some(response) => self.deliver(response, router),
                None => return Ok(()),
            }
        }
    }

    /// To the stream that watches, and to no other.
    fn deliver(&self, response: AttachResponse, router: &LocalRouter) {
        for (stream, presences) in edge::told(response) {
            let owner = self.inner().registry.owner(stream);
            let stream = owner.and_then(|owner| router.find(owner.user, owner.session, owner.stream));
            if let Some(stream) = stream {
                stream.presences(presences);
            }
        }
    }

    fn with(&self, change: impl FnOnce(&mut Registry)) {
        let mut inner = self.inner();
        let attached = inner.registry.is_attached();
        change(&mut inner.registry);
        if attached && !inner.registry.is_attached() {
            self.broken.notify_one();
        }
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VisibilityWatcher for PresenceLink {
    fn changed(&self, users: &[UserId]) {
        self.with(|registry| registry.visibility_changed(users));
    }
}

impl std::fmt::Debug for PresenceLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresenceLink").field("node", &self.node).finish_non_exhaustive()
    }
}

/// What is said on one line, pulled by the transport when it can take more. Ends with the line.
struct Outbound {
    link: Arc<PresenceLink>,
    line: Line,
}

impl futures_util::Stream for Outbound {
    type Item = AttachRequest;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.link.inner();
        if !inner.registry.is_on(self.line) {
            return Poll::Ready(None);
        }
        let said = inner.registry.take();
        if said.is_empty() {
            inner.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        drop(inner);
        Poll::Ready(Some(edge::attach_request(self.link.node, said)))
    }
}

/// How long to wait after so many failures in a row; `random` in 0..1 spreads the nodes of one deployment.
fn pause(failures: u32, random: f64) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
    longest / 2 + (longest / 2).mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_spread() {
        assert_eq!(pause(0, 0.0), Duration::from_millis(125));
        assert_eq!(pause(0, 1.0), Duration::from_millis(250));
        assert_eq!(pause(3, 1.0), Duration::from_secs(2));
        assert_eq!(pause(u32::MAX, 1.0), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX, 0.0), LONGEST_PAUSE / 2);
    }
}
