//! Behind a live connection: uploads the files of messages that wait, and hands the messages over.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlor_types::{MediaId, Op};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::live::{Ask, Live, Pending};
use super::parcels::FileDraft;
use super::session::Session;
use super::transfer::TransferNews;
use super::uploads::{Uploading, finished};
use crate::core::{Event, FileFailure, FileFault, FileUpload, Parcel, UploadNews};
use crate::error::Error;

/// Files on their way at once; the others wait for their turn.
const AT_ONCE: usize = 2;
/// Messages worked at at once; later ones wait.
const AT_WORK: usize = 64;
/// Other processes leave something over, or fail to end what they have begun.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How often progress is told.
const TELL_EACH: Duration = Duration::from_millis(100);

/// What a live connection has of its courier. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Desk {
    session: Arc<Session>,
    wake: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Desk {
    /// Begins to work.
    pub fn open(session: Arc<Session>, asks: mpsc::Sender<Ask>, news: broadcast::Sender<Event>) -> Self {
        let wake = Arc::new(Notify::new());
        let courier =
            Courier { session: Arc::clone(&session), asks, news, turns: Arc::new(Semaphore::new(AT_ONCE)) };
        let task = tokio::spawn(courier.run(Arc::clone(&wake))).abort_handle();
        Self { session, wake, task }
    }
}

impl Live {
    /// Saves a message with files; answers when it is saved. The files are uploaded and the message is sent by itself, over cuts
    /// and restarts of the program; later texts do not wait for it. [`Event::Upload`] tells how it goes. A
    /// message that cannot be sent stays in [`Store::parcels`](crate::store::Store::parcels), marked as failed, until
    /// [`Client::discard`](super::Client::discard).
    ///
    /// # Errors
    /// [`Error::NoMessage`], [`Error::File`], [`Error::FileChanged`], [`Error::Store`], [`Error::Stopped`].
    pub async fn send_file(&self, draft: FileDraft) -> Result<Pending, Error> {
        let desk = &self.desk;
        let parcel = desk.session.pack(draft).await?;
        let op = parcel.outgoing.op;
        let (settle, outcome) = oneshot::channel();
        self.asks.send(Ask::Await(op, settle)).await.map_err(|_| Error::Stopped)?;
        desk.session.stored(move |store| store.queue_parcel(parcel, SystemTime::now())).await?;
        desk.wake.notify_one();
        Ok(Pending { op, outcome })
    }
}

#[derive(Clone)]
struct Courier {
    session: Arc<Session>,
    asks: mpsc::Sender<Ask>,
    news: broadcast::Sender<Event>,
    turns: Arc<Semaphore>,
}

impl Courier {
    async fn run(self, wake: Arc<Notify>) {
        let mut news = self.news.subscribe();
        let mut jobs = JoinSet::new();
        let mut at_work = HashSet::new();
        loop {
            let waiting = match self.session.stored(|store| store.parcels()).await {
                Ok(parcels) => parcels,
                Err(error) => {
                    tracing::error!(%error, "messages with files cannot be read");
                    Vec::new()
                }
            };
            for parcel in waiting.into_iter().filter(|parcel| parcel.failed.is_none()) {
                let op = parcel.outgoing.op;
                if at_work.len() < AT_WORK && at_work.insert(op) {
                    let courier = self.clone();
                    jobs.spawn(async move { (op, courier.carry(op).await) });
                }
            }
            tokio::select! {
                Some(done) = jobs.join_next() => match done {
                    Ok((op, Ok(()))) => drop(at_work.remove(&op)),
                    Ok((_, Err(Error::SessionOver(_) | Error::NotLoggedIn | Error::Stopped))) | Err(_) => return,
                    // It stays among those at work until the next look, so that a store that fails is not asked at once again.
                    Ok((op, Err(error))) => {
                        tracing::error!(%error, "a message with files must wait");
                        tokio::time::sleep(LOOK_AGAIN).await;
                        at_work.remove(&op);
                    }
                },
                () = wake.notified() => {}
                () = recalled(&mut news) => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Works at one message, if nobody else does.
    async fn carry(&self, op: Op) -> Result<(), Error> {
        let claimed = self
            .session
            .stored(move |store| {
                let Some(claim) = store.claim(op)? else { return Ok(None) };
                Ok(Some((claim, store.parcel(op)?)))
            })
            .await?;
        let Some((claim, parcel)) = claimed else {
            tokio::time::sleep(LOOK_AGAIN).await; // another process is at it
            return Ok(());
        };
        if let Some(parcel) = parcel.filter(|parcel| parcel.failed.is_none()) {
            self.upload_and_dispatch(&parcel).await?;
        }
        claim.finish();
        Ok(())
    }

    async fn upload_and_dispatch(&self, parcel: &Parcel) -> Result<(), Error> {
        let op = parcel.outgoing.op;
        let mut ids = Vec::new();
        for (place, file) in parcel.files.iter().enumerate() {
            match self.upload(op, place, file).await {
                Ok(id) => ids.push(id),
                Err(error) => return self.fail(op, file, error).await,
            }
        }
        let (saved, done) = oneshot::channel();
        let ask = Ask::Dispatch(Box::new(parcel.complete(&ids)), saved);
        self.asks.send(ask).await.map_err(|_| Error::Stopped)?;
        done.await.map_err(|_| Error::Stopped)
    }

    async fn upload(&self, message: Op, place: usize, file: &FileUpload) -> Result<MediaId, Error> {
        let news = self.news.clone();
        let mut told: Option<Instant> = None;
        let mut tell = move |heard| {
            let upload = match heard {
                TransferNews::Progress(progress) => {
                    let now = Instant::now();
                    let too_soon = told.is_some_and(|told| now < told + TELL_EACH);
                    if too_soon && progress.done < progress.total {
                        return;
                    }
                    told = Some(now);
                    UploadNews::Progress { place, progress }
                }
                TransferNews::Waits(problem) => UploadNews::Waits { place, problem },
            };
            // Without a listener there is nobody to tell.
            let _ = news.send(Event::Upload { message, news: upload });
        };
        let run = Uploading { session: &self.session, file, patience: None, turns: Some(&self.turns) };
        finished(run.to_end(&mut tell).await?)
    }

    /// The message will never be sent, or the connection is over.
    async fn fail(&self, message: Op, file: &FileUpload, error: Error) -> Result<(), Error> {
        let text = error.to_string();
        let (why, problem) = match error {
            Error::Refused(problem) | Error::Unreachable(problem) => {
                (FileFault::Refused(problem.clone()), problem)
            }
            Error::FileChanged(_) => (FileFault::Changed, local(ErrorReason::HashMismatch, text)),
            Error::File { source, .. } => {
                (FileFault::Unreadable(source.to_string()), local(ErrorReason::MediaUnreadable, text))
            }
            other => return Err(other),
        };
        let failure = FileFailure { path: file.path.clone(), why };
        let saved = failure.clone();
        self.session.stored(move |store| store.fail_parcel(message, &saved)).await?;
        // Without a listener there is nobody to tell.
        let _ = self.news.send(Event::Upload { message, news: UploadNews::Failed(failure) });
        self.asks.send(Ask::Fail(message, problem)).await.map_err(|_| Error::Stopped)
    }
}

/// Waits until the files of a message are to be uploaded again, or that may have been missed.
async fn recalled(news: &mut broadcast::Receiver<Event>) {
    loop {
        match news.recv().await {
            Ok(Event::Upload { news: UploadNews::Again, .. }) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// A problem that was found here, in the words nearest to it.
fn local(reason: ErrorReason, message: String) -> Problem {
    Problem { reason: reason.into(), message, ..Problem::default() }
}
