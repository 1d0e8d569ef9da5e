//! The end of an upload: checked, cleaned, described, put where finished files are, and only then there.
//!
//! One at a time for each upload, in a task of its own: whoever asks again joins it, and it goes on if they go. A crash
//! anywhere leaves an upload that can be finished again; what has been put by then is put again.

mod refusals;
mod steps;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use parlor_preview::Inspector;
use parlor_runtime::clock::Clock;
use parlor_runtime::tasks::{Importance, TaskGroup};
use parlor_types::{MediaId, UserId};
use tokio::sync::{Semaphore, watch};

use crate::blobs::Blobs;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::media::{Record, Stage};
use crate::scan::Scanner;
use crate::staging::Staging;
use crate::store::Store;
use crate::uploads::Uploads;
use refusals::Refusals;

/// What finishing goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Uploads that are being finished or wait for it.
    pub most: usize,
    /// Of one owner, once half of these places are taken.
    pub most_of_owner: usize,
    /// How long a file is kept that nothing uses.
    pub keep_unused: Duration,
}

/// What finishing works with.
#[derive(Debug)]
pub struct Tools {
    /// Uploads as they come.
    pub uploads: Arc<Uploads>,
    /// Their bytes.
    pub staging: Staging,
    /// What is known of them.
    pub store: Arc<dyn Store>,
    /// Where finished files are.
    pub blobs: Blobs,
    /// Looks at them.
    pub inspector: Inspector,
    /// Looks for harm in them.
    pub scanner: Option<Arc<dyn Scanner>>,
    /// How long its verdict is waited for; then the file is in quarantine.
    pub scan_wait: Duration,
    /// How many are looked at at once.
    pub jobs: Gate,
    /// How many are put at once. What has been looked at waits here for as long as it takes: it is not done again.
    pub puts: Semaphore,
}

/// What has become of it; none while it goes on.
type Outcome = Option<Result<Record, Failure>>;

/// See the module.
pub struct Finisher {
    tools: Tools,
    rules: Rules,
    clock: Arc<dyn Clock>,
    tasks: TaskGroup,
    running: Mutex<HashMap<MediaId, Running>>,
    refusals: Refusals,
}

#[derive(Debug)]
struct Running {
    owner: UserId,
    outcome: watch::Receiver<Outcome>,
}

impl Finisher {
    /// With these tools, in this group.
    #[must_use]
    pub fn new(tools: Tools, rules: Rules, clock: Arc<dyn Clock>, tasks: TaskGroup) -> Self {
        Self { tools, rules, clock, tasks, running: Mutex::default(), refusals: Refusals::default() }
    }

    /// Finishes an upload of this owner; the record of one that is finished. What was refused is refused again.
    ///
    /// # Errors
    /// Parts are missing, the bytes are not what was said, or it cannot be done now.
    pub async fn finish(self: &Arc<Self>, owner: UserId, id: MediaId) -> Result<Record, Failure> {
        let record = self.tools.uploads.record(owner, id).await.map_err(|failure| match failure {
            Failure::NotFound => self.gone(owner, id),
            failure => failure,
        })?;
        match &record.stage {
            Stage::Finished(_) => return Ok(record),
            Stage::Refused => return Err(Failure::Refused),
            Stage::Uploading { .. } => {}
        }
        let mut outcome = self.join(record)?;
        let stopped = Failure::Unavailable("the server is stopping");
        let outcome = outcome.wait_for(Option::is_some).await.map_err(|_| stopped.clone())?;
        outcome.clone().unwrap_or(Err(stopped))
    }

    /// The run there is for it, or a new one.
    fn join(self: &Arc<Self>, record: Record) -> Result<watch::Receiver<Outcome>, Failure> {
        let id = record.id;
        let mut running = self.running();
        if let Some(run) = running.get(&id) {
            return Ok(run.outcome.clone());
        }
        let of_owner = || running.values().filter(|run| run.owner == record.owner).count();
        let is_busy = running.len() >= self.rules.most.div_ceil(2);
        if running.len() >= self.rules.most || (is_busy && of_owner() >= self.rules.most_of_owner) {
            return Err(Failure::Overloaded);
        }
        let (told, outcome) = watch::channel(None);
        running.insert(id, Running { owner: record.owner, outcome: outcome.clone() });
        drop(running);
        let run = Run { finisher: Arc::clone(self), id };
        let stop = self.tasks.token();
        self.tasks.spawn("finish upload", Importance::Optional, async move {
            let done = stop.run_until_cancelled(run.finisher.run(record)).await;
            // Whoever comes from here on finds what is in the store.
            drop(run);
            told.send_replace(done);
            Ok::<_, Infallible>(())
        });
        Ok(outcome)
    }

    async fn run(&self, record: Record) -> Result<Record, Failure> {
        let (owner, id) = (record.owner, record.id);
        let finished =
            steps::finish(&self.tools, record, || self.clock.wall() + self.rules.keep_unused).await;
        self.tools.staging.clear_output(id).await;
        match &finished {
            Ok(_) => self.tools.uploads.discard(id).await,
            Err(_) if self.is_gone(id).await => {
                self.tools.uploads.discard(id).await;
                self.tools.blobs.delete(id).await?;
                return Err(self.gone(owner, id));
            }
            Err(failure) if failure.ends_upload() => {
                self.refusals.remember(owner, id, failure.clone());
                self.give_up(id).await?;
            }
            Err(_) => {}
        }
        finished
    }

    /// Why there is no such upload.
    fn gone(&self, owner: UserId, id: MediaId) -> Failure {
        self.refusals.of(owner, id).unwrap_or(Failure::NotFound)
    }

    /// Whether it was forgotten meanwhile, such as deleted by its owner: whatever went wrong then is no fault.
    async fn is_gone(&self, id: MediaId) -> bool {
        self.tools.store.records(vec![id]).await.is_ok_and(|found| found.iter().all(Option::is_none))
    }

    /// Keeps nothing of it.
    async fn give_up(&self, id: MediaId) -> Result<(), Failure> {
        self.tools.store.drop_upload(id).await?;
        self.tools.uploads.discard(id).await;
        // An earlier run may have put some of it.
        Ok(self.tools.blobs.delete(id).await?)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<MediaId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those that run, however it ends.
struct Run {
    finisher: Arc<Finisher>,
    id: MediaId,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.finisher.running().remove(&self.id);
    }
}

impl std::fmt::Debug for Finisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finisher").field("tools", &self.tools).finish_non_exhaustive()
    }
}
