//! The live connection: a task that owns the core and carries out its effects.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parlor_types::{ConversationId, Op, Seq};
use parlor_wire::chat::v1::Appended;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::Client;
use super::session::{Session, ends_session};
use super::stream::Stream;
use crate::core::{Command, Conn, Core, Draft, Effects, Event, Input, Now};
use crate::error::Error;
use crate::store::Store;

/// What this library calls itself in the server's logs.
const CLIENT: &str = concat!("parlor-client/", env!("CARGO_PKG_VERSION"));
/// Messages from streams that wait for the core; beyond, the network waits.
const INBOUND: usize = 64;
/// Requests of the app that wait for the core; beyond, the app waits.
const ASKED: usize = 64;
/// News that an app may be behind before it is told that it missed some.
const NEWS: usize = 1024;

/// A running connection. It ends when this is dropped.
#[derive(Debug)]
pub struct Live {
    asks: mpsc::Sender<Ask>,
    news: broadcast::Sender<Event>,
}

#[derive(Debug)]
enum Ask {
    Send(Draft, oneshot::Sender<Pending>),
    Do(Command),
}

/// A message on its way.
#[derive(Debug)]
pub struct Pending {
    /// What it is called.
    pub op: Op,
    outcome: oneshot::Receiver<Result<Appended, Problem>>,
}

impl Pending {
    /// Waits until the server has stored or refused it, however long that takes.
    ///
    /// # Errors
    /// [`Error::Refused`]: it will never be stored. [`Error::Stopped`]: the connection ended first; it stays in the
    /// outbox.
    pub async fn settled(self) -> Result<Appended, Error> {
        self.outcome.await.map_err(|_| Error::Stopped)?.map_err(Error::Refused)
    }
}

/// What [`Events::next`] brings.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Something happened.
    Event(Event),
    /// More happened than was taken in: so many are lost. The store has it all.
    Missed(u64),
}

/// A stream of changes, from when it was asked for.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next one; none when the connection has ended.
    pub async fn next(&mut self) -> Option<News> {
        match self.0.recv().await {
            Ok(event) => Some(News::Event(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(News::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Client {
    /// Opens the stream, keeps it open, and keeps the store in step with the server. One per session at a time: a newer
    /// one displaces this, which then says [`Event::Stopped`]. The events begin with the first.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], [`Error::Store`].
    pub async fn live(&self) -> Result<(Live, Events), Error> {
        let me = self.me().await?;
        let saved = self.stored(Store::load).await?;
        let core = Core::new(me, CLIENT.to_owned(), StdRng::from_rng(&mut rand::rng()), saved);
        let (asks, asked) = mpsc::channel(ASKED);
        let (news, events) = broadcast::channel(NEWS);
        let driver = Driver::new(Arc::clone(&self.session), core, news.clone());
        tokio::spawn(driver.run(asked));
        Ok((Live { asks, news }, Events(events)))
    }
}

impl Live {
    /// Saves a draft and sends it when its turn comes; answers when it is saved.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn send(&self, draft: Draft) -> Result<Pending, Error> {
        let (answer, pending) = oneshot::channel();
        self.asks.send(Ask::Send(draft, answer)).await.map_err(|_| Error::Stopped)?;
        pending.await.map_err(|_| Error::Stopped)
    }

    /// Everything up to `seq` was shown.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn mark_read(&self, conversation: ConversationId, seq: Seq) -> Result<(), Error> {
        self.command(Command::MarkRead(conversation, seq)).await
    }

    /// Makes the range reach down to `down_to`, or as far as may be read; [`Event::Older`] tells of each step.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn fetch_older(&self, conversation: ConversationId, down_to: Seq) -> Result<(), Error> {
        self.command(Command::FetchOlder(conversation, down_to)).await
    }

    /// The app came to the front or the network changed: reconnects at once, or sees whether the stream is alive.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn foreground(&self) -> Result<(), Error> {
        self.command(Command::Foreground).await
    }

    /// Another stream of the same events, from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.news.subscribe())
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.asks.send(Ask::Do(command)).await.map_err(|_| Error::Stopped)
    }
}

/// Owns the core.
struct Driver {
    session: Arc<Session>,
    core: Core,
    started: Instant,
    streams: HashMap<Conn, Stream>,
    inbound: mpsc::Sender<Input>,
    inputs: mpsc::Receiver<Input>,
    waiting: HashMap<Op, oneshot::Sender<Result<Appended, Problem>>>,
    news: broadcast::Sender<Event>,
}

impl Driver {
    fn new(session: Arc<Session>, core: Core, news: broadcast::Sender<Event>) -> Self {
        let (inbound, inputs) = mpsc::channel(INBOUND);
        let (started, streams, waiting) = (Instant::now(), HashMap::new(), HashMap::new());
        Self { session, core, started, streams, inbound, inputs, waiting, news }
    }

    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        let outcome = loop {
            let deadline = self.core.deadline().map(|at| self.started + at);
            let done = tokio::select! {
                ask = asked.recv() => match ask {
                    Some(ask) => self.on_ask(ask).await,
                    None => break Ok(()),
                },
                Some(input) = self.inputs.recv() => self.input(input).await,
                () = sleep_until(deadline) => self.input(Input::Timer).await,
            };
            if done.is_err() {
                break done;
            }
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "the connection ends: its store failed");
            let problem = Problem {
                reason: ErrorReason::Internal.into(),
                message: error.to_string(),
                ..Problem::default()
            };
            // Without a listener there is nobody to tell.
            let _ = self.news.send(Event::Stopped(problem));
        }
    }

    fn now(&self) -> Now {
        self.started.elapsed()
    }

    async fn on_ask(&mut self, ask: Ask) -> Result<(), Error> {
        match ask {
            Ask::Do(command) => self.input(Input::Command(command)).await,
            Ask::Send(draft, answer) => {
                let (op, effects) = self.core.append(self.now(), draft);
                let (settle, outcome) = oneshot::channel();
                self.waiting.insert(op, settle);
                self.perform_all(effects).await?;
                // Who no longer waits does not care.
                let _ = answer.send(Pending { op, outcome });
                Ok(())
            }
        }
    }

    async fn input(&mut self, input: Input) -> Result<(), Error> {
        let effects = self.core.handle(self.now(), input);
        self.perform_all(effects).await
    }

    /// Carries out effects, and those of the inputs that they lead to at once.
    async fn perform_all(&mut self, effects: Effects) -> Result<(), Error> {
        let mut next = VecDeque::from([effects]);
        while let Some(effects) = next.pop_front() {
            let inputs = self.perform(effects).await?;
            for input in inputs {
                next.push_back(self.core.handle(self.now(), input));
            }
        }
        Ok(())
    }

    /// In the order of the fields. If saving fails nothing after it is done: what the server would be told, or the app,
    /// would not be true after the next start.
    async fn perform(&mut self, effects: Effects) -> Result<Vec<Input>, Error> {
        let mut inputs = Vec::new();
        if !effects.save.is_empty() {
            let save = effects.save;
            self.session.stored(move |store| store.apply(&save)).await?;
        }
        for conn in effects.close {
            self.streams.remove(&conn);
        }
        if let Some((conn, hello)) = effects.open {
            let stream = Stream::open(Arc::clone(&self.session), conn, hello, self.inbound.clone());
            self.streams.insert(conn, stream);
        }
        if let Some(conn) = effects.send_on.filter(|_| !effects.send.is_empty())
            && !self.streams.get(&conn).is_some_and(|stream| stream.say(&effects.send))
        {
            self.streams.remove(&conn);
            inputs.push(Input::Closed(conn, None));
        }
        if effects.load_outbox {
            inputs.push(Input::Outbox(self.session.stored(|store| store.outbox(None)).await?));
        }
        for event in effects.tell {
            self.tell(event).await?;
        }
        Ok(inputs)
    }

    async fn tell(&mut self, event: Event) -> Result<(), Error> {
        if let Event::Settled(op, outcome) = &event
            && let Some(waiting) = self.waiting.remove(op)
        {
            // Who no longer waits does not care.
            let _ = waiting.send(outcome.clone());
        }
        if let Event::Stopped(problem) = &event {
            self.waiting.clear();
            if ends_session(problem.reason()) {
                self.session.over(problem.clone()).await?;
            }
        }
        // Without a listener there is nobody to tell.
        let _ = self.news.send(event);
        Ok(())
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
