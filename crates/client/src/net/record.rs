//! What this client asks, is told and takes in, written down as a history that can be held against the guarantees.
//!
//! The lines are those of `docs/histories.md`. They hold ids, seqs, times and digests, and nothing of what was said. The
//! core knows nothing of this: what it saves and what came is looked at on its way through the driver. A line
//! that cannot be written is lost, and the client goes on; [`Client::finish_history`] says so.

mod lines;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_history::{Event as Line, Nanos, Recorder};
use parlor_types::{ConversationId, Op, SessionId};
use parlor_wire::chat::v1::append_result::Outcome;
use parlor_wire::chat::v1::{Appended, ClientFrame, LogPage, client_frame, server_frame};
use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::session::{Session, ends_session};
use super::{Client, blocking_call};
use crate::core::{Event, Input, Mutation, Outgoing, Saved};
use crate::error::Error;
use crate::store::{Account, Store};

use lines::Lines;

/// A history that is being written.
#[derive(Debug)]
pub(super) struct Record {
    path: PathBuf,
    state: Mutex<State>,
    /// Held while a stream saves and that is written down: what is saved is not told of before.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    lines: Lines,
    session: Option<SessionId>,
    /// Ops of this history without an answer: what becomes of others is nothing to it.
    asked: HashSet<Op>,
    /// Those of them that are on their way on the present stream.
    sent: HashSet<Op>,
    /// What the input that is being handled refused.
    refused: HashSet<Op>,
}

impl Client {
    /// From now on writes down in a file what this client asks, is told and takes in; adds to it if it is there. To be called
    /// before [`Client::live`]. `docs/histories.md` says what stands in it and how it is checked; it holds nothing
    /// of what was said.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written, or holds something else; [`Error::Store`].
    pub async fn record_history(&self, path: &Path) -> Result<(), Error> {
        let (store, path) = (Arc::clone(&self.session.store), path.to_owned());
        let record = blocking_call(move || Record::open(&store, path)).await?;
        // The first one stays: there is one file for each client.
        let _ = self.session.record.set(record);
        Ok(())
    }

    /// Writes down what is held of each conversation. To be called when nothing is on its way any more, to this client or to
    /// any other: from here on it is held against the history that something that was there is not held.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn conclude_history(&self) -> Result<(), Error> {
        let Some(record) = self.session.record.get() else { return Ok(()) };
        let _turn = record.saving().await;
        let saved = self.stored(Store::load).await?;
        record.state().lines.conclude(&saved);
        Ok(())
    }

    /// Whether all of the history could be written so far.
    ///
    /// # Errors
    /// [`Error::File`]: what was last in the way.
    pub fn finish_history(&self) -> Result<(), Error> {
        let Some(record) = self.session.record.get() else { return Ok(()) };
        let failed = record.state().lines.recorder.take_error();
        failed.map_or(Ok(()), |source| Err(Error::File { path: record.path.clone(), source }))
    }
}

impl Session {
    /// Writes something down, if there is a history.
    pub fn note(&self, what: impl FnOnce(&Record)) {
        if let Some(record) = self.record.get() {
            what(record);
        }
    }
}

impl Record {
    fn open(store: &Store, path: PathBuf) -> Result<Self, Error> {
        let unusable = |source| Error::File { path: path.clone(), source };
        let account = store.account()?;
        let client = account.device.to_string();
        // What waits may have been asked for in this file by an earlier process.
        let mut asked = HashSet::new();
        if path.exists() && !store.outbox(None)?.is_empty() {
            let known =
                parlor_history::read(&[&path]).map_err(|error| unusable(std::io::Error::other(error)))?;
            asked.extend(known.unanswered(&client));
        }
        let recorder = Recorder::to_file(&path).map_err(unusable)?;
        let lines = Lines::new(recorder, client);
        let (sent, refused) = Default::default();
        let state = State { lines, session: None, asked, sent, refused };
        let record = Self { path, state: Mutex::new(state), saving: tokio::sync::Mutex::default() };
        record.enter(&account);
        if let Some(generation) = store.load()?.generation {
            record.state().lines.generation(generation);
        }
        Ok(record)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be held from before something is saved until it is written down.
    pub async fn saving(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.saving.lock().await
    }

    /// Whoever is logged in here.
    pub fn enter(&self, account: &Account) {
        let mut state = self.state();
        state.session = account.session;
        if let (Some(user), session @ Some(_)) = (account.user, account.session) {
            state.lines.say(Line::Begin { user, session });
        }
    }

    /// A stream is to go on from what is saved.
    pub fn resume(&self, saved: &Saved) {
        self.state().lines.resume(saved);
    }

    /// This moment.
    pub fn now(&self) -> Nanos {
        self.state().lines.recorder.now()
    }

    /// Something is in the outbox, that nobody knew of before `since`.
    pub fn asked(&self, since: Nanos, row: &Outgoing) {
        self.state().asked(since, row, Some(row.base_seq.0));
    }

    /// So is a message whose files are all there. The base that it has by now, only the store knows.
    pub fn dispatched(&self, since: Nanos, row: &Outgoing) {
        self.state().asked(since, row, None);
    }

    /// The server told of a head elsewhere than on the stream.
    pub fn head(&self, conversation: ConversationId, head: u64) {
        self.state().lines.head(conversation, head);
    }

    /// The server told of the life of its store elsewhere than on the stream.
    pub fn generation(&self, generation: &str) {
        self.state().lines.generation(generation.to_owned());
    }

    /// A page came that was asked for by itself.
    pub fn page(&self, conversation: ConversationId, page: &LogPage) {
        self.state().lines.page(conversation, &page.entries);
    }

    /// A session is over, says the server.
    pub fn revoked(&self, session: SessionId) {
        self.state().lines.say(Line::Revoked { session });
    }

    /// An input is to be handled.
    pub fn came(&self, input: &Input) {
        let mut state = self.state();
        state.refused.clear();
        match input {
            Input::Batch(_, _, frames) => {
                for frame in frames {
                    let Some(server_frame::Kind::AppendResult(result)) = &frame.kind else { continue };
                    if let (Some(Outcome::Problem(problem)), Some(op)) = (&result.outcome, op(&result.op))
                        && is_certain(problem)
                    {
                        state.refused.insert(op);
                    }
                }
            }
            Input::Closed(..) => {
                for op in std::mem::take(&mut state.sent) {
                    if state.asked.contains(&op) {
                        state.lines.say(Line::Unknown { op });
                    }
                }
            }
            Input::Outbox(_) | Input::Command(_) | Input::Timer => {}
        }
    }

    /// These were saved, and nobody knew of what they queue before `since`.
    pub fn saved(&self, since: Nanos, changes: &[Mutation]) {
        let mut state = self.state();
        for change in changes {
            match change {
                Mutation::Queue(row) => state.asked(since, row, Some(row.base_seq.0)),
                Mutation::Dispatch(row) => state.asked(since, row, None),
                Mutation::Recall(op) => state.recalled(*op),
                other => state.lines.saved(other),
            }
        }
    }

    /// These are about to be sent.
    pub fn sent(&self, frames: &[ClientFrame]) {
        let mut state = self.state();
        for frame in frames {
            if let Some(client_frame::Kind::Append(append)) = &frame.kind
                && let Some(op) = op(&append.op)
            {
                state.sent.insert(op);
            }
        }
    }

    /// The app is told of this.
    pub fn told(&self, event: &Event) {
        let mut state = self.state();
        match event {
            Event::Settled(op, Ok(appended)) => state.stored(*op, appended),
            Event::Settled(op, Err(problem)) if state.refused.contains(op) => state.refused(*op, problem),
            Event::Settled(op, Err(_)) => state.lost(*op),
            Event::Stopped(problem) if ends_session(problem.reason()) => {
                if let Some(session) = state.session {
                    state.lines.say(Line::Revoked { session });
                }
            }
            _ => {}
        }
    }

    /// What one call that appends led to.
    pub fn answered(&self, op: Op, outcome: Result<&Appended, &Problem>) {
        let mut state = self.state();
        match outcome {
            Ok(appended) => state.stored(op, appended),
            Err(problem) if is_certain(problem) => state.refused(op, problem),
            Err(_) => state.lost(op),
        }
    }

    /// A call that appends had no answer, or one that does not settle it.
    pub fn unknown(&self, op: Op) {
        let state = self.state();
        if state.asked.contains(&op) {
            state.lines.say(Line::Unknown { op });
        }
    }

    /// What an append names has to come anew.
    pub fn recalled(&self, op: Op) {
        self.state().recalled(op);
    }
}

impl State {
    fn asked(&mut self, since: Nanos, row: &Outgoing, base: Option<u64>) {
        self.asked.insert(row.op);
        self.lines.asked(since, row, base);
    }

    fn stored(&mut self, op: Op, appended: &Appended) {
        if self.asked.remove(&op) {
            self.lines.say(Line::Ok { op, seq: appended.seq });
        }
    }

    fn refused(&mut self, op: Op, problem: &Problem) {
        if self.asked.remove(&op) {
            let reason = parlor_wire::reason::name(problem.reason()).to_owned();
            self.lines.say(Line::Fail { op, reason });
        }
    }

    fn recalled(&mut self, op: Op) {
        if self.asked.remove(&op) {
            self.lines.say(Line::Recalled { op });
        }
    }

    /// It left the outbox, and nobody can tell whether it is stored.
    fn lost(&mut self, op: Op) {
        if self.asked.remove(&op) {
            self.lines.say(Line::Unknown { op });
        }
    }
}

/// Of an op that is too old nobody can tell whether an earlier attempt is stored.
fn is_certain(problem: &Problem) -> bool {
    problem.reason() != ErrorReason::OpTooOld
}

fn op(text: &str) -> Option<Op> {
    parlor_types::Id::parse(text)
}
