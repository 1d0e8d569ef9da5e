//! Streams on their transports: Connect, and Subscribe with Push.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use parlor_grpc_kit::Caller;
use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{from_status, problem_status};
use parlor_wire::{Invalid, id};
use prost::Message as _;
use tonic::{Status, Streaming};

use super::Chat;
use crate::edge;
use crate::session::outbox::OutBatch;
use crate::session::{Farewell, PushError, Stream};

/// Ends a stream on which no Hello comes. Until then no router knows of it, so nobody else does.
pub(super) async fn await_hello(stream: Weak<Stream>, within: Duration) {
    tokio::time::sleep(within).await;
    if let Some(stream) = stream.upgrade() {
        stream.tick();
    }
}

/// Takes in what the client says, always and at once: HTTP/2 ends connections whose small frames are left unread.
pub(super) async fn read_inbound(mut inbound: Streaming<wire::ConnectRequest>, stream: Arc<Stream>) {
    loop {
        match inbound.message().await {
            Ok(Some(request)) => stream.frames(request.frames),
            // The client has said all it will say. It may still listen, until it is silent for too long.
            Ok(None) => return,
            Err(status) => {
                let problem = from_status(&status);
                match problem.reason() {
                    ErrorReason::MessageMalformed | ErrorReason::MessageTooLarge => {
                        stream.end(Farewell::fault(problem.reason(), problem.message));
                    }
                    _ => stream.gone(),
                }
                return;
            }
        }
        if stream.has_ended() {
            return;
        }
    }
}

/// The Hello of a subscription is its first frame.
pub(super) fn subscribe(stream: &Arc<Stream>, request: wire::SubscribeRequest) {
    let kind = request.hello.map(wire::client_frame::Kind::Hello);
    let frame = wire::ClientFrame { kind };
    stream.frames(vec![frame.encode_to_vec().into()]);
}

impl Chat {
    pub(super) fn pushed(
        &self,
        caller: &Caller,
        request: wire::PushRequest,
    ) -> Result<wire::PushResponse, Problem> {
        let gone = || edge::problem(ErrorReason::StreamNotFound, "no stream of this session has this id");
        let id = id("stream_id", &request.stream_id)?;
        let stream = self.deps.router.find(caller.user_id, caller.session_id, id).ok_or_else(gone)?;
        match stream.push(request.number, request.frames) {
            Ok(()) => Ok(wire::PushResponse {}),
            Err(PushError::Zero) => Err(Invalid::field("number", "counts from 1").into()),
            Err(PushError::Ahead) => {
                Err(edge::problem(ErrorReason::PushAhead, "too far ahead of the first that is missing"))
            }
        }
    }
}

/// The frames of a stream as a response body. Dropped by the transport when the client is gone.
pub(crate) struct Outgoing<T> {
    stream: Arc<Stream>,
    ended: bool,
    message: PhantomData<fn() -> T>,
}

impl<T> Outgoing<T> {
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        Self { stream, ended: false, message: PhantomData }
    }
}

impl<T: From<OutBatch>> futures_util::Stream for Outgoing<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        self.stream.poll(context).map(|next| match next {
            Ok(batch) => Some(Ok(batch.into())),
            Err(farewell) => {
                self.ended = true;
                Some(Err(problem_status(&farewell.to_problem())))
            }
        })
    }
}

impl<T> Drop for Outgoing<T> {
    fn drop(&mut self) {
        self.stream.gone();
    }
}

impl From<OutBatch> for wire::ConnectResponse {
    fn from(batch: OutBatch) -> Self {
        Self { batch: batch.batch, frames: batch.frames }
    }
}

impl From<OutBatch> for wire::SubscribeResponse {
    fn from(batch: OutBatch) -> Self {
        Self { batch: batch.batch, frames: batch.frames }
    }
}
