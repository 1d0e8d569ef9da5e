//! A client of the stream, raw: it sends what it is told to and hands over what comes.
//!
//! The same over Connect and over Subscribe with Push. Frames are taken out selectively: what was not asked for waits in
//! a mailbox, in order. Batches are acked as they are taken in, unless told not to.

mod transport;

use std::collections::VecDeque;
use std::fmt::Debug;

use bytes::Bytes;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::server_frame::Kind as In;
use parlor_wire::chat::v1::{
    Ack, Append, AppendResult, ClientFrame, Conversation, Entry, Fetch, FetchResult, Goodbye, Hello, Ping,
    ServerFrame, SubscribeRequest, SubscribeResponse, Welcome,
};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use prost::Message as _;
use tonic::{Status, Streaming};

use crate::{ChatClient, in_time};
use transport::{Batch, Transport};

/// See the module.
pub struct StreamClient {
    transport: Transport,
    mailbox: VecDeque<In>,
    auto_ack: bool,
    /// The last batch that came.
    pub batch: u64,
    requests: u64,
}

/// How a stream ended.
#[derive(Debug)]
pub struct Ended {
    /// The last frame, if it was Goodbye.
    pub goodbye: Option<Goodbye>,
    /// The status; `None` for OK.
    pub status: Option<Status>,
}

impl Ended {
    /// The reason, which Goodbye and the status must agree on, and whether to reconnect.
    ///
    /// # Panics
    /// There was no Goodbye, or the status does not repeat its reason.
    #[must_use]
    #[track_caller]
    pub fn reason(&self) -> (ErrorReason, bool) {
        let goodbye = self.goodbye.as_ref().expect("a Goodbye before the end");
        let status = self.status.as_ref().expect("a status that says why");
        assert_eq!(from_status(status).reason(), goodbye.reason(), "the status repeats the reason");
        (goodbye.reason(), goodbye.reconnect)
    }
}

impl StreamClient {
    fn over(transport: Transport) -> Self {
        Self { transport, mailbox: VecDeque::new(), auto_ack: true, batch: 0, requests: 0 }
    }

    /// Opens a bidirectional stream and says nothing yet.
    ///
    /// # Errors
    /// The server refuses the call.
    pub async fn open(chat: &ChatClient) -> Result<Self, Status> {
        Transport::connect(chat.clone()).await.map(Self::over)
    }

    /// Opens a bidirectional stream and is welcomed; an empty cursor asks for everything.
    ///
    /// # Panics
    /// It is not.
    pub async fn connect(chat: &ChatClient, cursor: &[u8]) -> (Self, Welcome) {
        let mut stream = Self::open(chat).await.expect("the stream opens");
        stream.send(hello(cursor)).await;
        let welcome = stream.welcomed().await;
        (stream, welcome)
    }

    /// Subscribes; what is sent goes through Push.
    ///
    /// # Errors
    /// The server refuses the call.
    pub async fn subscribe(chat: &ChatClient, hello: Hello) -> Result<Self, Status> {
        let request = SubscribeRequest { hello: Some(hello) };
        let answer = chat.clone().subscribe(request).await?;
        Ok(Self::of_subscription(chat, answer.into_inner()))
    }

    /// Takes over a subscription that was made by hand.
    #[must_use]
    pub fn of_subscription(chat: &ChatClient, receiving: Streaming<SubscribeResponse>) -> Self {
        Self::over(Transport::subscription(chat.clone(), receiving))
    }

    /// Takes the Welcome, which has to be first, and learns the stream's id.
    ///
    /// # Panics
    /// Something else came first.
    pub async fn welcomed(&mut self) -> Welcome {
        match self.next().await {
            Ok(In::Welcome(welcome)) => {
                self.transport.named(&welcome.stream_id);
                welcome
            }
            other => panic!("expected Welcome, got {other:?}"),
        }
    }

    /// Ack batches as they come, or leave it to the test.
    pub fn auto_ack(&mut self, on: bool) {
        self.auto_ack = on;
    }

    /// Sends one frame. If the stream has ended, what comes next says so.
    pub async fn send(&mut self, kind: Out) {
        self.send_all([kind]).await;
    }

    /// Sends frames in one message.
    pub async fn send_all(&mut self, kinds: impl IntoIterator<Item = Out>) {
        let encode = |kind| ClientFrame { kind: Some(kind) }.encode_to_vec().into();
        let frames = kinds.into_iter().map(encode).collect();
        self.send_bytes(frames).await;
    }

    /// Sends what may not be frames in one message.
    pub async fn send_bytes(&mut self, frames: Vec<Bytes>) {
        self.transport.send(frames).await;
    }

    /// The next frame, whatever it is, or the end.
    ///
    /// # Errors
    /// The stream has ended.
    ///
    /// # Panics
    /// Neither came in time.
    pub async fn next(&mut self) -> Result<In, Ended> {
        while self.mailbox.is_empty() {
            self.receive().await?;
        }
        self.mailbox.pop_front().ok_or(Ended { goodbye: None, status: None })
    }

    /// Takes in one batch.
    async fn receive(&mut self) -> Result<(), Ended> {
        let Batch { number, frames } = match in_time("a batch, or the end", self.transport.receive()).await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Err(self.ended(None)),
            Err(status) => return Err(self.ended(Some(status))),
        };
        assert_eq!(number, self.batch + 1, "batches count from 1");
        self.batch = number;
        for frame in frames {
            let frame = ServerFrame::decode(frame).expect("the server sends frames");
            self.mailbox.push_back(frame.kind.expect("of a kind known here"));
        }
        if self.auto_ack {
            self.send(Out::Ack(Ack { batch: number })).await;
        }
        Ok(())
    }

    fn ended(&mut self, status: Option<Status>) -> Ended {
        let goodbye = match self.mailbox.pop_back() {
            Some(In::Goodbye(goodbye)) => Some(goodbye),
            other => {
                self.mailbox.extend(other);
                None
            }
        };
        Ended { goodbye, status }
    }

    /// The first frame, of those in the mailbox and those to come, that `wanted` takes; the others wait.
    ///
    /// # Panics
    /// The stream ends first, or no such frame comes in time; `what` says what was waited for.
    pub async fn find<T>(&mut self, what: &str, mut wanted: impl FnMut(&In) -> Option<T>) -> T {
        let mut looked_at = 0;
        loop {
            while let Some(frame) = self.mailbox.get(looked_at) {
                if let Some(found) = wanted(frame) {
                    self.mailbox.remove(looked_at);
                    return found;
                }
                looked_at += 1;
            }
            if let Err(ended) = self.receive().await {
                panic!("expected {what}, but the stream ended: {ended:?}");
            }
        }
    }

    /// Everything in the mailbox: what came and was not asked for.
    pub fn take_mail(&mut self) -> Vec<In> {
        self.mailbox.drain(..).collect()
    }

    /// Reads to the end.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn end(&mut self) -> Ended {
        in_time("the end of the stream", async {
            loop {
                if let Err(ended) = self.receive().await {
                    return ended;
                }
            }
        })
        .await
    }

    /// Says nothing more, and goes on listening.
    pub fn close_sending(&mut self) {
        self.transport.close_sending();
    }

    /// The rows of a sync, and its cursor.
    pub async fn synced(&mut self) -> (Vec<Conversation>, Bytes) {
        let cursor = self.find("SyncDone", |frame| match frame {
            In::SyncDone(done) => Some(done.cursor.clone()),
            _ => None,
        });
        let cursor = cursor.await;
        let mut rows = Vec::new();
        self.mailbox.retain_mut(|frame| match frame {
            In::SyncConversation(row) => {
                rows.extend(row.conversation.take());
                false
            }
            _ => true,
        });
        (rows, cursor)
    }

    /// The next row.
    pub async fn row(&mut self) -> Conversation {
        self.find("a row", |frame| match frame {
            In::SyncConversation(row) => row.conversation.clone(),
            _ => None,
        })
        .await
    }

    /// The next entry that comes by itself.
    pub async fn event(&mut self) -> Entry {
        self.find("an Event", |frame| match frame {
            In::Event(event) => event.entry.clone(),
            _ => None,
        })
        .await
    }

    /// The answer to an op.
    pub async fn result_of(&mut self, op: &str) -> AppendResult {
        self.find("an AppendResult", |frame| match frame {
            In::AppendResult(result) if result.op == op => Some(result.clone()),
            _ => None,
        })
        .await
    }

    /// Appends and waits for the answer.
    pub async fn append(&mut self, append: Append) -> AppendResult {
        let op = append.op.clone();
        self.send(Out::Append(append)).await;
        self.result_of(&op).await
    }

    /// The answer to a request to fetch.
    pub async fn result_of_fetch(&mut self, request: u64) -> FetchResult {
        self.find("a FetchResult", |frame| match frame {
            In::FetchResult(result) if result.request_id == request => Some(result.clone()),
            _ => None,
        })
        .await
    }

    /// Fetches and waits for the answer.
    pub async fn fetch(&mut self, conversation_id: &str, from_seq: u64, to_seq: u64) -> FetchResult {
        self.requests += 1;
        let request_id = self.requests;
        let conversation_id = conversation_id.to_owned();
        self.send(Out::Fetch(Fetch { request_id, conversation_id, from_seq, to_seq })).await;
        self.result_of_fetch(request_id).await
    }

    /// Sends a Ping and waits for its Pong: all that was sent before has been taken in by the server, and all that it said
    /// before is here.
    pub async fn ping(&mut self) {
        self.requests += 1;
        let nonce = self.requests;
        self.send(Out::Ping(Ping { nonce })).await;
        let pong = |frame: &In| matches!(frame, In::Pong(pong) if pong.nonce == nonce).then_some(());
        self.find("a Pong", pong).await;
    }
}

/// A Hello of this protocol.
fn hello(cursor: &[u8]) -> Out {
    let cursor = Bytes::copy_from_slice(cursor);
    Out::Hello(Hello {
        protocol: parlor_types::limits::PROTOCOL,
        cursor,
        client: "test".to_owned(),
        ..Hello::default()
    })
}

impl Debug for StreamClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamClient").field("batch", &self.batch).finish_non_exhaustive()
    }
}
