//! The two ways a stream goes over the network.

use bytes::Bytes;
use parlor_wire::chat::v1::{ConnectRequest, ConnectResponse, PushRequest, SubscribeResponse};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::ChatClient;

/// Messages on their way to the server; then sending waits.
const QUEUE: usize = 16;

/// One message of the server.
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) frames: Vec<Bytes>,
}

pub(super) enum Transport {
    Connect {
        sending: Option<mpsc::Sender<ConnectRequest>>,
        receiving: Streaming<ConnectResponse>,
    },
    Subscribe {
        chat: Box<ChatClient>,
        stream_id: String,
        pushed: u64,
        /// Frames that wait until the stream has a name.
        waiting: Vec<Bytes>,
        receiving: Streaming<SubscribeResponse>,
    },
}

impl Transport {
    pub(super) async fn connect(mut chat: ChatClient) -> Result<Self, Status> {
        let (sending, queue) = mpsc::channel(QUEUE);
        let receiving = chat.connect(ReceiverStream::new(queue)).await?.into_inner();
        Ok(Self::Connect { sending: Some(sending), receiving })
    }

    pub(super) fn subscription(chat: ChatClient, receiving: Streaming<SubscribeResponse>) -> Self {
        let (chat, stream_id, waiting) = (Box::new(chat), String::new(), Vec::new());
        Self::Subscribe { chat, stream_id, pushed: 0, waiting, receiving }
    }

    /// Says which stream to push to.
    pub(super) fn named(&mut self, id: &str) {
        if let Self::Subscribe { stream_id, .. } = self {
            id.clone_into(stream_id);
        }
    }

    /// An error means that the stream has ended, which receiving will tell.
    pub(super) async fn send(&mut self, frames: Vec<Bytes>) {
        match self {
            Self::Connect { sending, .. } => {
                if let Some(sending) = sending {
                    drop(sending.send(ConnectRequest { frames }).await);
                }
            }
            Self::Subscribe { chat, stream_id, pushed, waiting, .. } => {
                waiting.extend(frames);
                if stream_id.is_empty() {
                    return;
                }
                *pushed += 1;
                let frames = std::mem::take(waiting);
                let request = PushRequest { stream_id: stream_id.clone(), number: *pushed, frames };
                drop(chat.push(request).await);
            }
        }
    }

    pub(super) fn close_sending(&mut self) {
        if let Self::Connect { sending, .. } = self {
            *sending = None;
        }
    }

    pub(super) async fn receive(&mut self) -> Result<Option<Batch>, Status> {
        Ok(match self {
            Self::Connect { receiving, .. } => {
                receiving.message().await?.map(|answer| Batch { number: answer.batch, frames: answer.frames })
            }
            Self::Subscribe { receiving, .. } => {
                receiving.message().await?.map(|answer| Batch { number: answer.batch, frames: answer.frames })
            }
        })
    }
}
