//! The stream with nothing of ours: Hello, Append, and Fetch where there is a table.

use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::{Context, Poll};

use anyhow::Result;
use bytes::Bytes;
use futures_util::Stream as Frames;
use futures_util::future::{BoxFuture, Ready, ready};
use parlor_types::UserId;
use parlor_wire::chat::v1::client_frame::Kind as In;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::chat::v1::{ClientFrame, ConnectRequest, ConnectResponse, Head, Hello, SyncDone, Welcome};
use parlor_wire::codec::Codec;
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::Keep;
use super::conversation::{Conversation, Conversations, Stream, encoded};
use super::keeper::{self, Job};
use super::reader;

/// What such a server is started as.
pub const COMMAND: &str = "bare-stream";

/// Frames that wait for one stream.
const OUTBOX: usize = 8192;
/// Of those, how many leave in one message.
const AT_ONCE: usize = 256;

/// Serves on a free port until it is killed, with what it keeps in `folder`.
pub async fn serve(keep: Keep, folder: &Path) -> Result<()> {
    let keeper = keeper::start(keep, folder)?;
    let reader = (keep == Keep::Sqlite).then(|| reader::start(folder)).transpose()?;
    let bare = Bare(Arc::new(Inner { conversations: Conversations::default(), keeper, reader }));
    let server = Server::builder().add_service(bare);
    Ok(server.serve_with_incoming(super::listen()?).await?)
}

#[derive(Clone)]
struct Bare(Arc<Inner>);

struct Inner {
    conversations: Conversations,
    keeper: Option<SyncSender<Job>>,
    reader: Option<SyncSender<reader::Request>>,
}

impl NamedService for Bare {
    const NAME: &'static str = "parlor.chat.v1.ChatService";
}

/// Every method is Connect.
impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bare = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(Codec::<ConnectResponse, ConnectRequest>::default());
            Ok(grpc.streaming(bare, request).await)
        })
    }
}

impl StreamingService<ConnectRequest> for Bare {
    type Response = ConnectResponse;
    type ResponseStream = Outgoing;
    type Future = Ready<Result<Response<Outgoing>, Status>>;

    fn call(&mut self, request: Request<Streaming<ConnectRequest>>) -> Self::Future {
        let (outbox, frames) = mpsc::channel(OUTBOX);
        let stream = Arc::new(Stream::new(UserId::new().to_string(), outbox));
        tokio::spawn(Arc::clone(&self.0).read(request.into_inner(), stream));
        ready(Ok(Response::new(Outgoing { frames, batch: 0 })))
    }
}

impl Inner {
    async fn read(self: Arc<Self>, mut requests: Streaming<ConnectRequest>, stream: Arc<Stream>) {
        let mut joined: Option<Arc<Conversation>> = None;
        // What is malformed ends the stream; so does a client that has gone.
        while let Ok(Some(request)) = requests.message().await {
            for frame in request.frames {
                let Ok(ClientFrame { kind: Some(kind) }) = ClientFrame::decode(frame) else { continue };
                match (kind, &joined) {
                    (In::Hello(hello), None) => joined = Some(self.welcome(&hello, &stream)),
                    (kind, Some(conversation)) => self.take(kind, conversation, &stream),
                    (_, None) => {}
                }
            }
        }
        if let Some(conversation) = joined {
            conversation.leave(&stream);
        }
    }

    /// Who calls itself by a conversation's id is in that conversation.
    fn welcome(&self, hello: &Hello, stream: &Arc<Stream>) -> Arc<Conversation> {
        let conversation = self.conversations.get(&hello.client);
        let head = conversation.join(stream);
        let welcome = Welcome { user_id: stream.user.clone(), ..Welcome::default() };
        stream.tell(encoded(Out::Welcome(welcome)));
        stream.tell(encoded(Out::Head(Head { conversation_id: conversation.id.clone(), head })));
        stream.tell(encoded(Out::SyncDone(SyncDone::default())));
        conversation
    }

    fn take(&self, frame: In, conversation: &Arc<Conversation>, stream: &Arc<Stream>) {
        match (frame, &self.keeper, &self.reader) {
            (In::Append(append), None, _) => conversation.pass_on(append, stream),
            (In::Append(append), Some(keeper), _) => {
                let (conversation, sender) = (Arc::clone(conversation), Arc::clone(stream));
                // A queue that is full loses it, and the load finds that an answer is missing.
                let _ = keeper.try_send(Job { conversation, append, sender });
            }
            (In::Fetch(fetch), _, Some(reader)) => {
                let _ = reader.try_send((fetch, Arc::clone(stream)));
            }
            _ => {}
        }
    }
}

/// All that waits, as one message.
struct Outgoing {
    frames: mpsc::Receiver<Bytes>,
    batch: u64,
}

impl Frames for Outgoing {
    type Item = Result<ConnectResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut frames = Vec::new();
        match self.frames.poll_recv_many(context, &mut frames, AT_ONCE) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(0) => Poll::Ready(None),
            Poll::Ready(_) => {
                self.batch += 1;
                Poll::Ready(Some(Ok(ConnectResponse { batch: self.batch, frames })))
            }
        }
    }
}
