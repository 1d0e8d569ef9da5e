//! The writer thread: drain all that is queued, one transaction, one fsync, then the answers.

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::State;
use crate::checkpoint::Checkpointer;
use crate::error::{self, OpenError, SubmitError};
use crate::job::{Job, Outcome, Ran};
use crate::open;
use crate::options::Options;
use crate::tx::{self, Tx};

/// How long the log may hold what was to be erased; many erasures share one cut. Longer while a read goes on.
const ERASE_WITHIN: Duration = Duration::from_secs(5);
/// How long a cut waits for reads, during which nothing is written.
const CUT_PATIENCE: Duration = Duration::from_millis(50);

/// The handle of the writer thread; dropping it lets the queue run dry and waits.
pub(crate) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        lock: File,
        options: Options,
        state: Arc<State>,
    ) -> Result<Self, OpenError> {
        let (queue, jobs) = sync_channel(options.queue.max(1));
        let worker = Worker {
            checkpointer: Checkpointer::start(&options, Arc::clone(&state))?,
            connection,
            state,
            batch: options.batch.max(1),
            waiting: VecDeque::new(),
            ran: VecDeque::new(),
            erase_at: None,
            _lock: lock,
        };
        let thread = thread::Builder::new()
            .name("embedded-writer".to_owned())
            .spawn(move || worker.run(&jobs))
            .map_err(|source| OpenError::Io { path: options.path, source })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(crate) fn submit(&self, job: impl Job + 'static) -> Result<(), SubmitError> {
        let queue = self.queue.as_ref().expect("the queue is closed only by drop");
        queue.try_send(Box::new(job)).map_err(|refused| match refused {
            TrySendError::Full(mut job) => {
                job.disarm();
                SubmitError::Busy
            }
            TrySendError::Disconnected(mut job) => {
                job.disarm();
                SubmitError::Stopped
            }
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

/// Why the store must not go on.
struct Fatal(String);

impl From<rusqlite::Error> for Fatal {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

/// What the thread owns. Jobs stay in here until they are answered, so that on a fatal error the process ends
/// before any of them hears of it.
struct Worker {
    connection: Connection,
    state: Arc<State>,
    batch: usize,
    checkpointer: Checkpointer,
    waiting: VecDeque<Box<dyn Job>>,
    ran: VecDeque<Box<dyn Job>>,
    /// When the log is to be cut off.
    erase_at: Option<Instant>,
    _lock: File,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Box<dyn Job>>) {
        loop {
            match self.next(jobs) {
                Ok(first) => self.waiting.push_back(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.waiting.extend(jobs.try_iter().take(self.batch - 1));
            if self.state.stopped.load(Ordering::Acquire) {
                return;
            }
            if let Err(Fatal(reason)) = self.commit_waiting() {
                self.state.stop(&reason);
                return;
            }
        }
        self.checkpointer.end();
        if let Err(error) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the log stays beside the store; the next start reads it");
        }
    }

    fn next(&self, jobs: &Receiver<Box<dyn Job>>) -> Result<Box<dyn Job>, RecvTimeoutError> {
        match self.erase_at {
            Some(at) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn commit_waiting(&mut self) -> Result<(), Fatal> {
        while !self.waiting.is_empty() {
            let outcome = self.commit_group()?;
            while let Some(job) = self.ran.pop_front() {
                guarded("a completion", || job.finish(outcome))?;
            }
        }
        self.cut_if_due()?;
        Ok(self.checkpointer.after_commit(&self.connection)?)
    }

    /// One transaction over the waiting jobs. If it is lost half-way for want of room, those not yet run stay.
    fn commit_group(&mut self) -> Result<Outcome, Fatal> {
        if let Err(error) = self.execute("BEGIN IMMEDIATE") {
            let outcome = match &error {
                error if error::is_busy(error) => Outcome::Busy,
                error if error::is_full(error) => Outcome::StorageFull,
                _ => return Err(error.into()),
            };
            self.ran.append(&mut self.waiting);
            return Ok(outcome);
        }
        let number = self.state.committed.load(Ordering::Acquire) + 1;
        let mut kept = false;
        while let Some(job) = self.waiting.pop_front() {
            self.ran.push_back(job);
            match self.run_last(number)? {
                Some(keep) => kept |= keep,
                None => return Ok(Outcome::StorageFull),
            }
        }
        if !kept {
            self.execute("ROLLBACK")?;
            return Ok(Outcome::Decided);
        }
        self.commit(number)
    }

    /// Runs the newest of `ran` in its savepoint. Answers whether its changes stay, or nothing when SQLite gave up
    /// the whole transaction because there is no room.
    fn run_last(&mut self, number: u64) -> Result<Option<bool>, Fatal> {
        self.execute("SAVEPOINT job")?;
        let job = self.ran.back_mut().expect("pushed by the caller");
        let connection = &self.connection;
        let mut tx = Tx::new(connection, number);
        let ran = guarded("a write job", || job.run(&mut tx))?;
        if tx.erases() {
            self.erase_at.get_or_insert(Instant::now() + ERASE_WITHIN);
        }
        if let Ran::Fatal(reason) = ran {
            return Err(Fatal(reason));
        }
        if connection.is_autocommit() {
            return match ran {
                Ran::Undo => Ok(None),
                _ => Err(Fatal("a write job ended the transaction of its group".to_owned())),
            };
        }
        let keep = matches!(ran, Ran::Keep);
        if !keep {
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")?;
        Ok(Some(keep))
    }

    fn commit(&mut self, number: u64) -> Result<Outcome, Fatal> {
        let committed =
            tx::store_commit_number(&self.connection, number).and_then(|()| self.execute("COMMIT"));
        match committed {
            Ok(()) => {
                self.state.committed.store(number, Ordering::Release);
                Ok(Outcome::Decided)
            }
            Err(error) if error::is_full(&error) => {
                if !self.connection.is_autocommit() {
                    self.execute("ROLLBACK")?;
                }
                Ok(Outcome::StorageFull)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Moves all of the log into the file and cuts it off, if something in it was to be erased. Reads that go on put it off.
    fn cut_if_due(&mut self) -> Result<(), Fatal> {
        if self.erase_at.is_none_or(|at| Instant::now() < at) {
            return Ok(());
        }
        self.connection.busy_timeout(CUT_PATIENCE)?;
        let cut =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0));
        self.connection.busy_timeout(open::BUSY_TIMEOUT)?;
        let done = match cut {
            Ok(busy) => !busy,
            Err(error) if error::is_full(&error) || error::is_busy(&error) => false,
            Err(error) => return Err(error.into()),
        };
        self.erase_at = (!done).then(|| Instant::now() + ERASE_WITHIN);
        Ok(())
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

/// A panic leaves a job's work half done and nobody to say which half.
fn guarded<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Fatal> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|panic| Fatal(format!("{what} panicked: {}", panic_message(&*panic))))
}

/// The text a panic was raised with.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "no message"
    }
}
