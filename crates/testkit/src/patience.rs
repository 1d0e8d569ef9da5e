//! Waiting, with an end.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// How long tests wait for what must come. Long: only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Looks at `condition` until it holds.
///
/// # Panics
/// It did not within `deadline`; `what` says what was waited for.
pub async fn eventually(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition().await {
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        sleep(PAUSE).await; // waits: for the next look at the condition
    }
}

/// What `future` gives.
///
/// # Panics
/// It gave nothing within [`PATIENCE`]; `what` says what was waited for.
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_that_comes_true_ends_the_wait() {
        let mut looks = 0;
        eventually("three looks", PATIENCE, async || {
            looks += 1;
            looks == 3
        })
        .await;
        assert_eq!(looks, 3);
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "not within 1s: never")]
    async fn one_that_does_not_fails_at_the_deadline() {
        eventually("never", Duration::from_secs(1), async || false).await;
    }
}
