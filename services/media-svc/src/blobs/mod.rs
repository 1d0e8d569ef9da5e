//! The bytes of finished files: in a folder or in a bucket, under `<media id>/<variant>`.
//!
//! What is put is durable once that is answered. Files are streamed: memory holds a few chunks of each, whatever its size.

mod bucket;
mod config;
mod local;
mod owner;

use std::error::Error as _;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parlor_types::{Id as _, MediaId};

use crate::media::Variant;

pub use config::{BlobConfig, BlobStore};
pub use owner::{OwnError, StoreId};

use local::Folder;

/// Why bytes cannot be put, had or deleted.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// They are not there.
    #[error("no such blob")]
    NotFound,
    /// There is no room for them.
    #[error("no room for blobs")]
    Full,
    /// The store of blobs, or a file.
    #[error("blobs: {0}")]
    Failed(String),
}

/// See the module. Clones share everything.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    prefix: Option<String>,
    /// The folder they are in, if it is one.
    folder: Option<Folder>,
}

impl Blobs {
    /// Opens the bucket of the configuration, or `folder`, which is made if it is not there. Blocks while it does.
    ///
    /// # Errors
    /// The folder cannot be made or the bucket cannot be named.
    pub fn open(config: &BlobConfig, folder: &Path) -> Result<Self, BlobError> {
        let (store, folder): (Arc<dyn ObjectStore>, _) = match config.store {
            BlobStore::Local => {
                let folder = Folder::open(folder)?;
                (Arc::clone(&folder.files) as _, Some(folder))
            }
            BlobStore::S3 => (Arc::new(config.bucket()?), None),
        };
        let prefix = Some(config.prefix.trim_matches('/').to_owned()).filter(|prefix| !prefix.is_empty());
        Ok(Self { store, prefix, folder })
    }

    /// The same, leaving so many bytes of the disk free, if they are on one.
    #[must_use]
    pub fn reserving(self, reserve: u64) -> Self {
        Self { folder: self.folder.map(|folder| folder.reserving(reserve)), ..self }
    }

    /// Puts the bytes of a file, in the place of what was there.
    ///
    /// # Errors
    /// They are not there then.
    pub async fn put(&self, id: MediaId, variant: Variant, from: &Path) -> Result<(), BlobError> {
        let key = self.key(id, variant);
        match &self.folder {
            Some(folder) => folder.put(&key, from).await,
            None => bucket::put(&*self.store, &key, from).await,
        }
    }

    /// The bytes of `range`, which lies within the blob, is not empty, and which memory has room for.
    ///
    /// # Errors
    /// There are none, or they cannot be had.
    pub async fn read(&self, id: MediaId, variant: Variant, range: Range<u64>) -> Result<Bytes, BlobError> {
        Ok(self.store.get_range(&self.key(id, variant), range).await?)
    }

    /// Deletes all there is of a file; none is as good.
    ///
    /// # Errors
    /// Some of it may still be there.
    pub async fn delete(&self, id: MediaId) -> Result<(), BlobError> {
        for variant in [Variant::Small, Variant::Large, Variant::Original] {
            match self.store.delete(&self.key(id, variant)).await.map_err(BlobError::from) {
                Ok(()) | Err(BlobError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The ids of all files there are bytes of; an id may come more than once.
    pub fn ids(&self) -> BoxStream<'static, Result<MediaId, BlobError>> {
        let prefix = self.prefix.as_deref().map(Key::from);
        let id_of = |meta: object_store::ObjectMeta| {
            let folder = meta.location.parts().rev().nth(1);
            folder.and_then(|folder| MediaId::parse(folder.as_ref()))
        };
        let found = self.store.list(prefix.as_ref()).map_err(BlobError::from);
        found.try_filter_map(move |meta| std::future::ready(Ok(id_of(meta)))).boxed()
    }

    fn key(&self, id: MediaId, variant: Variant) -> Key {
        self.key_of(&[&id.to_string(), variant.name()])
    }

    /// One part after the other: a '/' within a part would be escaped.
    fn key_of(&self, parts: &[&str]) -> Key {
        let prefix = self.prefix.iter().flat_map(|prefix| prefix.split('/'));
        prefix.chain(parts.iter().copied()).collect()
    }
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Self::NotFound;
        }
        let mut cause = error.source();
        while let Some(inner) = cause {
            if inner.downcast_ref::<io::Error>().is_some_and(is_full) {
                return Self::Full;
            }
            cause = inner.source();
        }
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) { Self::Full } else { Self::Failed(error.to_string()) }
    }
}

/// Whether a file could not be written because there is no room for it.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

#[cfg(test)]
mod tests;
