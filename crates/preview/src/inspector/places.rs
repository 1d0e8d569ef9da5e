//! Places for inspections, and a short line before them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

#[derive(Debug)]
pub struct Places {
    jobs: Arc<Semaphore>,
    line: Semaphore,
    wait: Duration,
}

impl Places {
    /// So many at once, so many waiting, for so long.
    pub fn new(jobs: usize, waiting: usize, wait: Duration) -> Self {
        Self { jobs: Arc::new(Semaphore::new(jobs.max(1))), line: Semaphore::new(waiting), wait }
    }

    /// A place; `None` if the line is full or did not move in time.
    pub async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.jobs).try_acquire_owned() {
            return Some(place);
        }
        let _in_line = self.line.try_acquire().ok()?;
        timeout(self.wait, Arc::clone(&self.jobs).acquire_owned()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_line_is_bounded_in_length_and_time() {
        let places = Places::new(1, 1, Duration::from_secs(5));
        let place = places.take().await.expect("nobody is there");
        let (waited, refused) = tokio::join!(places.take(), places.take());
        assert!(waited.is_none(), "it waited for 5 s in vain");
        assert!(refused.is_none(), "the line was full");
        let (next, ()) = tokio::join!(places.take(), async { drop(place) });
        assert!(next.is_some());
    }
}
