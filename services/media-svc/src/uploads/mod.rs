//! Uploads while parts come: each is written at once, and noted in the store once it is on disk for sure.
//!
//! After any crash what the store says is there is there (G1); what had come since the last note is missing again.

mod open;
mod progress;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parlor_runtime::clock::Clock;
use parlor_types::{MediaId, Op, UserId};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use open::{OpenUploads, Upload};
pub use progress::{Admission, Progress, Save};

use crate::failure::Failure;
use crate::gate::Gate;
use crate::media::{Declared, Record, Stage, random_id};
use crate::parts::Parts;
use crate::quota::{Quota, Usage};
use crate::staging::{self, Staging};
use crate::store::{Begin, Store};

/// An upload without a part for so long is closed, and opened again when one comes.
const IDLE: Duration = Duration::from_secs(60);
/// Why a part is not taken now.
const ANEW: &str = "the upload is being looked at anew";

/// What uploads go by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What each person may.
    pub quota: Quota,
    /// How far beyond the first missing byte a part may begin.
    pub window: u64,
    /// An upload is forgotten after this time without a part.
    pub expires: Duration,
    /// It is saved after so many bytes,
    pub save_bytes: u64,
    /// and this often.
    pub save_every: Duration,
}

/// See the module.
#[derive(Debug)]
pub struct Uploads {
    store: Arc<dyn Store>,
    staging: Staging,
    open: OpenUploads,
    parts: Gate,
    rules: Rules,
    clock: Times,
}

/// An upload, as its owner sees it.
#[derive(Clone, Debug)]
pub struct Status {
    /// The file it becomes.
    pub id: MediaId,
    /// Its whole size.
    pub size: u64,
    /// What is there; none once it is finished.
    pub parts: Option<Parts>,
    /// When it is forgotten; none once it is finished.
    pub expires: Option<std::time::SystemTime>,
}

/// A save under way. If it fails or is given up halfway, what it would have kept is still to be kept.
struct Unsaved<'a> {
    upload: &'a Upload,
    save: Option<Save>,
}

impl Drop for Unsaved<'_> {
    fn drop(&mut self) {
        if let Some(save) = &self.save {
            self.upload.progress().not_saved(save);
        }
    }
}

/// The clock, which has nothing to show.
struct Times(Arc<dyn Clock>);

impl std::fmt::Debug for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Uploads {
    /// On this store and this folder.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        staging: Staging,
        open: OpenUploads,
        parts: Gate,
        rules: Rules,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, staging, open, parts, rules, clock: Times(clock) }
    }

    /// Begins an upload, or finds the one begun with this op.
    ///
    /// # Errors
    /// It is more than one may, or the op has begun another.
    pub async fn begin(&self, owner: UserId, op: Op, declared: Declared) -> Result<Status, Failure> {
        self.rules.quota.check_size(declared.size, declared.purpose).map_err(Failure::Exceeded)?;
        let now = self.clock.0.wall();
        let (id, quota, expires) = (random_id(), self.rules.quota, now + self.rules.expires);
        let begin = Begin { id, owner, op, declared, quota, now, expires };
        let record = self.store.begin(begin).await?;
        self.status_of(record).await
    }

    /// How far an upload of this owner has come.
    ///
    /// # Errors
    /// There is none.
    pub async fn status(&self, owner: UserId, id: MediaId) -> Result<Status, Failure> {
        let record = self.record(owner, id).await?;
        self.status_of(record).await
    }

    /// What somebody has, and may.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn usage(&self, owner: UserId) -> Result<(Usage, Quota), Failure> {
        Ok((self.store.usage(owner, self.clock.0.wall()).await?, self.rules.quota))
    }

    /// Takes in a part; how many bytes are there now.
    ///
    /// # Errors
    /// It has no place there, or cannot be written now. It may be sent again.
    pub async fn part(&self, owner: UserId, id: MediaId, offset: u64, data: Bytes) -> Result<u64, Failure> {
        let upload = match self.open.get(id) {
            Some(upload) if upload.owner == owner => upload,
            Some(_) => return Err(Failure::NotFound),
            None => match self.open(self.record(owner, id).await?).await? {
                Ok(upload) => upload,
                // Taken and dropped.
                Err(finished) => return Ok(finished.declared.size),
            },
        };
        let place = self.parts.enter().await?;
        let length = data.len() as u64;
        let index = loop {
            let settled = upload.settled.notified();
            match self.admit(&upload, offset, length)? {
                Admission::Write(index) => break index,
                Admission::There => return Ok(upload.progress().parts().received_bytes()),
                Admission::BeingWritten => settled.await,
            }
        };
        // Goes to its end also if the caller goes, or the part would stay as being written.
        let (staging, writer) = (self.staging.clone(), Arc::clone(&upload));
        let written = spawn_blocking(move || {
            let written = staging.write(&writer.file, offset, &data);
            match &written {
                Ok(()) => writer.progress().written(index, length),
                Err(_) => writer.progress().failed(index),
            }
            writer.settled.notify_waiters();
            drop(place);
            written
        });
        written.await.map_err(|_| Failure::Unavailable("the server is stopping"))??;
        if upload.progress().unsaved_bytes() >= self.rules.save_bytes {
            match self.save(&upload).await {
                // Finished meanwhile, or gone.
                Err(Failure::NotFound) => return Ok(self.record(owner, id).await?.declared.size),
                saved => saved?,
            }
        }
        Ok(upload.progress().parts().received_bytes())
    }

    fn admit(&self, upload: &Upload, offset: u64, length: u64) -> Result<Admission, Failure> {
        let mut progress = upload.progress();
        if progress.has_ended() {
            return Err(Failure::Unavailable(ANEW));
        }
        let admission = progress.admit(offset, length, self.rules.window)?;
        progress.touch(self.clock.0.now(), self.clock.0.wall() + self.rules.expires);
        Ok(admission)
    }

    /// Notes in the store what is on the disk.
    ///
    /// # Errors
    /// Nothing is lost, but for what could not be written to the disk.
    pub async fn save(&self, upload: &Upload) -> Result<(), Failure> {
        let _saving = upload.saving.lock().await;
        if upload.progress().has_ended() {
            // A sync that succeeds after one that failed says nothing of what that one lost.
            return Err(Failure::Unavailable(ANEW));
        }
        let Some(save) = upload.progress().take_save() else { return Ok(()) };
        let mut unsaved = Unsaved { upload, save: Some(save.clone()) };
        if let Err(error) = staging::sync(Arc::clone(&upload.file)).await {
            // Which bytes are there nobody can say now but the store, of those before.
            self.open.end(upload.id);
            return Err(error.into());
        }
        let is_upload = self.store.save_parts(upload.id, save.parts, save.expires).await?;
        unsaved.save = None;
        if !is_upload {
            self.discard(upload.id).await;
            return Err(Failure::NotFound);
        }
        Ok(())
    }

    /// The upload of a record, open; or the record, if it is finished.
    ///
    /// # Errors
    /// It cannot be opened now.
    pub async fn open(&self, record: Record) -> Result<Result<Arc<Upload>, Record>, Failure> {
        if let Some(upload) = self.open.get(record.id) {
            return Ok(Ok(upload));
        }
        let Stage::Uploading { parts, expires } = &record.stage else { return Ok(Err(record)) };
        let (file, was_there) = self.staging.file(record.id, record.declared.size).await?;
        // A file that is not there after a restore from a backup is sent anew.
        let parts = if was_there { parts.clone() } else { Parts::none(record.declared.size) };
        let progress = Progress::new(parts, *expires, !was_there, self.clock.0.now());
        let upload = self.open.insert(Upload::new(record.id, record.owner, file, progress))?;
        // What ends it from here on ends this too. It may have ended between the record and the file, which is a new one then.
        match self.record(record.owner, record.id).await {
            Ok(Record { stage: Stage::Uploading { .. }, .. }) => Ok(Ok(upload)),
            Ok(finished) => {
                self.discard(record.id).await;
                Ok(Err(finished))
            }
            Err(error) => {
                if matches!(error, Failure::NotFound) {
                    self.discard(record.id).await;
                }
                Err(error)
            }
        }
    }

    /// What is known of a file of this owner.
    ///
    /// # Errors
    /// There is none.
    pub async fn record(&self, owner: UserId, id: MediaId) -> Result<Record, Failure> {
        let found = self.store.records(vec![id]).await?.pop().flatten();
        found.filter(|record| record.owner == owner).ok_or(Failure::NotFound)
    }

    /// Lets go of an upload that is finished or forgotten, and deletes its file.
    pub async fn discard(&self, id: MediaId) {
        self.open.end(id);
        if let Err(error) = self.staging.remove(id).await {
            tracing::warn!(%id, %error, "an upload's file could not be deleted; the next sweep will");
        }
    }

    /// Saves what comes until `stop`, and then all there is.
    pub async fn run(&self, stop: CancellationToken) {
        let saving = async {
            loop {
                tokio::time::sleep(self.rules.save_every).await;
                self.save_all().await;
                if let Some(before) = self.clock.0.now().checked_sub(IDLE) {
                    self.open.close_idle(before);
                }
            }
        };
        stop.run_until_cancelled(saving).await;
        self.save_all().await;
    }

    async fn save_all(&self) {
        for upload in self.open.all() {
            match self.save(&upload).await {
                Ok(()) | Err(Failure::NotFound | Failure::Unavailable(_)) => {}
                Err(error) => {
                    tracing::warn!(id = %upload.id, %error, "what has come of an upload is not saved")
                }
            }
        }
    }

    async fn status_of(&self, record: Record) -> Result<Status, Failure> {
        let (id, size) = (record.id, record.declared.size);
        if let Stage::Uploading { parts, expires } = &record.stage
            && parts.received_bytes() == 0
            && self.open.get(id).is_none()
        {
            // Nothing to look for on the disk.
            return Ok(Status { id, size, parts: Some(parts.clone()), expires: Some(*expires) });
        }
        Ok(match self.open(record).await? {
            Ok(upload) => {
                let progress = upload.progress();
                let (parts, expires) = (progress.parts().clone(), progress.expires());
                Status { id, size, parts: Some(parts), expires: Some(expires) }
            }
            Err(_) => Status { id, size, parts: None, expires: None },
        })
    }
}

#[cfg(test)]
mod tests;
