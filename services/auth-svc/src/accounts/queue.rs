//! Where hashes wait: so many at once as there are cores, a short queue before them, and a limit to patience.
//!
//! Without it a flood of log-ins would take the machine's memory (each hash wants its share) and its threads.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue is full, or the job waited too long.
    #[error("more hashes waiting than can be done")]
    Full,
    /// The job failed.
    #[error("{0}")]
    Failed(String),
}

/// Bounds of the queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Jobs at once, at least 1.
    pub at_once: usize,
    /// Jobs that wait besides.
    pub waiting: usize,
    /// How long a job waits at most.
    pub patience: Duration,
}

/// The queue. Jobs run on blocking threads.
#[derive(Debug)]
pub struct HashQueue {
    /// One permit for each job that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each job that runs.
    cores: Arc<Semaphore>,
    patience: Duration,
}

impl HashQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: QueueLimits) -> Self {
        let at_once = limits.at_once.clamp(1, Semaphore::MAX_PERMITS / 2);
        let places = at_once + limits.waiting.min(Semaphore::MAX_PERMITS / 2);
        Self {
            places: Arc::new(Semaphore::new(places)),
            cores: Arc::new(Semaphore::new(at_once)),
            patience: limits.patience,
        }
    }

    /// Runs `job` when its turn comes. If the future is dropped while it waits, the job is not done; if while it
    /// runs, it keeps its core until it is finished.
    ///
    /// # Errors
    /// The queue is full, patience ran out, or the job panicked.
    pub async fn run<T, F>(&self, job: F) -> Result<T, QueueError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| QueueError::Full)?;
        let core = timeout(self.patience, Arc::clone(&self.cores).acquire_owned())
            .await
            .map_err(|_| QueueError::Full)?
            .expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, core);
            job()
        });
        done.await.map_err(|error| QueueError::Failed(format!("a hash job did not finish: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const LIMITS: QueueLimits = QueueLimits { at_once: 1, waiting: 1, patience: Duration::from_secs(2) };

    #[tokio::test]
    async fn one_runs_one_waits_and_the_third_is_refused() {
        let queue = HashQueue::new(LIMITS);
        let (open, gate) = mpsc::sync_channel::<()>(1);
        let mut running = pin!(queue.run(move || gate.recv().is_ok()));
        let mut waiting = pin!(queue.run(|| ()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(running.as_mut().poll(&mut context).is_pending());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let mut third = pin!(queue.run(|| ()));
        assert!(matches!(third.as_mut().poll(&mut context), Poll::Ready(Err(QueueError::Full))));
        open.send(()).unwrap();
        assert!(running.await.unwrap());
        waiting.await.unwrap();
        queue.run(|| ()).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let queue = HashQueue::new(QueueLimits { patience: Duration::from_millis(10), ..LIMITS });
        let held = Arc::clone(&queue.cores).acquire_owned().await.unwrap();
        assert!(matches!(queue.run(|| ()).await, Err(QueueError::Full)));
        drop(held);
        queue.run(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_takes_no_core_with_it() {
        let queue = HashQueue::new(LIMITS);
        assert!(matches!(queue.run(|| panic!("on purpose")).await, Err::<(), _>(QueueError::Failed(_))));
        queue.run(|| ()).await.unwrap();
    }
}
