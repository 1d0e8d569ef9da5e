//! Uploads that parts come for: at most so many, those forgotten first that nothing has come for the longest.

use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use parlor_types::{MediaId, UserId};
use tokio::sync::Notify;

use super::Progress;
use crate::failure::Failure;

/// One upload.
#[derive(Debug)]
pub struct Upload {
    /// Its id.
    pub id: MediaId,
    /// Whose it is.
    pub owner: UserId,
    pub(super) file: Arc<File>,
    progress: Mutex<Progress>,
    /// One save after the other.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// Some part is no longer being written.
    pub(super) settled: Notify,
}

impl Upload {
    /// Of a record, with its file.
    #[must_use]
    pub fn new(id: MediaId, owner: UserId, file: Arc<File>, progress: Progress) -> Self {
        Self {
            id,
            owner,
            file,
            progress: Mutex::new(progress),
            saving: tokio::sync::Mutex::default(),
            settled: Notify::new(),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
#[derive(Debug)]
pub struct OpenUploads {
    most: usize,
    uploads: Mutex<HashMap<MediaId, Arc<Upload>>>,
}

impl OpenUploads {
    /// None.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, uploads: Mutex::default() }
    }

    /// One that is open.
    #[must_use]
    pub fn get(&self, id: MediaId) -> Option<Arc<Upload>> {
        self.uploads().get(&id).filter(|upload| !upload.progress().has_ended()).cloned()
    }

    /// Keeps it open; if it has been opened meanwhile, that one is the one.
    ///
    /// # Errors
    /// [`Failure::Overloaded`]: there are too many, and all are in use. [`Failure::Unavailable`]: it has ended, and some part is
    /// still being written.
    pub fn insert(&self, upload: Upload) -> Result<Arc<Upload>, Failure> {
        let mut uploads = self.uploads();
        if let Some(open) = uploads.get(&upload.id) {
            let progress = open.progress();
            if !progress.has_ended() {
                return Ok(Arc::clone(open));
            }
            if progress.is_being_written() {
                // Its bytes could land after others that are taken for the same part.
                return Err(Failure::Unavailable("parts are still being written"));
            }
        }
        if uploads.len() >= self.most {
            let idle = uploads.values().filter_map(|upload| Some((idle_since(upload)?, upload.id)));
            let (_, longest) = idle.min().ok_or(Failure::Overloaded)?;
            uploads.remove(&longest);
        }
        let upload = Arc::new(upload);
        uploads.insert(upload.id, Arc::clone(&upload));
        Ok(upload)
    }

    /// All that are open.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Upload>> {
        self.uploads().values().cloned().collect()
    }

    /// Ends what is open of an upload: what is on disk is to be looked at anew, once nobody writes to it.
    pub fn end(&self, id: MediaId) {
        let mut uploads = self.uploads();
        let Some(upload) = uploads.get(&id).map(Arc::clone) else { return };
        let mut progress = upload.progress();
        progress.end();
        if !progress.is_being_written() {
            uploads.remove(&id);
        }
        drop(progress);
        upload.settled.notify_waiters();
    }

    /// Closes those for which nothing has come since `before`.
    pub fn close_idle(&self, before: Instant) {
        self.uploads().retain(|_, upload| {
            let is_over = {
                let progress = upload.progress();
                progress.has_ended() && !progress.is_being_written()
            };
            !is_over && idle_since(upload).is_none_or(|since| since >= before)
        });
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<MediaId, Arc<Upload>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when nothing has come for it, if nobody holds it and all is safe.
fn idle_since(upload: &Arc<Upload>) -> Option<Instant> {
    (Arc::strong_count(upload) == 1).then(|| upload.progress().idle_since()).flatten()
}
