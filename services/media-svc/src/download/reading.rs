//! A file on its way to one reader.
//!
//! A task reads a stretch, gives it piece by piece, and reads the next when that has been taken: nothing of the store is held
//! open for a slow reader. It ends with the file, with the session, when the reader may have the file no more, or when it
//! does not keep to the pace that is asked of it; whoever reads on gets that as a fault, never as the end of the file.

use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream};
use parlor_types::MediaId;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::{Ending, Pace, Slot, Source};
use crate::blobs::BlobError;
use crate::media::Variant;

/// Bytes of each piece but the last.
pub(super) const PIECE: usize = 64 * 1024;
/// Bytes that are read at once.
pub(super) const STRETCH: u64 = 4 * PIECE as u64;

/// Whether the reader may have the file is asked again this often.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(60);

/// Why a file breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The reader took nothing for too long, or all of it too slowly.
    #[error("it was taken too slowly")]
    Stalled,
    /// The session gets nothing more.
    #[error("the session gets nothing more")]
    Session(Ending),
    /// The user may have the file no more.
    #[error("the file is not to be had any more")]
    Gone,
    /// Nobody can say whether they may.
    #[error("it cannot be told now who may have the file")]
    Unanswered,
    /// The bytes cannot be read.
    #[error("the bytes cannot be read")]
    Unreadable,
}

/// What is asked while a file is read.
pub(super) struct Checks {
    /// Before each piece.
    pub(super) goes_on: Box<dyn Fn() -> Result<(), Ending> + Send + Sync>,
    /// Every [`ASK_EVERY`].
    pub(super) may: Box<dyn Fn() -> BoxFuture<'static, Result<(), Cut>> + Send + Sync>,
}

/// The pieces: exactly as many bytes as were asked for, or a [`Cut`]. Dropping it ends the reading.
#[derive(Debug)]
pub struct Reading {
    pieces: mpsc::Receiver<Result<Bytes, Cut>>,
    /// Bytes that are still to come.
    left: u64,
}

impl Reading {
    /// Reads `blob` while the checks let it and the reader keeps to the pace. Must be called in a Tokio runtime.
    pub(super) fn start(blob: Blob, slot: Slot, checks: Checks, pace: Pace) -> Self {
        let (give, pieces) = mpsc::channel(1);
        let left = blob.left();
        tokio::spawn(async move {
            give_all(blob, &checks, pace, &give).await;
            drop(slot);
        });
        Self { pieces, left }
    }

    /// No bytes.
    pub(super) fn nothing() -> Self {
        Self { pieces: mpsc::channel(1).1, left: 0 }
    }

    /// Bytes that are still to come.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl Stream for Reading {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context)).unwrap_or(Err(Cut::Stalled));
        self.left = piece.as_ref().map_or(0, |piece| self.left.saturating_sub(piece.len() as u64));
        Poll::Ready(Some(piece))
    }
}

async fn give_all(mut blob: Blob, checks: &Checks, pace: Pace, give: &mpsc::Sender<Result<Bytes, Cut>>) {
    let (mut life, mut too_slow) = (pin!(sleep(pace.longest)), pin!(sleep(pace.first())));
    let mut ask = pin!(sleep(ASK_EVERY));
    while blob.left() > 0 {
        if ask.as_mut().now_or_never().is_some() {
            ask.set(sleep(ASK_EVERY));
            if let Err(cut) = (checks.may)().await {
                let _ = timeout(pace.patience, give.send(Err(cut))).await;
                return;
            }
        }
        let piece = match (checks.goes_on)() {
            Ok(()) => blob.next().await,
            Err(ending) => Err(Cut::Session(ending)),
        };
        let (earned, is_last) = (pace.earned(piece.as_ref().map_or(0, Bytes::len) as u64), piece.is_err());
        let given = tokio::select! {
            biased;
            () = &mut life => break,
            () = &mut too_slow => break,
            given = timeout(pace.patience, give.send(piece)) => given,
        };
        match given {
            Ok(Ok(())) if !is_last => {
                let until = too_slow.deadline() + earned;
                too_slow.as_mut().reset(until);
            }
            Ok(_) => return,
            Err(_) => break,
        }
    }
    if blob.left() > 0 {
        tracing::debug!("a reader who was too slow was let go");
    }
}

/// A blob, cut into pieces.
pub(super) struct Blob {
    source: Arc<dyn Source>,
    id: MediaId,
    variant: Variant,
    /// Read and not given yet.
    carried: Bytes,
    /// To be read.
    rest: Range<u64>,
}

impl Blob {
    /// The bytes of `range`, the first of which are read at once.
    pub(super) async fn open(
        source: Arc<dyn Source>,
        id: MediaId,
        variant: Variant,
        range: Range<u64>,
    ) -> Result<Self, BlobError> {
        let mut blob = Self { source, id, variant, carried: Bytes::new(), rest: range };
        blob.read().await?;
        Ok(blob)
    }

    /// Bytes that are still to be given.
    fn left(&self) -> u64 {
        self.carried.len() as u64 + (self.rest.end - self.rest.start)
    }

    async fn next(&mut self) -> Result<Bytes, Cut> {
        if self.carried.is_empty() {
            self.read().await.map_err(|error| {
                tracing::error!(id = %self.id, %error, "a file cannot be read to its end");
                Cut::Unreadable
            })?;
        }
        Ok(self.carried.split_to(self.carried.len().min(PIECE)))
    }

    async fn read(&mut self) -> Result<(), BlobError> {
        let stretch = self.rest.start..self.rest.end.min(self.rest.start + STRETCH);
        let bytes = self.source.read(self.id, self.variant, stretch.clone()).await?;
        if bytes.len() as u64 != stretch.end - stretch.start {
            return Err(BlobError::Failed("it is shorter than its record says".to_owned()));
        }
        self.rest.start = stretch.end;
        self.carried = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
