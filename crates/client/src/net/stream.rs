//! One stream: a task that opens it, reads it to its end, and hands on what comes.

use bytes::Bytes;
use parlor_wire::chat::v1::{ClientFrame, ConnectRequest, ConnectResponse, Hello, ServerFrame, client_frame};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::from_status;
use prost::Message as _;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::ReceiverStream;

use super::session::Session;
use crate::core::{Conn, Input};
use crate::error::Error;

/// Messages that may wait for the network, in one direction. The core keeps fewer unanswered: when this many wait, the
/// stream is dead.
const QUEUE: usize = 256;
/// Bytes of frames in one message; the API takes 64 KiB.
const MESSAGE_BYTES: usize = 48 * 1024;

/// The sending half of a stream. Dropping it ends the stream.
#[derive(Debug)]
pub(super) struct Stream {
    outbound: mpsc::Sender<ConnectRequest>,
    task: AbortHandle,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stream {
    /// Begins to open a stream. What becomes of it comes through `inbound`, its end last.
    pub fn open(session: Arc<Session>, conn: Conn, hello: Hello, inbound: mpsc::Sender<Input>) -> Self {
        let (outbound, requests) = mpsc::channel(QUEUE);
        let hello = ClientFrame { kind: Some(client_frame::Kind::Hello(hello)) };
        let first = ConnectRequest { frames: vec![hello.encode_to_vec().into()] };
        outbound.try_send(first).expect("a new queue has room");
        let task = tokio::spawn(async move {
            let end = read(&session, conn, requests, &inbound).await;
            // Nobody listens any more when the driver has gone; then nobody needs to know.
            let _ = inbound.send(Input::Closed(conn, end)).await;
        });
        Self { outbound, task: task.abort_handle() }
    }

    /// Says `frames`; `false` if the stream cannot take them.
    pub fn say(&self, frames: &[ClientFrame]) -> bool {
        messages(frames).into_iter().all(|message| self.outbound.try_send(message).is_ok())
    }
}

/// As few messages as the limit allows.
fn messages(frames: &[ClientFrame]) -> Vec<ConnectRequest> {
    let mut messages = vec![ConnectRequest::default()];
    let mut bytes = 0;
    for frame in frames {
        let encoded = Bytes::from(frame.encode_to_vec());
        bytes += encoded.len();
        if bytes > MESSAGE_BYTES {
            bytes = encoded.len();
            messages.push(ConnectRequest::default());
        }
        if let Some(last) = messages.last_mut() {
            last.frames.push(encoded);
        }
    }
    messages.retain(|message| !message.frames.is_empty());
    messages
}

/// Reads to the end. The problem it ended with, if there was one.
async fn read(
    session: &Session,
    conn: Conn,
    requests: mpsc::Receiver<ConnectRequest>,
    inbound: &mpsc::Sender<Input>,
) -> Option<Problem> {
    let access = match session.access().await {
        Ok(access) => access,
        Err(error) => return Some(to_problem(error)),
    };
    let request = access.endless(ReceiverStream::new(requests));
    let mut answers = match access.chat().connect(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => {
            let mut problem = from_status(&status);
            if session.token_was_refused(&access, &problem).await {
                problem.reason = ErrorReason::TokenExpired.into(); // the next attempt takes another token
            }
            return Some(problem);
        }
    };
    loop {
        match answers.message().await {
            Ok(Some(ConnectResponse { batch, frames })) => {
                let frames: Result<Vec<_>, _> = frames.into_iter().map(ServerFrame::decode).collect();
                let Ok(frames) = frames else {
                    tracing::warn!("the server said something that cannot be decoded");
                    return None;
                };
                inbound.send(Input::Batch(conn, batch, frames)).await.ok()?;
            }
            Ok(None) => return None,
            Err(status) => return Some(from_status(&status)),
        }
    }
}

fn to_problem(error: Error) -> Problem {
    let reason = match &error {
        Error::NotLoggedIn => ErrorReason::TokenMissing,
        Error::Store(_) => ErrorReason::Internal,
        _ => error.reason().unwrap_or(ErrorReason::Unavailable),
    };
    match error.problem() {
        Some(problem) => problem.clone(),
        None => Problem { reason: reason.into(), message: error.to_string(), ..Problem::default() },
    }
}

#[cfg(test)]
mod tests {
    use parlor_wire::chat::v1::{Append, Content, Text, content};

    use super::*;

    #[test]
    fn frames_are_packed_up_to_the_limit_and_keep_their_order() {
        let frames: Vec<_> = (0..10)
            .map(|n| {
                let text = Text { body: "x".repeat(15 * 1024) };
                let content = Some(Content { kind: Some(content::Kind::Text(text)) });
                let append = Append { base_seq: n, content, ..Append::default() };
                ClientFrame { kind: Some(client_frame::Kind::Append(append)) }
            })
            .collect();
        let packed = messages(&frames);
        assert_eq!(packed.len(), 4);
        assert!(packed.iter().all(|message| message.encoded_len() <= 64 * 1024));
        let unpacked: Vec<_> =
            packed.into_iter().flat_map(|m| m.frames).map(|f| ClientFrame::decode(f).unwrap()).collect();
        assert_eq!(unpacked, frames);
        assert!(messages(&[]).is_empty());
    }
}
