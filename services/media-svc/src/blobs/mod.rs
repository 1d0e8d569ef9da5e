//! The bytes of finished files: in a folder or in a bucket, under `<media id>/<variant>`.
//!
//! What is put is durable once that is answered. Files are streamed: memory holds a few chunks of each, whatever its size.

mod config;
mod local;

use std::error::Error as _;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use parlor_types::{Id as _, MediaId};
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::media::Variant;
use crate::room;

pub use config::{BlobConfig, BlobStore};

/// Bytes of a chunk on its way into the store; S3 takes no part below 5 MiB but the last.
const CHUNK: usize = 5 << 20;
/// Chunks of one file on their way at once.
const CHUNKS_AT_ONCE: usize = 2;
/// A key that no blob has.
const NOTHING: &str = "nothing";
/// What S3 says in words alone.
const NO_BUCKET: &str = "NoSuchBucket";
/// How long the store may take to answer at the start.
const PROBE: Duration = Duration::from_secs(5);
/// Bytes read from a file at once.
const READ: usize = 256 * 1024;

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
    /// The folder they are in, if it is one, and how many bytes of its disk are left free.
    reserve: Option<(Arc<Path>, u64)>,
}

impl Blobs {
    /// Opens the bucket of the configuration, or `folder`, which is made if it is not there. Blocks while it does.
    ///
    /// # Errors
    /// The folder cannot be made or the bucket cannot be named.
    pub fn open(config: &BlobConfig, folder: &Path) -> Result<Self, BlobError> {
        let store: Arc<dyn ObjectStore> = match config.store {
            BlobStore::Local => Arc::new(local::open(folder)?),
            BlobStore::S3 => Arc::new(config.bucket()?),
        };
        let prefix = Some(config.prefix.trim_matches('/').to_owned()).filter(|prefix| !prefix.is_empty());
        let reserve = (config.store == BlobStore::Local).then(|| (folder.into(), 0));
        Ok(Self { store, prefix, reserve })
    }

    /// The same, leaving so many bytes of the disk free, if they are on one.
    #[must_use]
    pub fn reserving(self, bytes: u64) -> Self {
        Self { reserve: self.reserve.map(|(folder, _)| (folder, bytes)), ..self }
    }

    /// Asks for anything at all, so that a wrong bucket, key or secret is told before there is something to keep. A store that
    /// does not answer is no reason not to start.
    ///
    /// # Errors
    /// It refuses.
    pub async fn probe(&self) -> Result<(), BlobError> {
        use object_store::Error as E;
        let nothing: Key = self.prefix.as_deref().into_iter().chain([NOTHING]).collect();
        match timeout(PROBE, self.store.get(&nothing)).await {
            Ok(Err(error @ (E::PermissionDenied { .. } | E::Unauthenticated { .. }))) => {
                Err(BlobError::Failed(error.to_string()))
            }
            Ok(Err(error @ E::NotFound { .. })) if error.to_string().contains(NO_BUCKET) => {
                Err(BlobError::Failed(error.to_string()))
            }
            Ok(Ok(_) | Err(E::NotFound { .. })) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the store of blobs does not answer");
                Ok(())
            }
            Err(_) => {
                tracing::warn!(after = ?PROBE, "the store of blobs does not answer");
                Ok(())
            }
        }
    }

    /// Puts the bytes of a file, in the place of what was there.
    ///
    /// # Errors
    /// They are not there then.
    pub async fn put(&self, id: MediaId, variant: Variant, from: &Path) -> Result<(), BlobError> {
        let mut file = tokio::fs::File::open(from).await?;
        if let Some((folder, reserve)) = &self.reserve {
            let folder = tokio::fs::File::open(folder).await?;
            room::check(&folder, file.metadata().await?.len(), *reserve)?;
        }
        let upload = self.store.put_multipart(&self.key(id, variant)).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, CHUNK);
        match copy(&mut file, &mut writer).await {
            Ok(()) => writer.finish().await.map(drop).map_err(BlobError::from),
            Err(error) => {
                if let Err(error) = writer.abort().await {
                    tracing::warn!(%error, "a blob that was not put could not be given up");
                }
                Err(error)
            }
        }
    }

    /// The bytes of `range`, which lies within the blob and is not empty.
    ///
    /// # Errors
    /// There are none, or they cannot be had; so may each item.
    pub async fn get(
        &self,
        id: MediaId,
        variant: Variant,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, BlobError>>, BlobError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&self.key(id, variant), options).await?;
        Ok(found.into_stream().map_err(BlobError::from).boxed())
    }

    /// As [`Blobs::get`], all at once: for a range that memory has room for.
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
        let id = id.to_string();
        // One part after the other: a '/' within a part would be escaped.
        self.prefix.iter().flat_map(|prefix| prefix.split('/')).chain([id.as_str(), variant.name()]).collect()
    }
}

async fn copy(file: &mut tokio::fs::File, writer: &mut WriteMultipart) -> Result<(), BlobError> {
    let mut buffer = vec![0; READ];
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        writer.wait_for_capacity(CHUNKS_AT_ONCE).await?;
        writer.write(&buffer[..read]);
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
