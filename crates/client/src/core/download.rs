//! One file on its way down: from where to ask on, what to keep, when it is whole.
//!
//! What has come is kept in a file beside the target, and goes on from there after a cut or another start, as long as the server has the same
//! bytes. When all is there its SHA-256 is compared; only then is it given its name. If it is another, all comes anew, once.

#[cfg(test)]
mod tests;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::DownloadStart;
use parlor_wire::reason::{Retry, meaning};
use rand::rngs::StdRng;

use super::message::Now;
use super::upload::Progress;
use super::{backoff, retry_after};

/// What is to come, as the server has said. Saved beside the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Bytes of all of it.
    pub size: u64,
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
}

/// What happens to a download.
#[derive(Debug, Clone)]
pub enum DownloadInput {
    /// The time of [`Download::deadline`] has come; earlier does no harm. The first input of all.
    Timer,
    /// The first message of an answer.
    Start(DownloadStart),
    /// So many bytes came and are written.
    Written(u64),
    /// The answer has ended.
    Ended(Result<(), Problem>),
    /// Whether the SHA-256 of what is written is the right one.
    Checked(bool),
}

/// What the driver does, in the order of the fields.
#[derive(Debug, Default, PartialEq)]
pub struct DownloadEffects {
    /// Forget the answer under way: what comes of it is not wanted.
    pub hang_up: bool,
    /// Cut what is written to so many bytes, and save this with it.
    pub keep: Option<(u64, Option<Expected>)>,
    /// Ask for the bytes from here on, of these alone if a SHA-256 is given.
    pub ask: Option<(u64, Option<[u8; 32]>)>,
    /// Take the SHA-256 of all that is written, and compare.
    pub check: Option<Expected>,
    /// It has come further.
    pub progress: Option<Progress>,
    /// It failed for a reason that is not mended here, and goes on at [`Download::deadline`].
    pub waits: Option<Problem>,
    /// It is over: whole, or never to be had.
    pub end: Option<Result<Expected, Problem>>,
}

/// One file on its way down.
#[derive(Debug)]
pub struct Download {
    written: u64,
    expected: Option<Expected>,
    state: State,
    failures: u32,
    /// All has come once, and was not what was promised.
    damaged: bool,
    rng: StdRng,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Rests(Now),
    Asked,
    Reading,
    Checks,
    Over,
}

impl Download {
    /// Goes on after `written` bytes of what an earlier run has said to expect; without that from the first byte.
    #[must_use]
    pub fn new(written: u64, expected: Option<Expected>, rng: StdRng) -> Self {
        let expected = expected.filter(|expected| written <= expected.size);
        let written = expected.map_or(0, |_| written);
        Self { written, expected, state: State::Rests(Now::ZERO), failures: 0, damaged: false, rng }
    }

    /// Takes one input in.
    pub fn handle(&mut self, now: Now, input: DownloadInput) -> DownloadEffects {
        let mut fx = DownloadEffects::default();
        match (input, self.state) {
            (DownloadInput::Timer, State::Rests(until)) if until <= now => self.begin(&mut fx),
            (DownloadInput::Start(start), State::Asked) => self.on_start(now, &start, &mut fx),
            (DownloadInput::Written(bytes), State::Reading) => self.on_written(now, bytes, &mut fx),
            (DownloadInput::Ended(how), State::Asked | State::Reading) => self.on_end(now, how, &mut fx),
            (DownloadInput::Checked(right), State::Checks) => self.on_checked(now, right, &mut fx),
            _ => {}
        }
        fx
    }

    /// When it wants [`DownloadInput::Timer`]; none while an answer is awaited.
    #[must_use]
    pub fn deadline(&self) -> Option<Now> {
        if let State::Rests(until) = self.state { Some(until) } else { None }
    }

    fn begin(&mut self, fx: &mut DownloadEffects) {
        if let Some(expected) = self.expected.filter(|expected| expected.size == self.written) {
            self.state = State::Checks;
            fx.check = Some(expected);
            return;
        }
        self.state = State::Asked;
        fx.keep = Some((self.written, self.expected));
        fx.ask = Some((self.written, self.expected.map(|expected| expected.sha256)));
    }

    fn on_start(&mut self, now: Now, start: &DownloadStart, fx: &mut DownloadEffects) {
        let sha256: Option<[u8; 32]> = start.sha256[..].try_into().ok();
        let Some(expected) = sha256.map(|sha256| Expected { size: start.size, sha256 }) else {
            return self.end(nonsense("without a SHA-256"), fx);
        };
        let same = self.expected == Some(expected);
        if start.offset != 0 && (start.offset != self.written || !same) {
            return self.begin_anew(now, nonsense("from another byte than was asked for"), fx);
        }
        self.state = State::Reading;
        self.written = start.offset;
        self.expected = Some(expected);
        fx.keep = Some((start.offset, self.expected));
        self.tell(fx);
        self.check_if_whole(fx);
    }

    fn on_written(&mut self, now: Now, bytes: u64, fx: &mut DownloadEffects) {
        let Some(expected) = self.expected else { return };
        self.written += bytes;
        self.failures = 0;
        if self.written > expected.size {
            return self.begin_anew(now, nonsense("with more bytes than there are"), fx);
        }
        self.tell(fx);
        self.check_if_whole(fx);
    }

    fn check_if_whole(&mut self, fx: &mut DownloadEffects) {
        if let Some(expected) = self.expected.filter(|expected| expected.size == self.written) {
            self.state = State::Checks;
            fx.hang_up = true;
            fx.check = Some(expected);
        }
    }

    fn on_end(&mut self, now: Now, how: Result<(), Problem>, fx: &mut DownloadEffects) {
        match how {
            Ok(()) => self.wait(now, nonsense("that ends too early"), fx),
            // What an earlier run has written is of another file.
            Err(problem) if problem.reason() == ErrorReason::RangeInvalid && self.written > 0 => {
                self.begin_anew(now, problem, fx);
            }
            Err(problem) if meaning(problem.reason()).1 == Retry::No => self.end(problem, fx),
            Err(problem) => self.wait(now, problem, fx),
        }
    }

    fn on_checked(&mut self, now: Now, right: bool, fx: &mut DownloadEffects) {
        match self.expected {
            Some(expected) if right => {
                self.state = State::Over;
                fx.end = Some(Ok(expected));
            }
            _ => {
                let message = "what came has another SHA-256 than was promised".to_owned();
                let reason = ErrorReason::HashMismatch.into();
                self.begin_anew(now, Problem { reason, message, ..Problem::default() }, fx);
            }
        }
    }

    /// What is written is worth nothing. Once that may be; twice it would be for ever.
    fn begin_anew(&mut self, now: Now, problem: Problem, fx: &mut DownloadEffects) {
        self.written = 0;
        self.expected = None;
        fx.hang_up = true;
        fx.keep = Some((0, None));
        if std::mem::replace(&mut self.damaged, true) {
            self.end(problem, fx);
        } else {
            self.wait(now, problem, fx);
            fx.waits = None;
        }
    }

    fn wait(&mut self, now: Now, problem: Problem, fx: &mut DownloadEffects) {
        let pause = backoff::wait(&mut self.rng, self.failures, retry_after(&problem));
        self.state = State::Rests(now + pause);
        self.failures += 1;
        fx.waits = Some(problem);
    }

    fn end(&mut self, problem: Problem, fx: &mut DownloadEffects) {
        self.state = State::Over;
        fx.end = Some(Err(problem));
    }

    fn tell(&self, fx: &mut DownloadEffects) {
        fx.progress = self.expected.map(|expected| Progress { done: self.written, total: expected.size });
    }
}

/// A fault of the server's that another try may get round.
fn nonsense(how: &str) -> Problem {
    let message = format!("the server gave a file {how}");
    Problem { reason: ErrorReason::Unavailable.into(), message, ..Problem::default() }
}
