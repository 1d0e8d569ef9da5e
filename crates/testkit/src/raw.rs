//! Messages that no generated client would send.

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::{Stream, StreamExt as _};
use tokio_stream::{iter, pending};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use crate::{Bearer, in_time};

/// Bytes as they are, both ways.
#[derive(Debug, Default, Clone, Copy)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// Sends one message to `path` ("/package.Service/Method") on a call that stays open, and takes in all that comes until the
/// server ends it: the messages, and the status if it is not OK.
///
/// # Panics
/// `path` is none, the token is not text for a header, or the server does not end the call in time.
pub async fn raw_call(
    channel: Channel,
    token: &str,
    path: &str,
    message: &[u8],
) -> (Vec<Bytes>, Option<Status>) {
    let requests = iter([Bytes::copy_from_slice(message)]).chain(pending());
    let mut answers = match answers(channel, Some(token), path, requests).await {
        Ok(answers) => answers,
        Err(status) => return (Vec::new(), Some(status)),
    };
    let mut messages = Vec::new();
    in_time("the end of the call", async {
        loop {
            match answers.message().await {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => return (messages, None),
                Err(status) => return (messages, Some(status)),
            }
        }
    })
    .await
}

/// Sends one message to `path`, with any token or none, and takes in the first message of the answer, which is empty if there
/// is none.
///
/// # Errors
/// What the server answers instead.
///
/// # Panics
/// As [`raw_call`].
pub async fn raw_answer(
    channel: Channel,
    token: Option<&str>,
    path: &str,
    message: &[u8],
) -> Result<Bytes, Status> {
    let mut answers = answers(channel, token, path, iter([Bytes::copy_from_slice(message)])).await?;
    in_time("an answer", answers.message()).await.map(Option::unwrap_or_default)
}

async fn answers(
    channel: Channel,
    token: Option<&str>,
    path: &str,
    requests: impl Stream<Item = Bytes> + Send + 'static,
) -> Result<Streaming<Bytes>, Status> {
    let path: PathAndQuery = path.parse().expect("a path");
    let mut grpc = Grpc::new(InterceptedService::new(channel, Bearer::new(token)));
    grpc.ready().await.expect("the connection is open");
    grpc.streaming(Request::new(requests), path, Plain).await.map(Response::into_inner)
}
