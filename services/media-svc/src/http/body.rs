//! The body of an answer, with a length that is known.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream as _;
use http_body::{Frame, SizeHint};

use crate::download::{Cut, Reading};

/// See the module.
#[derive(Debug)]
pub struct Body(Kind);

#[derive(Debug)]
enum Kind {
    /// Empty once it has been taken.
    Text(Bytes),
    File(Reading),
}

impl Body {
    pub(super) fn empty() -> Self {
        Self(Kind::Text(Bytes::new()))
    }

    pub(super) fn text(line: String) -> Self {
        Self(Kind::Text(line.into()))
    }

    pub(super) fn file(reading: Reading) -> Self {
        Self(Kind::File(reading))
    }

    fn left(&self) -> u64 {
        match &self.0 {
            Kind::Text(text) => text.len() as u64,
            Kind::File(reading) => reading.left(),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    /// The connection (or the stream on it) is broken off: the length that was announced is not reached.
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut self.0 {
            Kind::Text(text) if text.is_empty() => Poll::Ready(None),
            Kind::Text(text) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
            Kind::File(reading) => {
                let piece = Pin::new(reading).poll_next(context);
                piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}
