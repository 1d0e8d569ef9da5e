//! Files on their way out: who gets which bytes, in small pieces, read no faster than they are taken, so that a file of
//! any size and a reader of any speed cost the same memory (G8).

mod config;
mod pace;
mod range;
mod reading;
mod slots;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use parlor_types::{MediaId, SessionId, UserId};

use crate::access::{self, Sharing, Unanswered};
use crate::blobs::{BlobError, Blobs};
use crate::media::{FileName, Purpose, Record, Sha256, Stage, Variant};
use crate::store::{self, Store};

pub use config::DownloadConfig;
pub use pace::Pace;
pub use range::{BeyondEnd, Wanted};
pub use reading::{Cut, Reading};
pub use slots::{Slot, Slots};

use reading::{Blob, Checks};

/// Where the bytes of finished files are.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The bytes of `range`, which lies within the blob and is not empty, all at once.
    async fn read(&self, id: MediaId, variant: Variant, range: Range<u64>) -> Result<Bytes, BlobError>;
}

#[async_trait]
impl Source for Blobs {
    async fn read(&self, id: MediaId, variant: Variant, range: Range<u64>) -> Result<Bytes, BlobError> {
        Self::read(self, id, variant, range).await
    }
}

/// Why a session gets nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has ended.
    SessionEnded,
    /// Nobody can say whether it has.
    Blind,
}

/// Says whether a session still gets what is its user's.
pub type Standing = Arc<dyn Fn(SessionId) -> Result<(), Ending> + Send + Sync>;

/// Who gets a file.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// For whom it is.
    pub user: UserId,
    /// For as long as this session goes on.
    pub session: SessionId,
}

/// One form of a file that somebody may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub id: MediaId,
    /// In this form.
    pub variant: Variant,
    /// The name it was given.
    pub name: FileName,
    /// What it is for.
    pub purpose: Purpose,
    /// Bytes of this form.
    pub size: u64,
    /// Of this form.
    pub sha256: Sha256,
    /// What the bytes are.
    pub media_type: String,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is none, or none for this user.
    #[error("no such file")]
    NotFound,
    /// A scanner has not looked at it yet.
    #[error("not looked at yet")]
    Checking,
    /// A scanner found harm in it.
    #[error("refused by the scanner")]
    Refused,
    /// As many are under way as may be.
    #[error("too many downloads at once")]
    TooMany,
    /// It cannot be told now.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The bytes.
    #[error(transparent)]
    Blob(BlobError),
}

/// See the module.
#[derive(Clone)]
pub struct Downloads {
    store: Arc<dyn Store>,
    source: Arc<dyn Source>,
    sharing: Arc<dyn Sharing>,
    standing: Standing,
    slots: Slots,
    pace: Pace,
}

impl Downloads {
    /// Readers that do not keep to `pace` are let go.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        source: Arc<dyn Source>,
        sharing: Arc<dyn Sharing>,
        standing: Standing,
        slots: Slots,
        pace: Pace,
    ) -> Self {
        Self { store, source, sharing, standing, slots, pace }
    }

    /// Whether a session still gets what is its user's.
    ///
    /// # Errors
    /// Why not.
    pub fn standing(&self, session: SessionId) -> Result<(), Ending> {
        (self.standing)(session)
    }

    /// Those of `ids` that `user` may have, in their order, however often one is named.
    ///
    /// # Errors
    /// It cannot be told.
    pub async fn had(&self, user: UserId, ids: &[MediaId]) -> Result<Vec<Record>, Refusal> {
        let found = self.store.records(ids.to_vec()).await?.into_iter().flatten().collect();
        Ok(access::had_by(user, ids, found, &*self.sharing).await?)
    }

    /// One form of one file.
    ///
    /// # Errors
    /// Somebody who may not have it is told what they are told of one that does not exist (G7).
    pub async fn find(&self, user: UserId, id: MediaId, variant: Variant) -> Result<Found, Refusal> {
        let record = self.had(user, &[id]).await?.pop().ok_or(Refusal::NotFound)?;
        match &record.stage {
            Stage::Refused => Err(Refusal::Refused),
            Stage::Finished(finished) if finished.checking => Err(Refusal::Checking),
            _ => form(&record, variant).ok_or(Refusal::NotFound),
        }
    }

    /// Bytes of what was found; `range` lies within it.
    ///
    /// # Errors
    /// There are none, or too many are being read already.
    pub async fn read(&self, reader: Reader, found: &Found, range: Range<u64>) -> Result<Reading, Refusal> {
        if range.is_empty() {
            return Ok(Reading::nothing());
        }
        let slot = self.slots.take(reader.user).ok_or(Refusal::TooMany)?;
        let source = Arc::clone(&self.source);
        let blob = Blob::open(source, found.id, found.variant, range).await.map_err(|error| match error {
            BlobError::NotFound => Refusal::NotFound,
            error => Refusal::Blob(error),
        });
        let blob = match blob {
            Err(Refusal::NotFound) => return Err(self.missing(found.id).await),
            blob => blob?,
        };
        Ok(Reading::start(blob, slot, self.checks(reader, found), self.pace))
    }

    /// What is asked again while it is read: what one could have a while ago they may not have now (G7).
    fn checks(&self, reader: Reader, found: &Found) -> Checks {
        let standing = Arc::clone(&self.standing);
        let (downloads, id, variant) = (self.clone(), found.id, found.variant);
        let may = move || {
            let downloads = downloads.clone();
            let asked = async move {
                match downloads.find(reader.user, id, variant).await {
                    Ok(_) => Ok(()),
                    Err(Refusal::NotFound | Refusal::Checking | Refusal::Refused) => Err(Cut::Gone),
                    Err(_) => Err(Cut::Unanswered),
                }
            };
            asked.boxed()
        };
        Checks { goes_on: Box::new(move || standing(reader.session)), may: Box::new(may) }
    }

    /// Bytes that are not there: the file was collected in between, or they are lost, which must not look the same.
    async fn missing(&self, id: MediaId) -> Refusal {
        match self.store.records(vec![id]).await.map(|found| found.into_iter().flatten().next()) {
            Err(error) => error.into(),
            Ok(Some(record)) if matches!(record.stage, Stage::Finished(_)) => {
                tracing::error!(%id, "the bytes of a file are lost");
                Refusal::Blob(BlobError::NotFound)
            }
            Ok(_) => Refusal::NotFound,
        }
    }
}

impl fmt::Debug for Downloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downloads").field("slots", &self.slots).finish_non_exhaustive()
    }
}

/// A form of a file that anybody may be given.
#[must_use]
pub fn form(record: &Record, variant: Variant) -> Option<Found> {
    let finished = record.finished().filter(|finished| !finished.checking)?;
    let (size, sha256, media_type) = finished.variant(variant)?;
    Some(Found {
        id: record.id,
        variant,
        name: record.declared.name.clone(),
        purpose: record.declared.purpose,
        size,
        sha256,
        media_type: media_type.to_owned(),
    })
}

#[cfg(test)]
mod tests;
