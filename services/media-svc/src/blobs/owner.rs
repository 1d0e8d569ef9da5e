//! Whose files these are: a mark beside them that names their store.
//!
//! What a store does not know of it takes for left over, and deletes. So a place of files has one store: a second one on the same
//! bucket and prefix, a restored one, or a new one where the old database is lost, does not start there unless it is told to take
//! the place over, by the name of the store that has it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use object_store::{Error as StoreError, ObjectStoreExt as _, PutMode, PutOptions};
use tokio::time::timeout;

use super::{BlobError, Blobs};

/// The key of the mark, beside the folders of the files.
const MARK: &str = "owner";
/// What S3 says in words alone.
const NO_BUCKET: &str = "NoSuchBucket";
/// How long the place may take to answer at the start.
const PROBE: Duration = Duration::from_secs(5);

/// Names a store.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoreId(pub [u8; 32]);

/// As 32 hexadecimal digits, which are enough to tell one from another.
impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..16].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a store does not have the place.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// Another one has it.
    #[error(
        "the files there belong to another store, {0}: those that this one does not know would be deleted. If it is to take \
         them over, set media.blobs.adopt to \"{0}\""
    )]
    Other(String),
    /// The place refuses what it is asked for.
    #[error("{0}")]
    Refused(String),
    /// It does not answer.
    #[error("{0}")]
    Silent(BlobError),
}

impl Blobs {
    /// Makes sure that the place is this store's, before there is something to lose; also that bucket, key and secret are good. A place
    /// that does not answer is no reason not to start.
    ///
    /// # Errors
    /// It is another's, or it refuses.
    pub async fn probe(&self, id: StoreId, adopt: &str) -> Result<(), OwnError> {
        match timeout(PROBE, self.own(id, adopt)).await {
            Ok(Err(OwnError::Silent(error))) => tracing::warn!(%error, "the place of files does not answer"),
            Ok(owned) => return owned,
            Err(_) => tracing::warn!(after = ?PROBE, "the place of files does not answer"),
        }
        Ok(())
    }

    /// Takes the place for this store, if nobody has it, or the one has it that is to be adopted.
    ///
    /// # Errors
    /// It does not have it.
    pub async fn own(&self, id: StoreId, adopt: &str) -> Result<(), OwnError> {
        let id = id.to_string();
        let Some(mark) = self.mark().await? else {
            return match self.put_mark(&id, PutMode::Create).await {
                Err(StoreError::AlreadyExists { .. }) => match self.mark().await? {
                    Some(mark) if mark == id => Ok(()),
                    mark => Err(OwnError::Other(mark.unwrap_or_default())),
                },
                put => Ok(put?),
            };
        };
        if mark == id {
            return Ok(());
        }
        if mark != adopt {
            return Err(OwnError::Other(mark));
        }
        tracing::warn!(from = mark, to = id, "the files of another store are taken over");
        Ok(self.put_mark(&id, PutMode::Overwrite).await?)
    }

    async fn mark(&self) -> Result<Option<String>, OwnError> {
        let found = match self.store.get(&self.key_of(&[MARK])).await {
            Ok(found) => found.bytes().await?,
            Err(error @ StoreError::NotFound { .. }) if !is_refusal(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(Some(String::from_utf8_lossy(&found).trim().to_owned()))
    }

    async fn put_mark(&self, id: &str, mode: PutMode) -> Result<(), StoreError> {
        let text = Bytes::from(format!("{id}\n"));
        self.store.put_opts(&self.key_of(&[MARK]), text.into(), PutOptions::from(mode)).await.map(drop)
    }
}

fn is_refusal(error: &StoreError) -> bool {
    use StoreError as E;
    match error {
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => true,
        E::NotFound { .. } => error.to_string().contains(NO_BUCKET),
        _ => false,
    }
}

impl From<StoreError> for OwnError {
    fn from(error: StoreError) -> Self {
        if is_refusal(&error) { Self::Refused(error.to_string()) } else { Self::Silent(error.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blobs::BlobConfig;

    #[tokio::test]
    async fn a_place_has_one_store_until_another_is_told_to_take_it_over() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other, third] = [1, 2, 3].map(|byte| StoreId([byte; 32]));
        for prefix in ["", "a/b"] {
            let config = BlobConfig { prefix: prefix.to_owned(), ..BlobConfig::default() };
            let blobs = Blobs::open(&config, folder.path()).unwrap();
            blobs.probe(one, "").await.unwrap();
            blobs.probe(one, "").await.unwrap();
            let refused = blobs.probe(other, "").await.unwrap_err();
            assert!(refused.to_string().contains(&one.to_string()), "{refused}");
            assert!(matches!(blobs.probe(other, &third.to_string()).await, Err(OwnError::Other(_))));
            blobs.probe(other, &one.to_string()).await.unwrap();
            blobs.probe(other, &one.to_string()).await.unwrap();
            assert!(matches!(blobs.probe(one, "").await, Err(OwnError::Other(_))), "two have it");
        }
    }

    #[tokio::test]
    async fn of_two_that_come_at_once_one_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&BlobConfig::default(), folder.path()).unwrap();
        let both = tokio::join!(blobs.own(StoreId([1; 32]), ""), blobs.own(StoreId([2; 32]), ""));
        assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
    }
}
