//! The live connection as an app holds it.

use std::sync::Arc;
use std::time::Duration;

use parlor_types::{ConversationId, Op, Seq, UserId};
use parlor_wire::chat::v1::{Activity, Appended, PreferenceChanges};
use parlor_wire::errors::v1::{ErrorReason, FieldViolation, Problem};
use parlor_wire::presence::v1::Presence;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::Client;
use super::courier::Desk;
use super::driver::Driver;
use crate::core::{Command, Core, Draft, Event, MAX_WATCHED, Outgoing, Setup};
use crate::error::Error;
use crate::store::Store;

/// What this library calls itself in the server's logs.
const CLIENT: &str = concat!("parlor-client/", env!("CARGO_PKG_VERSION"));
/// Requests of the app that wait for the core; beyond, the app waits.
const ASKED: usize = 64;
/// News that an app may be behind before it is told that it missed some.
const NEWS: usize = 1024;

/// A running connection. It ends when this is dropped.
#[derive(Debug)]
pub struct Live {
    pub(super) asks: mpsc::Sender<Ask>,
    news: broadcast::Sender<Event>,
    pub(super) desk: Desk,
}

/// What the app wants of the task that owns the core.
#[derive(Debug)]
pub(super) enum Ask {
    Send(Draft, oneshot::Sender<Pending>),
    /// Who wants to know what becomes of a message with files.
    Await(Op, oneshot::Sender<Result<Appended, Problem>>),
    /// The files of a message are there; answered when it is in the outbox.
    Dispatch(Box<Outgoing>, oneshot::Sender<()>),
    /// The files of a message will never be there.
    Fail(Op, Problem),
    Do(Command),
    Typing(ConversationId, oneshot::Sender<Vec<(UserId, Activity)>>),
    Presence(UserId, oneshot::Sender<Option<Presence>>),
    NextAttempt(oneshot::Sender<Option<Duration>>),
}

/// How a program is on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveOptions {
    /// It begins in front: others may see this user online. [`Live::foreground`] and [`Live::background`] change it.
    pub foreground: bool,
    /// It runs on a phone, whose network comes and goes: others see the user as gone only after a longer while.
    pub mobile: bool,
}

impl Default for LiveOptions {
    /// In front, on a machine whose network stays.
    fn default() -> Self {
        Self { foreground: true, mobile: false }
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Pending {
    /// What it is called.
    pub op: Op,
    pub(super) outcome: oneshot::Receiver<Result<Appended, Problem>>,
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
        self.live_with(LiveOptions::default()).await
    }

    /// As [`Client::live`], in the background or on a phone.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], [`Error::Store`].
    pub async fn live_with(&self, options: LiveOptions) -> Result<(Live, Events), Error> {
        let LiveOptions { foreground, mobile } = options;
        let setup = Setup { me: self.me().await?, client: CLIENT.to_owned(), mobile, foreground };
        let (lease, saved) = self.stored(Store::begin).await?;
        self.session.note(|record| record.resume(&saved));
        let core = Core::new(setup, StdRng::from_rng(&mut rand::rng()), saved);
        let (asks, asked) = mpsc::channel(ASKED);
        let (news, events) = broadcast::channel(NEWS);
        let driver = Driver::new(Arc::clone(&self.session), lease, core, news.clone());
        tokio::spawn(driver.run(asked));
        let desk = Desk::open(Arc::clone(&self.session), asks.clone(), news.clone());
        Ok((Live { asks, news, desk }, Events(events)))
    }
}

impl Live {
    /// Saves a draft and sends it when its turn comes; answers when it is saved.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn send(&self, draft: Draft) -> Result<Pending, Error> {
        self.ask(|answer| Ask::Send(draft, answer)).await
    }

    /// Everything up to `seq` was shown; what is not held was not. Saved at once and told to the server when it can be.
    /// Takes `marked_unread` away too: call it whenever somebody opens the conversation.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn mark_read(&self, conversation: ConversationId, seq: Seq) -> Result<(), Error> {
        self.command(Command::MarkRead(conversation, seq)).await
    }

    /// Changes how this user wants to have a conversation; what is absent stays. Saved and shown at once, told to the
    /// server when it can be, over restarts of this program too. [`Event::PreferencesRefused`] says what it did not take.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn set_preferences(
        &self,
        conversation: ConversationId,
        changes: PreferenceChanges,
    ) -> Result<(), Error> {
        self.command(Command::SetPreferences(conversation, changes)).await
    }

    /// The user types, records, or has stopped (`Unspecified`). Call it with every key: it is told once in 3 s at most,
    /// and a stop at once. Sending a message is a stop by itself. Without a connection nothing happens.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn set_typing(&self, conversation: ConversationId, activity: Activity) -> Result<(), Error> {
        self.command(Command::SetTyping(conversation, activity)).await
    }

    /// Who types or records in a conversation just now.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn typing(&self, conversation: ConversationId) -> Result<Vec<(UserId, Activity)>, Error> {
        self.ask(|answer| Ask::Typing(conversation, answer)).await
    }

    /// Tells the presence of these users and no others from here on, by [`Event::Presence`]: those on screen, none to end
    /// it. The list is kept over all streams.
    ///
    /// # Errors
    /// [`Error::Refused`] for more than [`MAX_WATCHED`], [`Error::Stopped`].
    pub async fn watch(&self, users: Vec<UserId>) -> Result<(), Error> {
        if users.len() > MAX_WATCHED {
            return Err(Error::Refused(too_many_watched()));
        }
        self.command(Command::Watch(users)).await
    }

    /// How a watched user is there, as far as it is known now.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn presence(&self, user: UserId) -> Result<Option<Presence>, Error> {
        self.ask(|answer| Ask::Presence(user, answer)).await
    }

    /// How long until the next stream is opened; none while there is one or one is being opened, and when there shall be no
    /// other. For whoever shows that somebody waits.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn next_attempt(&self) -> Result<Option<Duration>, Error> {
        self.ask(Ask::NextAttempt).await
    }

    /// Makes the range reach down to `down_to`, or as far as may be read; [`Event::Older`] tells of each step.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn fetch_older(&self, conversation: ConversationId, down_to: Seq) -> Result<(), Error> {
        self.command(Command::FetchOlder(conversation, down_to)).await
    }

    /// The app came to the front, or the network changed: reconnects at once, or sees whether the stream is alive.
    /// Others may see the user online.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn foreground(&self) -> Result<(), Error> {
        self.command(Command::Foreground).await
    }

    /// The app went behind: others see the user away, and the connection needs fewer signs of life.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn background(&self) -> Result<(), Error> {
        self.command(Command::Background).await
    }

    /// Another stream of the same events, from now on. [`Event`] says what each means, and the documentation of this
    /// crate how to use them.
    #[must_use]
    pub fn events(&self) -> Events {
        Events(self.news.subscribe())
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Error> {
        let (answer, pending) = oneshot::channel();
        self.asks.send(ask(answer)).await.map_err(|_| Error::Stopped)?;
        pending.await.map_err(|_| Error::Stopped)
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.asks.send(Ask::Do(command)).await.map_err(|_| Error::Stopped)
    }
}

fn too_many_watched() -> Problem {
    let rule = format!("must name at most {MAX_WATCHED}");
    let violations = vec![FieldViolation { field: "watch.user_ids".to_owned(), rule }];
    Problem { reason: ErrorReason::FieldInvalid.into(), violations, ..Problem::default() }
}
