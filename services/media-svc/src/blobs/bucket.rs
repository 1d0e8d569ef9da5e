//! Putting a file into a bucket: at once if it is small, else in parts.
//!
//! Parts of what is not put to its end are in no list and cost money. They are given up on every way out of here; those that a
//! crash leaves are for a rule of the bucket's own.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use futures_util::stream::FuturesUnordered;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::runtime::Handle;

use super::BlobError;

/// Bytes of a part, and of what is put at once; S3 takes no part below 5 MiB but the last.
pub(super) const PART: usize = 5 << 20;
/// Parts of one file on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// Puts the bytes of a file there, in the place of what was.
pub(super) async fn put(store: &dyn ObjectStore, key: &Key, from: &Path) -> Result<(), BlobError> {
    let mut file = File::open(from).await?;
    let first = part(&mut file).await?;
    if first.len() < PART {
        store.put(key, first.into()).await?;
        return Ok(());
    }
    put_large(store.put_multipart(key).await?, first, &mut file).await
}

async fn put_large(upload: Box<dyn MultipartUpload>, first: Bytes, file: &mut File) -> Result<(), BlobError> {
    let mut unfinished = Unfinished(Some(upload));
    let Some(upload) = &mut unfinished.0 else { return Ok(()) };
    let put = put_parts(&mut **upload, first, file).await;
    if put.is_ok() {
        unfinished.0 = None;
    }
    put
}

async fn put_parts(upload: &mut dyn MultipartUpload, first: Bytes, file: &mut File) -> Result<(), BlobError> {
    let mut under_way = FuturesUnordered::new();
    let mut next = first;
    while !next.is_empty() {
        if under_way.len() == PARTS_AT_ONCE {
            under_way.try_next().await?;
        }
        under_way.push(upload.put_part(next.into()));
        next = part(file).await?;
    }
    while under_way.try_next().await?.is_some() {}
    upload.complete().await?;
    Ok(())
}

/// The next [`PART`] bytes of a file, or those up to its end.
async fn part(file: &mut File) -> Result<Bytes, BlobError> {
    let mut bytes = BytesMut::with_capacity(PART);
    let mut rest = file.take(PART as u64);
    while bytes.len() < PART && rest.read_buf(&mut bytes).await? > 0 {}
    Ok(bytes.freeze())
}

/// An upload in parts; given up in the background if it is dropped.
struct Unfinished(Option<Box<dyn MultipartUpload>>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let (Some(mut upload), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "a blob could not be given up: parts of it are left in the bucket");
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
