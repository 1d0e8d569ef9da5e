//! A request body whose messages may not be larger than the method's limit.
//!
//! It follows the five-byte prefixes of gRPC (a flag, then the length, big endian) and fails the body at the first
//! length that is too large, before the codec reserves room for it. It changes no byte and holds none.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::status;
use tonic::Status;
use tonic::body::Body;

/// Bytes before each message: one of flags, four of length.
const PREFIX: usize = 5;

/// `body`, failing with MESSAGE_TOO_LARGE at the first message over `max` bytes.
pub(super) fn limited<B>(body: B, max: usize) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    Body::new(Limited {
        body: Body::new(body),
        frames: Frames { max, prefix: [0; PREFIX], filled: 0, left: 0 },
    })
}

struct Limited {
    body: Body,
    frames: Frames,
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(refusal) = self.frames.follow(data)
        {
            return Poll::Ready(Some(Err(refusal)));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Where in the sequence of messages the body is.
struct Frames {
    max: usize,
    prefix: [u8; PREFIX],
    /// Bytes of `prefix` that have come.
    filled: usize,
    /// Bytes of the present message that have not come.
    left: usize,
}

impl Frames {
    fn follow(&mut self, mut data: &[u8]) -> Result<(), Status> {
        loop {
            let skipped = self.left.min(data.len());
            self.left -= skipped;
            data = &data[skipped..];
            if data.is_empty() {
                return Ok(());
            }
            let taken = (PREFIX - self.filled).min(data.len());
            self.prefix[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
            self.filled += taken;
            data = &data[taken..];
            if self.filled == PREFIX {
                self.left = self.announced()?;
                self.filled = 0;
            }
        }
    }

    fn announced(&self) -> Result<usize, Status> {
        let [_, length @ ..] = self.prefix;
        let length = u32::from_be_bytes(length);
        match usize::try_from(length) {
            Ok(length) if length <= self.max => Ok(length),
            _ => Err(status(
                ErrorReason::MessageTooLarge,
                format!("the message has {length} bytes, this method takes {}", self.max),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(max: usize) -> Frames {
        Frames { max, prefix: [0; PREFIX], filled: 0, left: 0 }
    }

    fn message(length: u32) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(length.to_be_bytes());
        bytes.resize(PREFIX + length as usize, 7);
        bytes
    }

    #[test]
    fn every_split_of_messages_within_the_limit_passes() {
        let stream = [message(3), message(0), message(10)].concat();
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                let mut frames = frames(10);
                for part in [&stream[..first], &stream[first..second], &stream[second..]] {
                    frames.follow(part).unwrap();
                }
                assert_eq!((frames.filled, frames.left), (0, 0));
            }
        }
    }

    #[test]
    fn every_split_of_a_message_over_the_limit_fails_with_its_prefix() {
        let stream = [message(10), message(11)].concat();
        let prefix_ends = 2 * PREFIX + 10;
        for split in 0..prefix_ends {
            let mut frames = frames(10);
            frames.follow(&stream[..split]).unwrap();
            assert!(frames.follow(&stream[split..prefix_ends]).is_err(), "split at {split}");
        }
    }
}
