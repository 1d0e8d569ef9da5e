//! The reader threads: each job is one read transaction, that is, one snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{OpenError, ReadError};
use crate::open;
use crate::options::Options;
use crate::tx::{self, ReadTx};
use crate::writer::panic_message;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The handle of the reader threads; dropping it lets the queue run dry and waits.
pub(crate) struct Readers {
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(options: &Options) -> Result<Self, OpenError> {
        let (queue, jobs) = sync_channel::<Job>(options.queue.max(1));
        let jobs = Arc::new(Mutex::new(jobs));
        let mut readers = Self { queue: Some(queue), threads: Vec::new() };
        for _ in 0..options.readers.max(1) {
            let connection = open::reader(&options.path)?;
            let jobs = Arc::clone(&jobs);
            let thread = thread::Builder::new()
                .name("embedded-reader".to_owned())
                .spawn(move || serve(&connection, &jobs))
                .map_err(|source| OpenError::Io { path: options.path.clone(), source })?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    pub(crate) fn submit<T, F>(
        &self,
        job: F,
        answer: oneshot::Sender<Result<T, ReadError>>,
    ) -> Result<(), ReadError>
    where
        F: FnOnce(&ReadTx<'_>) -> rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let queue = self.queue.as_ref().expect("the queue is closed only by drop");
        let job = Box::new(move |connection: &Connection| {
            if !answer.is_closed() {
                drop(answer.send(in_snapshot(connection, job)));
            }
        });
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => ReadError::Busy,
            TrySendError::Disconnected(_) => ReadError::Stopped,
        })
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        let here = thread::current().id();
        for thread in self.threads.drain(..).filter(|thread| thread.thread().id() != here) {
            if thread.join().is_err() {
                tracing::error!("a reader thread panicked");
            }
        }
    }
}

fn serve(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // One idle reader waits in `recv` with the lock, the others for the lock; a job frees both.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(connection),
            Err(_) => return,
        }
    }
}

fn in_snapshot<T>(
    connection: &Connection,
    job: impl FnOnce(&ReadTx<'_>) -> rusqlite::Result<T>,
) -> Result<T, ReadError> {
    // Rolled back when dropped, also when the job panics.
    let transaction = connection.unchecked_transaction()?;
    let number = tx::stored_commit_number(&transaction)?;
    let snapshot = ReadTx::new(&transaction, number);
    let result = catch_unwind(AssertUnwindSafe(|| job(&snapshot)))
        .map_err(|panic| ReadError::Panicked(panic_message(&*panic).to_owned()))?;
    Ok(result?)
}
