//! One file on its way up: which calls to make, when, and what their answers mean.
//!
//! It begins with CreateUpload, which finds what an earlier run has begun, and ends with FinishUpload. In between parts go in any order
//! within the server's window, one at a time at first and up to [`PARALLEL`] while all goes well. After any failure the calls under
//! way are awaited, then some time passes, then the server is asked what it lacks: it alone knows, since a crash may have
//! taken the last parts. Whether to wait that long is the driver's to decide.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use parlor_types::limits::MAX_MISSING_RANGES;
use parlor_types::{Id as _, MediaId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{self as media, FinishUploadResponse};
use parlor_wire::reason::{Retry, meaning};
use rand::rngs::StdRng;

use super::message::Now;
use super::{backoff, retry_after};

/// Parts under way at most.
pub const PARALLEL: usize = 4;
/// No part is larger, whatever the server asks for: parts are held in memory.
const MAX_PART_BYTES: u64 = 1024 * 1024;
/// How often a file is sent anew because the server has forgotten all of it.
const MAX_RESTARTS: u32 = 3;

/// A call to make. Each is answered once, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadCall {
    /// CreateUpload, with the same op each time.
    Create,
    /// GetUpload.
    Ask(MediaId),
    /// UploadPart.
    Part {
        /// Of which upload.
        media: MediaId,
        /// Where it begins.
        offset: u64,
        /// How many bytes it has.
        length: u64,
    },
    /// FinishUpload.
    Finish(MediaId),
}

/// What happens to an upload.
#[derive(Debug, Clone)]
pub enum UploadInput {
    /// The time of [`Upload::deadline`] has come; earlier does no harm. The first input of all.
    Timer,
    /// The answer to Create or Ask.
    State(Result<media::Upload, Problem>),
    /// The answer to the part at this offset.
    Part(u64, Result<(), Problem>),
    /// The answer to Finish.
    Finished(Result<Box<FinishUploadResponse>, Problem>),
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes that are there.
    pub done: u64,
    /// All there are.
    pub total: u64,
}

/// What the driver does.
#[derive(Debug, Default)]
pub struct UploadEffects {
    /// Calls to begin.
    pub calls: Vec<UploadCall>,
    /// The server calls it by this id now.
    pub named: Option<MediaId>,
    /// It has come further, or the server has lost some.
    pub progress: Option<Progress>,
    /// A call failed for a reason that is not mended here; it goes on at [`Upload::deadline`].
    pub waits: Option<Problem>,
    /// It is over: the file is there, or will never be. Calls under way do not matter any more.
    pub end: Option<Result<Box<FinishUploadResponse>, Problem>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Create,
    Ask,
    Send,
    Finish,
    Over,
}

/// One file on its way up.
#[derive(Debug)]
pub struct Upload {
    size: u64,
    phase: Phase,
    /// Create, Ask or Finish is under way.
    calling: bool,
    media: Option<MediaId>,
    part_bytes: u64,
    window: u64,
    /// What is neither there nor under way, lowest first.
    todo: VecDeque<Range<u64>>,
    in_flight: BTreeSet<u64>,
    parallel: usize,
    /// In a row, without a part that arrived.
    failures: u32,
    restarts: u32,
    not_before: Option<Now>,
    told: Option<Progress>,
    rng: StdRng,
}

impl Upload {
    /// A file of `size` bytes.
    #[must_use]
    pub fn new(size: u64, rng: StdRng) -> Self {
        Self {
            size,
            phase: Phase::Create,
            calling: false,
            media: None,
            part_bytes: 1,
            window: 0,
            todo: VecDeque::new(),
            in_flight: BTreeSet::new(),
            parallel: 1,
            failures: 0,
            restarts: 0,
            not_before: None,
            told: None,
            rng,
        }
    }

    /// Takes one input in.
    pub fn handle(&mut self, now: Now, input: UploadInput) -> UploadEffects {
        let mut fx = UploadEffects::default();
        match input {
            UploadInput::Timer => {}
            UploadInput::State(answer) => {
                self.calling = false;
                match answer {
                    Ok(upload) => self.on_state(&upload, &mut fx),
                    Err(problem) => self.on_problem(now, problem, &mut fx),
                }
            }
            UploadInput::Part(offset, answer) => {
                if self.in_flight.remove(&offset) {
                    self.on_part(now, answer, &mut fx);
                }
            }
            UploadInput::Finished(answer) => {
                self.calling = false;
                match answer {
                    Ok(finished) => self.end(Ok(finished), &mut fx),
                    Err(problem) => self.on_problem(now, problem, &mut fx),
                }
            }
        }
        self.pump(now, &mut fx);
        self.tell(&mut fx);
        fx
    }

    /// When it wants [`UploadInput::Timer`]; none while calls are under way.
    #[must_use]
    pub fn deadline(&self) -> Option<Now> {
        if self.is_waiting_for_answers() || self.phase == Phase::Over { None } else { self.not_before }
    }

    fn is_waiting_for_answers(&self) -> bool {
        self.calling || !self.in_flight.is_empty()
    }

    fn on_state(&mut self, upload: &media::Upload, fx: &mut UploadEffects) {
        let part_bytes = u64::from(upload.part_bytes);
        let sane = upload.size == self.size && (1..=MAX_PART_BYTES).contains(&part_bytes);
        let Some(media) = MediaId::parse(&upload.media_id).filter(|_| sane) else {
            let message = "the server describes another upload than was asked for".to_owned();
            let problem = Problem { reason: ErrorReason::Internal.into(), message, ..Problem::default() };
            return self.end(Err(problem), fx);
        };
        if self.media.replace(media) != Some(media) {
            fx.named = Some(media);
        }
        self.part_bytes = part_bytes;
        self.window = upload.window_bytes;
        self.todo = if upload.finished { VecDeque::new() } else { self.missing(&upload.missing) };
        self.phase = if self.todo.is_empty() { Phase::Finish } else { Phase::Send };
    }

    /// The server's ranges within the file, in order, on the grid of parts.
    fn missing(&self, named: &[media::ByteRange]) -> VecDeque<Range<u64>> {
        let mut ranges: VecDeque<Range<u64>> = VecDeque::new();
        for range in named {
            let begin = range.offset - range.offset % self.part_bytes;
            let end = range.offset.saturating_add(range.length).min(self.size);
            let begin = ranges.back().map_or(begin, |last| begin.max(last.end));
            if begin < end {
                ranges.push_back(begin..end);
            }
        }
        if named.len() >= MAX_MISSING_RANGES
            && let Some(last) = ranges.back_mut()
        {
            last.end = self.size;
        }
        ranges
    }

    fn on_part(&mut self, now: Now, answer: Result<(), Problem>, fx: &mut UploadEffects) {
        match answer {
            Ok(()) => {
                self.failures = 0;
                self.parallel = (self.parallel + 1).min(PARALLEL);
            }
            // The first failure has said already what comes next.
            Err(_) if self.phase != Phase::Send => {}
            Err(problem) => self.on_problem(now, problem, fx),
        }
    }

    fn on_problem(&mut self, now: Now, problem: Problem, fx: &mut UploadEffects) {
        if self.phase == Phase::Over {
            return;
        }
        let forgotten = problem.reason() == ErrorReason::MediaNotFound && self.media.is_some();
        if forgotten && self.restarts < MAX_RESTARTS {
            self.restarts += 1;
            self.media = None;
            self.phase = Phase::Create;
        } else if meaning(problem.reason()).1 == Retry::No {
            return self.end(Err(problem), fx);
        } else if self.media.is_some() {
            self.phase = Phase::Ask;
        }
        self.parallel = 1;
        self.not_before = Some(now + backoff::wait(&mut self.rng, self.failures, retry_after(&problem)));
        self.failures += 1;
        let mended_here = matches!(problem.reason(), ErrorReason::PartAhead | ErrorReason::UploadIncomplete);
        fx.waits = Some(problem).filter(|_| !forgotten && !mended_here);
    }

    fn end(&mut self, how: Result<Box<FinishUploadResponse>, Problem>, fx: &mut UploadEffects) {
        self.phase = Phase::Over;
        self.todo.clear();
        self.in_flight.clear();
        fx.end = Some(how);
    }

    /// Begins the calls that can be made now.
    fn pump(&mut self, now: Now, fx: &mut UploadEffects) {
        if self.phase == Phase::Send {
            return self.pump_parts(fx);
        }
        if self.is_waiting_for_answers() || self.not_before.is_some_and(|at| at > now) {
            return;
        }
        self.not_before = None;
        let call = match (self.phase, self.media) {
            (Phase::Over | Phase::Send, _) => return,
            (Phase::Ask, Some(media)) => UploadCall::Ask(media),
            (Phase::Finish, Some(media)) => UploadCall::Finish(media),
            (Phase::Create | Phase::Ask | Phase::Finish, _) => UploadCall::Create,
        };
        self.calling = true;
        fx.calls.push(call);
    }

    fn pump_parts(&mut self, fx: &mut UploadEffects) {
        let Some(media) = self.media else { return };
        while self.in_flight.len() < self.parallel
            && let Some(first) = self.todo.front_mut()
        {
            let offset = first.start;
            let lowest = self.in_flight.first().copied().unwrap_or(offset).min(offset);
            if offset > lowest && offset - lowest >= self.window {
                break;
            }
            let length = self.part_bytes.min(first.end - offset);
            first.start += length;
            if first.is_empty() {
                self.todo.pop_front();
            }
            self.in_flight.insert(offset);
            fx.calls.push(UploadCall::Part { media, offset, length });
        }
        if self.in_flight.is_empty() && self.todo.is_empty() {
            self.phase = Phase::Finish;
            self.calling = true;
            fx.calls.push(UploadCall::Finish(media));
        }
    }

    fn tell(&mut self, fx: &mut UploadEffects) {
        if self.phase != Phase::Send && self.phase != Phase::Finish {
            return;
        }
        let todo: u64 = self.todo.iter().map(|range| range.end - range.start).sum();
        let under_way: u64 =
            self.in_flight.iter().map(|offset| self.part_bytes.min(self.size - offset)).sum();
        let progress = Progress { done: self.size.saturating_sub(todo + under_way), total: self.size };
        if self.told != Some(progress) {
            self.told = Some(progress);
            fx.progress = Some(progress);
        }
    }
}
