//! What files on their way up and down have in common: who hears of them, and how long to wait.

use std::time::Duration;

use parlor_wire::errors::v1::Problem;
use parlor_wire::reason::{Retry, meaning};
use tokio::time::Instant;

use super::session::refused;
use crate::core::Progress;
use crate::error::Error;

/// How a file fares on its way up or down.
#[derive(Debug, Clone, PartialEq)]
pub enum TransferNews {
    /// It has come so far.
    Progress(Progress),
    /// Something is in the way; it goes on by itself.
    Waits(Problem),
}

/// Who hears how a file fares.
pub type Tell<'a> = &'a mut (dyn FnMut(TransferNews) + Send);

/// How long to go on without coming forward.
#[derive(Debug)]
pub(super) struct Patience {
    /// None: for ever.
    limit: Option<Duration>,
    moved: Instant,
}

impl Patience {
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, moved: Instant::now() }
    }

    /// It has come forward: patience begins anew.
    pub fn moved(&mut self) {
        self.moved = Instant::now();
    }

    /// Whether to go on at `wakes` after this problem.
    ///
    /// # Errors
    /// The problem, if waiting takes too long, or if it takes more than waiting and there is a limit.
    pub fn bears(&self, problem: &Problem, wakes: Option<Instant>) -> Result<(), Error> {
        let Some(limit) = self.limit else { return Ok(()) };
        let waiting_helps = meaning(problem.reason()).1 == Retry::Same;
        if waiting_helps && wakes.unwrap_or_else(Instant::now) <= self.moved + limit {
            return Ok(());
        }
        Err(refused(problem.clone()))
    }
}

/// What the server said about a call is for the machine; all else ends the transfer.
pub(super) fn problem_of<T>(answer: Result<T, Error>) -> Result<Result<T, Problem>, Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(Error::Refused(problem) | Error::Unreachable(problem)) => Ok(Err(problem)),
        Err(other) => Err(other),
    }
}

/// Waits; for ever without a time.
pub(super) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
