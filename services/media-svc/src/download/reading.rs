//! A file on its way to one reader.
//!
//! A task reads one piece ahead, and no more until that has been taken. It ends with the file, with the session, or with the
//! patience that a reader is given; whoever reads on gets that as a fault, never as the end of the file.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Ending, Slot};
use crate::blobs::BlobError;

/// Bytes of each piece but the last.
pub(super) const PIECE: usize = 64 * 1024;

/// Why a file breaks off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The reader took nothing for too long.
    #[error("nothing was taken for too long")]
    Stalled,
    /// The session gets nothing more.
    #[error("the session gets nothing more")]
    Session(Ending),
    /// The bytes cannot be read.
    #[error("the bytes cannot be read")]
    Unreadable,
}

/// The pieces: exactly as many bytes as were asked for, or a [`Cut`]. Dropping it ends the reading.
#[derive(Debug)]
pub struct Reading {
    pieces: mpsc::Receiver<Result<Bytes, Cut>>,
    /// Bytes that are still to come.
    left: u64,
}

impl Reading {
    /// Reads `length` bytes of `bytes`, at least 1, while the session `goes_on`. Must be called in a Tokio runtime.
    pub(super) fn start(
        bytes: impl Stream<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static,
        length: u64,
        slot: Slot,
        goes_on: impl Fn() -> Result<(), Ending> + Send + 'static,
        patience: Duration,
    ) -> Self {
        let (give, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut blob = Blob { bytes, carried: BytesMut::new(), left: length };
            while blob.left > 0 {
                let piece = match goes_on() {
                    Ok(()) => blob.next().await,
                    Err(ending) => Err(Cut::Session(ending)),
                };
                let last = piece.is_err();
                match timeout(patience, give.send(piece)).await {
                    Ok(Ok(())) if !last => {}
                    Ok(_) => break,
                    Err(_) => {
                        tracing::debug!("a reader who took nothing was let go");
                        break;
                    }
                }
            }
            drop(slot);
        });
        Self { pieces, left: length }
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

/// A blob, cut into pieces.
struct Blob<S> {
    bytes: S,
    /// Read and not given yet.
    carried: BytesMut,
    /// Bytes to be given.
    left: u64,
}

impl<S: Stream<Item = Result<Bytes, BlobError>> + Unpin> Blob<S> {
    async fn next(&mut self) -> Result<Bytes, Cut> {
        let wanted = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        while self.carried.len() < wanted {
            match self.bytes.next().await {
                Some(Ok(bytes)) => self.carried.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(unreadable(&error)),
                None => return Err(unreadable(&"it is shorter than its record says")),
            }
        }
        let piece = self.carried.split_to(wanted).freeze();
        self.left -= wanted as u64;
        Ok(piece)
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Cut {
    tracing::error!(%error, "a file cannot be read to its end");
    Cut::Unreadable
}

#[cfg(test)]
mod tests;
