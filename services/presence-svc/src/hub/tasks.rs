//! What goes on beside the calls: time passes, records come and go, chat-svc is asked.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::Hub;
use crate::store::Store;
use crate::visibility::Visibility;

/// How often graces, ends of statuses and the like are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Records read or written in one go.
const BATCH: usize = 500;
/// Wait before a store that failed is used again.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// How far the store has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// There may be more.
    Some,
    /// All is done.
    Done,
    /// It does not answer.
    Failed,
}

impl Hub {
    /// Lets time pass until `stop`.
    pub async fn run_clock(&self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(TICK);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.act(|machine, now| machine.tick(now));
        }
    }

    /// Reads and writes records until `stop`; then writes what is still to be written.
    pub async fn run_store(&self, store: Arc<dyn Store>, stop: CancellationToken) {
        let rounds = async {
            loop {
                match self.store_round(&*store).await {
                    Progress::Some => {}
                    Progress::Done => self.store.notified().await,
                    Progress::Failed => tokio::time::sleep(STORE_RETRY).await,
                }
            }
        };
        stop.run_until_cancelled(rounds).await;
        self.act(|machine, now| machine.keep_all(now));
        while self.write(&*store).await == Progress::Some {}
    }

    /// Asks chat-svc who may see whom until `stop`.
    pub async fn run_asks(&self, visibility: Arc<dyn Visibility>, stop: CancellationToken) {
        let mut under_way = FuturesUnordered::new();
        let asking = async {
            loop {
                while let Some(ask) = self.act(|machine, now| machine.take_ask(now)) {
                    let visibility = Arc::clone(&visibility);
                    under_way.push(async move {
                        let answer = visibility.sights(ask.viewer, &ask.users).await;
                        (ask, answer)
                    });
                }
                tokio::select! {
                    () = self.ask.notified() => {}
                    Some((ask, answer)) = under_way.next() => {
                        self.act(|machine, now| machine.answered(now, ask, answer));
                    }
                }
            }
        };
        stop.run_until_cancelled(asking).await;
    }

    async fn store_round(&self, store: &dyn Store) -> Progress {
        match (self.read(store).await, self.write(store).await) {
            (Progress::Failed, _) | (_, Progress::Failed) => Progress::Failed,
            (Progress::Done, Progress::Done) => Progress::Done,
            _ => Progress::Some,
        }
    }

    async fn read(&self, store: &dyn Store) -> Progress {
        let users = self.act(|machine, _| machine.take_loads(BATCH));
        if users.is_empty() {
            return Progress::Done;
        }
        match store.records(users.clone()).await {
            Ok(records) => {
                let records = users.into_iter().zip(records).collect();
                self.act(|machine, now| machine.loaded(now, records));
                Progress::Some
            }
            Err(error) => {
                tracing::warn!(%error, "records of presence could not be read");
                self.act(|machine, _| machine.not_loaded(users));
                Progress::Failed
            }
        }
    }

    async fn write(&self, store: &dyn Store) -> Progress {
        let writes = self.act(|machine, _| machine.take_writes(BATCH));
        if writes.is_empty() {
            return Progress::Done;
        }
        let stored = store.set_last_seen(writes.clone()).await;
        if let Err(error) = &stored {
            tracing::warn!(%error, "when people were seen could not be written");
        }
        self.act(|machine, _| machine.written(writes, stored.is_ok()));
        if stored.is_ok() { Progress::Some } else { Progress::Failed }
    }
}
