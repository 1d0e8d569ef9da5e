//! A bound on what is done at once, and on what waits for it (G8).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::failure::Failure;

/// See the module.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    wait: Duration,
}

/// One of those that wait, however it ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    /// Lets in so many at once; so many may wait, none longer than `wait`.
    #[must_use]
    pub fn new(at_once: usize, most_waiting: usize, wait: Duration) -> Self {
        let places = Arc::new(Semaphore::new(at_once));
        Self { places, waiting: AtomicUsize::new(0), most_waiting, wait }
    }

    /// A place, until it is dropped.
    ///
    /// # Errors
    /// [`Failure::Overloaded`]: too many wait, or it took too long.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let _waiting = Waiting(&self.waiting);
        if before >= self.most_waiting {
            return Err(Failure::Overloaded);
        }
        let place = timeout(self.wait, Arc::clone(&self.places).acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or(Failure::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn g8_no_more_wait_than_may() {
        let gate = Arc::new(Gate::new(1, 1, Duration::from_secs(5)));
        let inside = gate.enter().await.unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.map(drop) }
        });
        while gate.waiting.load(Ordering::Acquire) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(gate.enter().await, Err(Failure::Overloaded)), "G8: two wait");
        drop(inside);
        assert!(second.await.unwrap().is_ok());
        let _inside = gate.enter().await.unwrap();
        assert!(matches!(gate.enter().await, Err(Failure::Overloaded)), "G8: it waits for ever");
        assert_eq!(gate.waiting.load(Ordering::Acquire), 0, "G8: who has gone still counts");
    }
}
