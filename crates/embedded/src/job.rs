//! A write job on its way: queued, run, and answered exactly once.

use crate::error::{self, JobError, WriteError};
use crate::tx::Tx;

/// What a job's run asks of the transaction.
pub(crate) enum Ran {
    /// Its changes belong to the commit.
    Keep,
    /// Its changes must go, the neighbours' stay.
    Undo,
    /// It met an error the store cannot carry on from.
    Fatal(String),
}

/// What became of the transaction a job ran in.
#[derive(Clone, Copy)]
pub(crate) enum Outcome {
    /// Committed, or nothing to commit: each job's own result stands.
    Decided,
    /// Rolled back for want of room.
    StorageFull,
    /// Never begun, as a foreign process has the file locked.
    Busy,
}

/// A write job with its types hidden.
pub(crate) trait Job: Send {
    /// Does the work; called once.
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran;
    /// Answers. A job dropped without this answers `Stopped`.
    fn finish(self: Box<Self>, outcome: Outcome);
    /// Forgets whom to answer, for a job that never got into the queue.
    fn disarm(&mut self);
}

/// A job, its result, and whom to tell.
pub(crate) struct Pending<T, E, F, D: FnOnce(Result<T, WriteError<E>>)> {
    work: Option<F>,
    result: Option<Result<T, JobError<E>>>,
    done: Option<D>,
}

impl<T, E, F, D> Pending<T, E, F, D>
where
    D: FnOnce(Result<T, WriteError<E>>),
{
    pub(crate) fn new(work: F, done: D) -> Self {
        Self { work: Some(work), result: None, done: Some(done) }
    }
}

impl<T, E, F, D> Job for Pending<T, E, F, D>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T, JobError<E>> + Send,
    D: FnOnce(Result<T, WriteError<E>>) + Send,
    T: Send,
    E: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran {
        let work = self.work.take().expect("a job is run once");
        let result = work(tx);
        let ran = match &result {
            Ok(_) => Ran::Keep,
            Err(JobError::Sqlite(error)) if error::is_fatal(error) => Ran::Fatal(error.to_string()),
            Err(_) => Ran::Undo,
        };
        self.result = Some(result);
        ran
    }

    fn finish(mut self: Box<Self>, outcome: Outcome) {
        let Some(done) = self.done.take() else { return };
        // A refusal may rest on what a neighbour wrote: when the group is lost, so is every result in it.
        done(match (outcome, self.result.take()) {
            (Outcome::Decided, Some(Ok(value))) => Ok(value),
            (Outcome::Decided, Some(Err(JobError::Domain(error)))) => Err(WriteError::Domain(error)),
            (Outcome::Decided, Some(Err(JobError::Sqlite(error)))) if error::is_full(&error) => {
                Err(WriteError::StorageFull)
            }
            (Outcome::Decided, Some(Err(JobError::Sqlite(error)))) => Err(WriteError::Sqlite(error)),
            (Outcome::Decided, None) => Err(WriteError::Stopped),
            (Outcome::StorageFull, _) => Err(WriteError::StorageFull),
            (Outcome::Busy, _) => Err(WriteError::Busy),
        });
    }

    fn disarm(&mut self) {
        self.done = None;
    }
}

impl<T, E, F, D: FnOnce(Result<T, WriteError<E>>)> Drop for Pending<T, E, F, D> {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(Err(WriteError::Stopped));
        }
    }
}
