//! Task groups: every task has a name, no failure goes unseen, and stopping has an end.
//!
//! A task gets the group's token and is expected to return soon after it is cancelled; one that does not is cut off
//! at the deadline of [`TaskGroup::shutdown`] and named.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{AbortHandle, JoinError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the failure of a task means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// The group cannot do its work without it: all of it is cancelled.
    Critical,
    /// It is logged, the others go on.
    Optional,
}

/// A task that failed or panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("task {name}: {reason}")]
pub struct Failure {
    /// Name of the task.
    pub name: String,
    /// Its error, or the message of its panic.
    pub reason: String,
}

/// Tasks that had to be cut off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("still running at the deadline: {}", names.join(", "))]
pub struct StillRunning {
    /// Their names, in the order they were started.
    pub names: Vec<String>,
}

/// Tasks that live and end together. Clones are handles of the same group.
#[derive(Clone, Debug, Default)]
pub struct TaskGroup {
    token: CancellationToken,
    tracker: TaskTracker,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, (String, AbortHandle)>,
    first_critical: Option<Failure>,
}

impl TaskGroup {
    /// An empty group.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled when the group stops, for whatever reason.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Runs `task` under `name`; a group that is stopping drops it instead. Must be called within a Tokio runtime.
    pub fn spawn<F, E>(&self, name: impl Into<String>, importance: Importance, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let name = name.into();
        let mut state = self.state();
        if self.token.is_cancelled() {
            return tracing::debug!(%name, "task not started: the group is stopping");
        }
        let handle = tokio::spawn(async move { task.await.map_err(|error| error.to_string()) });
        let number = state.next;
        state.next += 1;
        state.running.insert(number, (name, handle.abort_handle()));
        let group = self.clone();
        self.tracker.spawn(async move {
            let ended = handle.await;
            group.ended(number, importance, ended);
        });
    }

    /// Runs what the group cannot do without, until the token that it gets is cancelled; nothing but a panic ends it
    /// before that. As [`TaskGroup::spawn`] otherwise.
    pub fn run<F>(&self, name: impl Into<String>, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.token());
        self.spawn(name, Importance::Critical, async move {
            task.await;
            Ok::<_, Infallible>(())
        });
    }

    /// The failure that cancelled the group, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.state().first_critical.clone()
    }

    /// Cancels the token and waits until every task has returned, but no longer than `deadline`: then the rest is
    /// cut off.
    ///
    /// # Errors
    /// Names the tasks that had to be cut off.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.token.cancel();
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok() {
            return Ok(());
        }
        let state = self.state();
        let names: Vec<String> = state.running.values().map(|(name, _)| name.clone()).collect();
        state.running.values().for_each(|(_, handle)| handle.abort());
        if names.is_empty() { Ok(()) } else { Err(StillRunning { names }) }
    }

    fn ended(&self, number: u64, importance: Importance, ended: Result<Result<(), String>, JoinError>) {
        let mut state = self.state();
        let Some((name, _)) = state.running.remove(&number) else { return };
        let reason = match ended {
            Ok(Ok(())) => return tracing::debug!(%name, "task ended"),
            Ok(Err(reason)) => reason,
            Err(error) if error.is_cancelled() => return tracing::warn!(%name, "task cut off"),
            Err(error) => panic_reason(error),
        };
        tracing::error!(%name, %reason, ?importance, "task failed");
        if importance == Importance::Critical {
            state.first_critical.get_or_insert(Failure { name, reason });
            self.token.cancel();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panic_reason(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "ended without a result".to_owned() };
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("no message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn until_cancelled(group: &TaskGroup, name: &str) {
        group.run(name, CancellationToken::cancelled_owned);
    }

    /// On a paused clock, waiting in vain ends at once.
    async fn cancelled(group: &TaskGroup) {
        tokio::time::timeout(LONG, group.token().cancelled()).await.expect("the group is cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn a_critical_failure_cancels_the_group() {
        let group = TaskGroup::new();
        until_cancelled(&group, "listener");
        group.spawn("feed", Importance::Critical, async { Err("no disk") });
        cancelled(&group).await;
        let failure = Failure { name: "feed".to_owned(), reason: "no disk".to_owned() };
        assert_eq!(group.failure(), Some(failure));
        assert_eq!(group.shutdown(LONG).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_critical_panic_cancels_the_group() {
        let group = TaskGroup::new();
        group.spawn("feed", Importance::Critical, async {
            assert_eq!(1, 2, "a bug");
            Ok::<_, Infallible>(())
        });
        cancelled(&group).await;
        let reason = group.failure().expect("it panicked").reason;
        assert!(reason.starts_with("panicked:") && reason.contains("a bug"), "{reason}");
    }

    #[tokio::test]
    async fn an_optional_failure_does_not() {
        let group = TaskGroup::new();
        let (told, ended) = tokio::sync::oneshot::channel();
        until_cancelled(&group, "listener");
        group.spawn("sweep", Importance::Optional, async { Err("later") });
        group.spawn("watch", Importance::Optional, {
            let group = group.clone();
            async move {
                while group.state().running.values().any(|(name, _)| name == "sweep") {
                    tokio::task::yield_now().await;
                }
                told.send(group.token().is_cancelled()).map_err(|_| "nobody waits")
            }
        });
        assert!(!ended.await.unwrap());
        assert_eq!((group.shutdown(LONG).await, group.failure()), (Ok(()), None));
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_deadline_the_rest_is_named_and_cut_off() {
        let group = TaskGroup::new();
        until_cancelled(&group, "listener");
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        group.spawn("stuck", Importance::Optional, async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok::<_, Infallible>(())
        });
        let still = StillRunning { names: vec!["stuck".to_owned()] };
        assert_eq!(group.shutdown(Duration::from_secs(10)).await, Err(still));
        let gone = tokio::time::timeout(LONG, gone).await.expect("the task is dropped");
        gone.expect_err("and with it what it holds");
    }

    #[tokio::test]
    async fn a_stopping_group_starts_nothing() {
        let group = TaskGroup::new();
        group.shutdown(LONG).await.unwrap();
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        group.spawn("late", Importance::Critical, async move { held.send(()).map_err(|()| "nobody waits") });
        gone.await.expect_err("it must not run");
    }
}
