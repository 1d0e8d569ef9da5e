//! The store of chat-svc with a disk that is slow, full, broken or gone: the model store behind the real trait.
//!
//! Writes wait in one line, as on the thread of the real store. Each is done at one moment and answered at a later one;
//! what was done when chat-svc ends is kept, what was not is lost, and neither is answered. Reads take their time before
//! and after they look, so that what they bring may be old when it comes.

mod reads;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chat_svc::store::{AppendError, Done, Generation, MemoryStore, ReadError};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use crate::planted::Planted;
use crate::planted::store::Telling;
use crate::points::{Point, Points};

/// A write is done within this, if the disk is not slow.
const WRITTEN_WITHIN: u64 = 30;
/// It is answered within this after it was done.
const SYNCED_WITHIN: u64 = 20;
/// How long a read waits at most before it looks, and again after.
const READ_WITHIN: u64 = 15;

/// What is wrong with the disk.
#[derive(Debug, Default)]
pub struct Ills {
    /// There is no room.
    pub full: bool,
    /// There is too much to do.
    pub busy: bool,
    /// Nothing can be read.
    pub unreadable: bool,
    /// Everything takes longer by this.
    pub slow: Duration,
    /// So many of the next batches are stored, and it cannot be said.
    pub lose_answers: u32,
    /// So many of the next batches are not stored, and it cannot be said.
    pub fail: u32,
    /// With the next batch it stops for good; `true` if that one is stored.
    pub stop: Option<bool>,
    /// It has stopped.
    pub stopped: bool,
}

/// Told by the store what it met.
pub type Shared<T> = Arc<Mutex<T>>;

/// What becomes of a write.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Done,
    Refused(AppendError),
    DoneAndUnanswered(AppendError),
    /// With [`Planted::AcksTheUncertain`]: not done, and answered as if it were.
    Pretended,
}

type Answer = Box<dyn FnOnce() + Send>;
type Write = Box<dyn FnOnce(&MemoryStore, Fate) -> Answer + Send>;

/// A write that waits: what it does, given its fate; it gives its answer.
struct Job {
    due: Instant,
    is_batch: bool,
    run: Write,
}

struct Line {
    now: Instant,
    jobs: VecDeque<Job>,
    answers: VecDeque<(Instant, Answer)>,
    rng: StdRng,
}

/// See the module. It lives as long as one life of chat-svc; the model store outlives it.
pub struct Disk {
    model: Arc<MemoryStore>,
    generation: Generation,
    ills: Shared<Ills>,
    points: Shared<Points>,
    line: Mutex<Line>,
    planted: Option<Planted>,
    telling: Telling,
}

impl Disk {
    /// Over what is stored.
    pub fn new(
        (model, generation): (Arc<MemoryStore>, Generation),
        now: Instant,
        seed: u64,
        ills: Shared<Ills>,
        points: Shared<Points>,
        planted: Option<Planted>,
    ) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let line = Mutex::new(Line { now, jobs: VecDeque::new(), answers: VecDeque::new(), rng });
        Self { model, generation, ills, points, line, planted, telling: Telling::new(planted) }
    }

    /// Does and answers what is due.
    pub fn work(&self, now: Instant) {
        loop {
            let mut line = lock(&self.line);
            line.now = now;
            if line.jobs.front().is_some_and(|job| job.due <= now) {
                let Some(job) = line.jobs.pop_front() else { return };
                let fate = self.fate(job.is_batch);
                let answer = (job.run)(&self.model, fate);
                let sync = Duration::from_millis(line.rng.random_range(0..=SYNCED_WITHIN));
                let due = line.answers.back().map_or(now + sync, |(last, _)| (*last).max(now + sync));
                line.answers.push_back((due, answer));
            } else if line.answers.front().is_some_and(|(due, _)| *due <= now) {
                let answer = line.answers.pop_front();
                drop(line); // who is answered may have more to write
                if let Some((_, answer)) = answer {
                    answer();
                }
            } else {
                return;
            }
        }
    }

    /// chat-svc has ended: what waits is lost.
    pub fn end(&self) {
        let line = lock(&self.line);
        let mut points = lock(&self.points);
        if !line.answers.is_empty() {
            points.meet(Point::CrashBetweenCommitAndAck);
        }
        if line.jobs.iter().any(|job| job.is_batch) {
            points.meet(Point::CrashBeforeCommit);
        }
    }

    fn fate(&self, is_batch: bool) -> Fate {
        let mut ills = lock(&self.ills);
        let met = |point| lock(&self.points).meet(point);
        if ills.stopped {
            return Fate::Refused(AppendError::Unavailable);
        }
        if is_batch && let Some(stored) = ills.stop.take() {
            ills.stopped = true;
            met(Point::StoreStopped);
            if stored {
                met(Point::CommitAnswerLost);
            }
            let error = AppendError::Unavailable;
            return if stored { Fate::DoneAndUnanswered(error) } else { Fate::Refused(error) };
        }
        if ills.full {
            met(Point::StoreFull);
            return Fate::Refused(AppendError::Full);
        }
        if ills.busy {
            met(Point::StoreBusy);
            return Fate::Refused(AppendError::Busy);
        }
        if is_batch && ills.lose_answers > 0 {
            ills.lose_answers -= 1;
            met(Point::CommitAnswerLost);
            return Fate::DoneAndUnanswered(AppendError::Uncertain);
        }
        if is_batch && ills.fail > 0 {
            ills.fail -= 1;
            met(Point::CommitFailed);
            if self.planted == Some(Planted::AcksTheUncertain) {
                return Fate::Pretended;
            }
            return Fate::Refused(AppendError::Uncertain);
        }
        Fate::Done
    }

    /// Puts a write in line.
    fn write<T: Send + 'static>(
        &self,
        is_batch: bool,
        done: Done<T>,
        write: impl FnOnce(&MemoryStore, Done<T>) + Send + 'static,
    ) {
        let run = move |model: &MemoryStore, fate: Fate| -> Answer {
            let told = match fate {
                Fate::Refused(error) => Err(error),
                Fate::Done => perform(model, write),
                Fate::DoneAndUnanswered(error) => perform(model, write).and(Err(error)),
                Fate::Pretended => perform(&model.copy(), write),
            };
            Box::new(move || done(told))
        };
        let slow = lock(&self.ills).slow;
        let mut line = lock(&self.line);
        let wait = slow + Duration::from_millis(line.rng.random_range(0..=WRITTEN_WITHIN));
        let due = line.jobs.back().map_or(line.now + wait, |last| last.due.max(line.now + wait));
        line.jobs.push_back(Job { due, is_batch, run: Box::new(run) });
    }

    /// Waits for the disk, before or after a look at it.
    async fn wait(&self) -> Result<(), ReadError> {
        let (slow, unreadable) = {
            let ills = lock(&self.ills);
            (ills.slow, ills.unreadable || ills.stopped)
        };
        let wait = lock(&self.line).rng.random_range(0..=READ_WITHIN);
        sleep(slow + Duration::from_millis(wait)).await;
        if unreadable {
            lock(&self.points).meet(Point::StoreUnreadable);
            return Err(ReadError);
        }
        Ok(())
    }
}

/// The model answers at once.
fn perform<T: Send + 'static>(
    model: &MemoryStore,
    write: impl FnOnce(&MemoryStore, Done<T>),
) -> Result<T, AppendError> {
    let told = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&told);
    write(model, Box::new(move |result| *lock(&slot) = Some(result)));
    let told = lock(&told).take();
    told.expect("the model answers before it returns")
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Nothing in one thread can break off while it holds a lock, but for a panic, which ends the run.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
