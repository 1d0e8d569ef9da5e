//! A member on a stream.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use parlor_types::limits;
use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::chat::v1::client_frame::Kind as Out;
use parlor_wire::chat::v1::{ConnectRequest, ConnectResponse, Hello};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::core::{Core, encoded};
use super::meters::{Meters, Seen};
use crate::accounts::Bearer;

/// Messages on their way to the transport: more than there is ever unanswered.
const OUTBOUND: usize = 256;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who joins, and how.
pub struct Joining {
    /// A connection of its own.
    pub channel: Channel,
    /// Who.
    pub bearer: Bearer,
    /// The one conversation it cares for. It is also what it calls itself in Hello: servers that know no conversations take
    /// from there who belongs together.
    pub conversation: String,
    /// Where it was when it left.
    pub saved: Saved,
    /// How many of its messages may be unanswered.
    pub at_once: usize,
    /// Its number among the members.
    pub number: usize,
    /// Where it tells what it sees.
    pub meters: Arc<Meters>,
}

/// What a client saves.
#[derive(Debug, Clone, Default)]
pub struct Saved {
    /// The last cursor.
    pub cursor: Bytes,
    /// What it has of the conversation.
    pub have: Option<u64>,
}

/// See the module. Leaves when it is dropped.
#[derive(Debug)]
pub struct Member {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    core: Mutex<Core>,
    outbound: mpsc::Sender<ConnectRequest>,
    /// Each answer is followed by another message.
    talks: AtomicBool,
    ended: AtomicBool,
    changed: Notify,
    number: usize,
    meters: Arc<Meters>,
}

impl Member {
    /// Opens the stream and says Hello; what comes is taken in from here on.
    pub async fn join(joining: Joining) -> Result<Self> {
        let Joining { channel, bearer, conversation, saved, at_once, number, meters } = joining;
        let (outbound, requests) = mpsc::channel(OUTBOUND);
        let hello = Hello {
            protocol: limits::PROTOCOL,
            cursor: saved.cursor.clone(),
            client: conversation.clone(),
            ..Hello::default()
        };
        outbound.try_send(ConnectRequest { frames: vec![encoded(Out::Hello(hello))] })?;
        let core = Mutex::new(Core::new(conversation, saved.have, saved.cursor, at_once, number));
        let (talks, ended, changed) = (AtomicBool::new(false), AtomicBool::new(false), Notify::new());
        let shared = Arc::new(Shared { core, outbound, talks, ended, changed, number, meters });
        let mut client = ChatServiceClient::with_interceptor(channel, bearer);
        let answers = client.connect(ReceiverStream::new(requests)).await?.into_inner();
        let reader = tokio::spawn(Arc::clone(&shared).read(answers));
        Ok(Self { shared, reader })
    }

    /// Waits until the sync is complete.
    pub async fn synced(&self) -> Result<()> {
        self.shared.until("the end of the sync", |core| core.synced).await
    }

    /// Waits until everything up to `seq` is here.
    pub async fn has(&self, seq: u64) -> Result<()> {
        self.shared.until("what was missed", |core| core.have >= Some(seq)).await
    }

    /// Waits until everything it has sent is answered.
    pub async fn idle(&self) -> Result<()> {
        self.shared.until("answers", Core::is_idle).await
    }

    /// Up to where it has the conversation.
    pub fn have(&self) -> Option<u64> {
        self.shared.core().have
    }

    /// Sends `messages` that are due at this time, or as soon as others are answered.
    pub fn offer(&self, due: u64, messages: usize) {
        let mut core = self.shared.core();
        for _ in 0..messages {
            core.offer(due);
        }
        self.shared.send(&mut core, Vec::new());
    }

    /// Sends `at_once` messages, and another for each that is answered.
    pub fn talk(&self, at_once: usize) {
        self.shared.talks.store(true, Ordering::Relaxed);
        self.offer(self.shared.meters.now(), at_once);
    }

    /// Sends no more.
    pub fn fall_silent(&self) {
        self.shared.talks.store(false, Ordering::Relaxed);
    }

    /// Ends the stream and waits until the connection is let go.
    pub async fn leave(mut self) -> Saved {
        self.reader.abort();
        // It was cancelled: that is what was wanted.
        let _ = (&mut self.reader).await;
        let core = self.shared.core();
        Saved { cursor: core.cursor.clone(), have: core.have }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what the core has to say, after `frames`. The lock is held: what is sent has the order of what was noted.
    fn send(&self, core: &mut Core, mut frames: Vec<Bytes>) {
        core.send(&mut frames);
        if frames.is_empty() {
            return;
        }
        if let Err(error) = self.outbound.try_send(ConnectRequest { frames }) {
            self.meters.fail(format!("a member cannot send: {error}"));
        }
    }

    async fn until(&self, what: &str, reached: impl Fn(&Core) -> bool) -> Result<()> {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if reached(&self.core()) || self.ended.load(Ordering::Relaxed) {
                    return;
                }
                changed.await;
            }
        };
        let outcome = timeout(PATIENCE, wait).await;
        self.meters.check()?;
        outcome.with_context(|| format!("{what} did not come within {PATIENCE:?}"))?;
        ensure!(reached(&self.core()), "the stream ended before {what} came");
        Ok(())
    }

    async fn read(self: Arc<Self>, mut answers: Streaming<ConnectResponse>) {
        loop {
            let outcome = match answers.message().await {
                Ok(Some(answer)) => self.take(answer),
                Ok(None) => Err(anyhow::anyhow!("the server ended the stream")),
                Err(status) => Err(status.into()),
            };
            if let Err(error) = outcome {
                self.meters.fail(format!("member {}: {error:#}", self.number));
                self.ended.store(true, Ordering::Relaxed);
                self.changed.notify_waiters();
                return;
            }
            self.changed.notify_waiters();
        }
    }

    fn take(&self, answer: ConnectResponse) -> Result<()> {
        let now = self.meters.now();
        let (mut seen, mut out) = (Seen::default(), Vec::new());
        let mut core = self.core();
        core.take(now, answer.batch, answer.frames, &mut seen, &mut out)?;
        if self.talks.load(Ordering::Relaxed) {
            for _ in &seen.acks {
                core.offer(now);
            }
        }
        self.send(&mut core, out);
        drop(core);
        self.meters.record(self.number, now, &seen);
        Ok(())
    }
}
