//! What becomes of files that nobody uses: uploads that are not finished, files that nothing names, bytes that belong to
//! nothing. What is claimed or used is never deleted; what is neither is not kept for ever.

mod machine;
mod owner;
mod sweep;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::clock::Clock;
use parlor_types::{MediaId, UserId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use machine::{Collector, Effect, Input};
pub use owner::Owner;

use crate::blobs::Blobs;
use crate::failure::Failure;
use crate::media::Record;
use crate::references::{MAX_ASKED, References, Unanswered, Witness};
use crate::staging::Staging;
use crate::store::{Claim, Condemned, Place, Release, Round, Store};
use crate::uploads::Uploads;

/// How long a released claim of a profile may still stand for one that is only about to be stored: a picture may be
/// taken away and put back, and the word of the first come after that of the second.
const PROFILE_SETTLES: Duration = Duration::from_secs(10 * 60);
/// Uploads that are forgotten in one go.
const EXPIRE_BATCH: u32 = 200;

/// What collection goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long a file is kept that nothing uses, from its end and from each claim on.
    pub keep_unused: Duration,
    /// A file in use is asked about again after this.
    pub recheck_used: Duration,
    /// How often it is looked.
    pub every: Duration,
    /// How often bytes are looked for that belong to nothing.
    pub sweep_every: Duration,
}

/// See the module.
pub struct Collection {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Blobs,
    pub(crate) owner: Owner,
    pub(crate) staging: Staging,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) references: Arc<dyn References>,
    pub(crate) rules: Rules,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Notify,
}

impl Collection {
    /// Claims files that are about to be used, all or none.
    ///
    /// # Errors
    /// One is not there, or not theirs to use.
    pub async fn claim(
        &self,
        user: UserId,
        place: Place,
        ids: Vec<MediaId>,
        readable: BTreeSet<MediaId>,
    ) -> Result<Vec<Record>, Failure> {
        let until = self.clock.wall() + self.rules.keep_unused;
        Ok(self.store.claim(Claim { user, place, ids, readable, until }).await?)
    }

    /// Files are not used there any more.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn release(&self, place: Place, ids: Vec<MediaId>) -> Result<(), Failure> {
        let settles = match place {
            // Its op cannot come again.
            Place::Entry(..) => Duration::ZERO,
            Place::Profile(_) => PROFILE_SETTLES,
        };
        self.store.release(Release { place, ids, now: self.clock.wall(), settles }).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Deletes a file or an upload of this owner; none is as good.
    ///
    /// # Errors
    /// It is used, or it cannot be told now whether it is.
    pub async fn delete(&self, owner: UserId, id: MediaId) -> Result<(), Failure> {
        let round = new_round();
        match self.store.condemn_own(round, id, owner, self.clock.wall()).await? {
            Condemned::Gone => return Ok(()),
            Condemned::Claimed => return Err(Failure::InUse),
            Condemned::Dropped => {
                self.uploads.discard(id).await;
                self.delete_blobs(id).await;
                return Ok(());
            }
            Condemned::ByRound => {}
        }
        let ids = [id];
        let unanswered = |_: Unanswered| Failure::Unavailable("it cannot be told now who uses the file");
        let by_chat = self.references.used(Witness::Chat, &ids).await.map_err(unanswered)?;
        let by_auth = self.references.used(Witness::Auth, &ids).await.map_err(unanswered)?;
        let is_used = by_chat.contains(&id) || by_auth.contains(&id);
        let (unused, used) = if is_used { (vec![], vec![id]) } else { (vec![id], vec![]) };
        let next = self.clock.wall() + self.rules.recheck_used;
        if self.store.collect(round, unused, used, next).await?.contains(&id) {
            self.delete_blobs(id).await;
            return Ok(());
        }
        // Used, or claimed while the others were asked.
        Err(Failure::InUse)
    }

    /// Looks for what is to be deleted until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let rounds = async {
            loop {
                self.expire().await;
                self.collect().await;
                tokio::select! {
                    () = tokio::time::sleep(self.rules.every) => {}
                    () = self.wake.notified() => {}
                }
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    /// Forgets uploads that nothing has come for.
    async fn expire(&self) {
        loop {
            let expired = match self.store.expire(self.clock.wall(), EXPIRE_BATCH).await {
                Ok(expired) => expired,
                Err(error) => return tracing::warn!(%error, "expired uploads could not be forgotten"),
            };
            for id in &expired {
                self.uploads.discard(*id).await;
                self.delete_blobs(*id).await;
            }
            if expired.is_empty() {
                break;
            }
            tracing::info!(uploads = expired.len(), "uploads expired");
        }
        if let Err(error) = self.store.tidy(self.clock.wall()).await {
            tracing::warn!(%error, "claims that have ended could not be forgotten");
        }
    }

    /// Rounds of collection until nothing is left to look at now.
    async fn collect(&self) {
        let mut machine = Collector::default();
        let mut todo = VecDeque::from(machine.handle(Input::Begin(new_round())));
        while let Some(effect) = todo.pop_front() {
            let input = match effect {
                Effect::Condemn(round) => self.condemn(round).await,
                Effect::Ask(witness, ids) => {
                    Input::Answered(witness, self.references.used(witness, &ids).await)
                }
                Effect::Collect { round, unused, used } => {
                    let next = self.clock.wall() + self.rules.recheck_used;
                    match self.store.collect(round, unused, used, next).await {
                        Ok(gone) => Input::Collected(gone),
                        Err(error) => failed(&error),
                    }
                }
                Effect::Delete(ids) => {
                    tracing::info!(files = ids.len(), "files that nobody uses are deleted");
                    for id in ids {
                        self.delete_blobs(id).await;
                    }
                    continue;
                }
                Effect::Again => Input::Begin(new_round()),
            };
            todo.extend(machine.handle(input));
        }
    }

    async fn condemn(&self, round: Round) -> Input {
        match self.store.condemn(round, self.clock.wall(), MAX_ASKED).await {
            Ok(ids) => Input::Condemned { full: ids.len() == MAX_ASKED as usize, ids },
            Err(error) => failed(&error),
        }
    }

    async fn delete_blobs(&self, id: MediaId) {
        if let Err(error) = self.blobs.delete(id).await {
            tracing::warn!(%id, %error, "a file's bytes could not be deleted; the next sweep will");
        }
    }
}

fn failed(error: &crate::store::Error) -> Input {
    tracing::warn!(%error, "files that nobody uses could not be collected");
    Input::Failed
}

/// A number that no other round has.
fn new_round() -> Round {
    let (high, _) = Uuid::new_v4().as_u64_pair();
    Round(high.cast_signed())
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection").field("rules", &self.rules).finish_non_exhaustive()
    }
}
