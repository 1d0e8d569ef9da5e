//! A session with its surroundings: what a transport drives, and a router delivers to.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use parlor_runtime::clock::Clock;
use parlor_types::{ConversationId, SessionId, StreamId, UserId};

use super::line::Lines;
use super::machine::{Effect, Identity, Pull, Session};
use super::outbox::OutBatch;
use super::{Farewell, Live, PushError, Pushes, StreamLimits};
use crate::log::Log;
use crate::presence::{Facts, PresenceLink};
use crate::routing::LocalRouter;
use crate::store::Store;

/// What streams stand on.
#[derive(Clone)]
pub struct Deps {
    /// Appends and marks.
    pub log: Log,
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Deliveries.
    pub router: Arc<LocalRouter>,
    /// Who is told which streams are open.
    pub presence: Arc<PresenceLink>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who may have a stream.
    pub standing: Standing,
    /// What a stream may use.
    pub limits: StreamLimits,
}

/// Why a session may have no stream, if it may not. Asked once the router knows of the stream: whoever ends sessions finds
/// it there, or has been heard of here.
pub type Standing = Arc<dyn Fn(SessionId) -> Option<Farewell> + Send + Sync>;

/// See the module. Ends when it is dropped by its transport, or when its session ends.
pub struct Stream {
    pub(super) identity: Identity,
    pub(super) deps: Deps,
    inner: Mutex<Inner>,
    /// Appends wait here for facts, so that they enter the log in the order sent.
    pub(super) lines: Mutex<Lines>,
}

struct Inner {
    session: Session,
    pushes: Pushes,
    /// The transport, when it waits for frames.
    waker: Option<Waker>,
}

impl Stream {
    /// Waits for Hello.
    #[must_use]
    pub fn open(user: UserId, session: SessionId, deps: Deps) -> Arc<Self> {
        let identity =
            Identity { user, session, stream: StreamId::new(), generation: deps.store.generation() };
        let session = Session::new(identity, deps.limits, deps.clock.now());
        let inner = Inner { session, pushes: Pushes::default(), waker: None };
        Arc::new(Self { identity, deps, inner: Mutex::new(inner), lines: Mutex::default() })
    }

    /// Whose.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.identity.user
    }

    /// Of which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.identity.session
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> StreamId {
        self.identity.stream
    }

    /// Whether it has ended, but for frames still to be pulled.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.inner().session.has_ended()
    }

    pub(super) fn session_has_ended(&self) -> bool {
        self.inner().session.session_has_ended()
    }

    pub(super) fn facts(&self) -> Facts {
        self.inner().session.facts()
    }

    /// Frames from the client, in order.
    pub fn frames(self: &Arc<Self>, frames: Vec<Bytes>) {
        let (now, wall) = (self.deps.clock.now(), self.deps.clock.wall());
        for frame in frames {
            self.act(|session| session.frame(now, wall, &frame));
        }
        self.act(|session| session.marks_due(now));
    }

    /// Numbered frames from the client.
    ///
    /// # Errors
    /// The number cannot be taken now.
    pub fn push(self: &Arc<Self>, number: u64, frames: Vec<Bytes>) -> Result<(), PushError> {
        let (now, wall) = (self.deps.clock.now(), self.deps.clock.wall());
        // Under one lock, so that two pushes at once keep their order.
        self.try_act(|inner| {
            let mut effects = Vec::new();
            for frame in inner.pushes.take(number, frames)? {
                effects.extend(inner.session.frame(now, wall, &frame));
            }
            effects.extend(inner.session.marks_due(now));
            Ok(effects)
        })
    }

    /// An entry that the user may see.
    pub fn live(self: &Arc<Self>, live: &Live) {
        self.tell(|session| session.live(live));
    }

    /// A row that changed.
    pub fn row_changed(self: &Arc<Self>, conversation: ConversationId) {
        self.tell(|session| session.row_changed(conversation));
    }

    /// A row that this stream changed.
    pub fn changed_row(self: &Arc<Self>, conversation: ConversationId) {
        self.tell(|session| session.changed_row(conversation));
    }

    /// Marks of another member that changed.
    pub fn receipts_changed(self: &Arc<Self>, conversation: ConversationId, of: UserId) {
        self.tell(|session| session.receipts_changed(conversation, of));
    }

    /// The user's people or settings changed.
    pub fn account_changed(self: &Arc<Self>) {
        self.tell(Session::account_changed);
    }

    /// Time passes.
    pub fn tick(self: &Arc<Self>) {
        // The commit first: all that was published up to it is in the session by then.
        let reached = self.deps.router.reached_commit();
        let now = self.deps.clock.now();
        self.act(|session| session.tick(now, reached));
    }

    /// Asks the client to leave soon.
    pub fn drain(self: &Arc<Self>, reconnect_after: Duration) {
        self.tell(|session| session.drain(reconnect_after));
    }

    /// Ends it.
    pub fn end(self: &Arc<Self>, farewell: Farewell) {
        self.act(|session| session.end(farewell));
    }

    /// The transport is gone, with or without a word.
    pub fn gone(self: &Arc<Self>) {
        self.end(Farewell::gone());
    }

    /// What the transport is to send next; after the last, why the stream ended.
    pub fn poll(self: &Arc<Self>, context: &Context<'_>) -> Poll<Result<OutBatch, Farewell>> {
        let mut inner = self.inner();
        let (pull, effects) = inner.session.pull();
        let poll = match pull {
            Pull::Batch(batch) => Poll::Ready(Ok(batch)),
            Pull::End(farewell) => Poll::Ready(Err(farewell)),
            Pull::Wait => {
                inner.waker = Some(context.waker().clone());
                Poll::Pending
            }
        };
        drop(inner);
        self.carry_out(effects, Vec::new());
        poll
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(self: &Arc<Self>, change: impl FnOnce(&mut Session)) {
        self.act(|session| {
            change(session);
            Vec::new()
        });
    }

    fn act(self: &Arc<Self>, change: impl FnOnce(&mut Session) -> Vec<Effect>) {
        let Ok(()) = self.try_act(|inner| Ok::<_, Infallible>(change(&mut inner.session)));
    }

    fn try_act<E>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Inner) -> Result<Vec<Effect>, E>,
    ) -> Result<(), E> {
        let mut inner = self.inner();
        let mut effects = change(&mut inner)?;
        let waker = inner.waker.take();
        // In line before the lock is released: the order of appends is that of frames.
        let begun = self.line_up(&mut effects);
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.carry_out(effects, begun);
        Ok(())
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.identity.stream).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
