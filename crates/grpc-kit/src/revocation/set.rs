//! The set itself.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use parlor_runtime::clock::Clock;
use parlor_types::SessionId;

/// How long a revoked session is remembered: an access token's 10 minutes, and a minute for clocks that differ.
pub const KEPT: Duration = Duration::from_secs(11 * 60);

/// Revoked sessions of the last 11 minutes. auth-svc feeds it directly, all others through
/// [`Revocations`](crate::Revocations).
pub struct RevokedSet {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    until: HashMap<SessionId, Instant>,
    /// In the order of learning, which is that of forgetting.
    order: VecDeque<SessionId>,
}

impl RevokedSet {
    /// An empty set.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, inner: Mutex::default() }
    }

    /// Adds a session; `true` if it was not there.
    pub fn insert(&self, session: SessionId) -> bool {
        let now = self.clock.now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget(now);
        if inner.until.contains_key(&session) {
            return false;
        }
        inner.until.insert(session, now + KEPT);
        inner.order.push_back(session);
        true
    }

    /// Whether the session was revoked.
    #[must_use]
    pub fn contains(&self, session: SessionId) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).until.contains_key(&session)
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).until.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Inner {
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.order.front() {
            if self.until.get(oldest).is_some_and(|until| *until > now) {
                return;
            }
            self.until.remove(oldest);
            self.order.pop_front();
        }
    }
}

impl std::fmt::Debug for RevokedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevokedSet").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
