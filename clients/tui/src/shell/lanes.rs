//! Effects whose order counts: each lane does one thing after another.

use std::collections::VecDeque;
use std::future::Future;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::effect::Effect;

/// Effects handed over and not begun.
const QUEUE: usize = 32;

/// One lane. What does not fit into its queue waits here, so that the screen never waits for a lane.
#[derive(Debug)]
pub struct Lane {
    queue: mpsc::Sender<Effect>,
    backlog: VecDeque<Effect>,
    task: JoinHandle<()>,
}

impl Lane {
    /// Begins.
    pub fn begin<F: Future<Output = ()> + Send>(work: impl Fn(Effect) -> F + Send + 'static) -> Self {
        let (queue, mut effects) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            while let Some(effect) = effects.recv().await {
                work(effect).await;
            }
        });
        Self { queue, backlog: VecDeque::new(), task }
    }

    /// Adds an effect. The same twice in a row, not begun, is once.
    pub fn add(&mut self, effect: Effect) {
        if self.backlog.back() != Some(&effect) {
            self.backlog.push_back(effect);
        }
    }

    /// Hands over what waits, as far as there is room. Waits until there is some; for ever while nothing waits.
    pub async fn advance(&mut self) {
        if self.backlog.is_empty() {
            std::future::pending::<()>().await;
        }
        let Ok(permit) = self.queue.reserve().await else { return std::future::pending().await };
        if let Some(effect) = self.backlog.pop_front() {
            permit.send(effect);
        }
    }

    /// Does what was begun and what waits, then ends.
    pub async fn finish(mut self) {
        while let Some(effect) = self.backlog.pop_front() {
            if self.queue.send(effect).await.is_err() {
                break;
            }
        }
        drop(self.queue);
        // A lane that panicked has said so.
        let _ = self.task.await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn everything_is_done_in_order_and_what_stands_twice_once() {
        let done: Arc<Mutex<Vec<Effect>>> = Arc::default();
        let seen = Arc::clone(&done);
        let mut lane = Lane::begin(move |effect| {
            let seen = Arc::clone(&seen);
            async move { seen.lock().unwrap().push(effect) }
        });
        for number in 0..100 {
            lane.add(Effect::Mouse(number % 2 == 0));
            lane.add(Effect::Bell);
            lane.add(Effect::Bell);
        }
        lane.advance().await;
        lane.finish().await;
        let done = done.lock().unwrap();
        assert_eq!(done.len(), 200);
        assert_eq!(done[..3], [Effect::Mouse(true), Effect::Bell, Effect::Mouse(false)]);
    }
}
