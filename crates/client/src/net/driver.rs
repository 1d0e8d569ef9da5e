//! The task that owns the core and carries out its effects.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parlor_types::Op;
use parlor_wire::chat::v1::Appended;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;

use super::live::{Ask, Pending};
use super::session::{Session, ends_session};
use super::stream::Stream;
use crate::core::{Conn, Core, Effects, Event, Input, Mutation, Now};
use crate::error::Error;
use crate::store::{Lease, StoreError};

/// Messages from streams that wait for the core; beyond, the network waits.
const INBOUND: usize = 64;

/// Owns the core.
pub(super) struct Driver {
    session: Arc<Session>,
    lease: Lease,
    core: Core,
    started: Instant,
    streams: HashMap<Conn, Stream>,
    inbound: mpsc::Sender<Input>,
    inputs: mpsc::Receiver<Input>,
    waiting: HashMap<Op, oneshot::Sender<Result<Appended, Problem>>>,
    news: broadcast::Sender<Event>,
}

impl Driver {
    pub fn new(session: Arc<Session>, lease: Lease, core: Core, news: broadcast::Sender<Event>) -> Self {
        let (inbound, inputs) = mpsc::channel(INBOUND);
        let (started, streams, waiting) = (Instant::now(), HashMap::new(), HashMap::new());
        Self { session, lease, core, started, streams, inbound, inputs, waiting, news }
    }

    pub async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
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
            let reason = match error {
                Error::Store(StoreError::TakenOver) => ErrorReason::Displaced,
                _ => ErrorReason::Internal,
            };
            tracing::warn!(%error, "the connection ends: nothing can be saved");
            let problem = Problem { reason: reason.into(), message: error.to_string(), ..Problem::default() };
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
            // Who no longer waits for an answer does not care.
            Ask::Typing(conversation, answer) => {
                let _ = answer.send(self.core.typing(conversation));
                Ok(())
            }
            Ask::Presence(user, answer) => {
                let _ = answer.send(self.core.presence(user).cloned());
                Ok(())
            }
            Ask::NextAttempt(answer) => {
                let wait = self.core.next_attempt().map(|at| at.saturating_sub(self.now()));
                let _ = answer.send(wait);
                Ok(())
            }
            Ask::Await(op, settle) => {
                self.waiting.insert(op, settle);
                Ok(())
            }
            Ask::Dispatch(complete, saved) => {
                let effects = self.core.dispatch(self.now(), *complete);
                self.perform_all(effects).await?;
                let _ = saved.send(());
                Ok(())
            }
            Ask::Fail(op, problem) => {
                if let Some(waiting) = self.waiting.remove(&op) {
                    let _ = waiting.send(Err(problem));
                }
                Ok(())
            }
            Ask::Send(draft, answer) => {
                let (op, effects) = self.core.append(self.now(), draft);
                let (settle, outcome) = oneshot::channel();
                self.waiting.insert(op, settle);
                self.perform_all(effects).await?;
                let _ = answer.send(Pending { op, outcome });
                Ok(())
            }
        }
    }

    async fn input(&mut self, input: Input) -> Result<(), Error> {
        self.session.note(|record| record.came(&input));
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
            self.save(effects.save).await?;
        }
        for conn in effects.close {
            self.streams.remove(&conn);
        }
        if let Some((conn, hello)) = effects.open {
            let stream = Stream::open(Arc::clone(&self.session), conn, hello, self.inbound.clone());
            self.streams.insert(conn, stream);
        }
        self.session.note(|record| record.sent(&effects.send));
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

    async fn save(&self, changes: Vec<Mutation>) -> Result<(), Error> {
        let lease = self.lease;
        let Some(record) = self.session.record.get() else {
            return self.session.stored(move |store| store.apply_as(lease, &changes)).await;
        };
        let _turn = record.saving().await;
        let since = record.now();
        let changes = Arc::new(changes);
        let save = Arc::clone(&changes);
        self.session.stored(move |store| store.apply_as(lease, &save)).await?;
        record.saved(since, &changes);
        Ok(())
    }

    async fn tell(&mut self, event: Event) -> Result<(), Error> {
        self.session.note(|record| record.told(&event));
        if let Event::Settled(op, outcome) = &event
            && let Some(waiting) = self.waiting.remove(op)
        {
            // Who no longer waits does not care.
            let _ = waiting.send(outcome.clone());
        }
        if let Event::Stopped(problem) = &event {
            tracing::warn!(reason = problem.reason().as_str_name(), "the connection ends for good");
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
