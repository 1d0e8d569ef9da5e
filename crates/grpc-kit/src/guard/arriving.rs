//! Requests on their way in: how many bytes of them there may be at once, and how long they may take (G8).
//!
//! A message is buffered until its last byte has come, and a client may never send that. So room for the largest message of the
//! method is taken before the first byte is read, for a caller and for all together, and given back when the request has come;
//! one that has not come in time ends. Other services are trusted to end what they begin. Streams of requests are bounded by
//! who serves them.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use parlor_types::UserId;
use parlor_wire::errors::v1::ErrorReason;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use super::status_of;
use crate::address::Source;
use crate::problem::problem_after;

/// Bytes that may be on their way from one caller at once: 31 parts of a file, or thousands of small requests.
pub(super) const OF_ONE: usize = 8 << 20;
/// Bytes that may be on their way from all at once.
pub(super) const OF_ALL: usize = 256 << 20;
/// A request has come whole this long after its headers, or it ends. A part of a file, 256 KiB, needs 4.3 KiB/s: what the
/// slowest of mobile networks give.
pub(super) const WITHIN: Duration = Duration::from_secs(60);
/// How long to wait before what had no room is sent again.
const RETRY: Duration = Duration::from_secs(1);

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    /// Of an account.
    Caller(UserId),
    /// Of whoever calls from there.
    Address(Source),
}

/// See the module. Clones share the room.
#[derive(Clone, Debug)]
pub(super) struct Arriving(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    of_one: usize,
    of_all: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_sender: HashMap<Sender, usize>,
}

/// Room for one request; given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    arriving: Arriving,
    sender: Sender,
    bytes: usize,
}

impl Arriving {
    /// Room for so many bytes of one sender and of all.
    pub(super) fn new(of_one: usize, of_all: usize) -> Self {
        Self(Arc::new(Inner { of_one, of_all, taken: Mutex::default() }))
    }

    /// Room for a request of up to so many bytes. A sender of whom nothing is on its way may send one of any size.
    pub(super) fn take(&self, sender: Sender, bytes: usize) -> Result<Room, Status> {
        let mut taken = self.taken();
        let of_sender = taken.by_sender.get(&sender).copied().unwrap_or_default();
        if of_sender > 0 && of_sender.saturating_add(bytes) > self.0.of_one {
            let message = "too many requests of this caller are on their way";
            return Err(status_of(problem_after(ErrorReason::RateLimited, message, RETRY)));
        }
        if taken.all > 0 && taken.all.saturating_add(bytes) > self.0.of_all {
            let message = "too many requests are on their way";
            return Err(status_of(problem_after(ErrorReason::Unavailable, message, RETRY)));
        }
        taken.all += bytes;
        taken.by_sender.insert(sender, of_sender + bytes);
        Ok(Room { arriving: self.clone(), sender, bytes })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.arriving.taken();
        taken.all -= self.bytes;
        if let Some(of_sender) = taken.by_sender.get_mut(&self.sender) {
            *of_sender -= self.bytes;
            if *of_sender == 0 {
                taken.by_sender.remove(&self.sender);
            }
        }
    }
}

/// `body`, failing with UNAVAILABLE if it has not come whole within [`WITHIN`] from now; `room` is given back when it has.
pub(super) fn in_time<B>(body: B, room: Option<Room>) -> Body
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    let (body, ends) = (Body::new(body), Instant::now() + WITHIN);
    Body::new(InTime { body, ends, timer: None, room })
}

struct InTime {
    body: Body,
    ends: Instant,
    /// Runs once the body has been waited for.
    timer: Option<Pin<Box<Sleep>>>,
    room: Option<Room>,
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if frame.is_none() {
                self.room = None;
            }
            return Poll::Ready(frame);
        }
        let ends = self.ends;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(ends)));
        timer.as_mut().poll(context).map(|()| {
            let message = format!("the request has not come within {} seconds", WITHIN.as_secs());
            Some(Err(status_of(problem_after(ErrorReason::Unavailable, message, RETRY))))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
