//! Failures as gRPC statuses: the one table from what happened to reasons.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{problem_status, status};
use parlor_wire::{Invalid, to_duration};
use tonic::Status;

use crate::download::{BeyondEnd, Cut, Ending, Refusal};
use crate::store;

/// How long to wait before a store that took no write is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// How long to wait before a store without room is asked again.
const LONG_RETRY: Duration = Duration::from_secs(30);
/// How long to wait before a file in quarantine is asked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The status of a store that does not answer. What went wrong inside is logged here and not told outside.
pub(super) fn store(error: store::Error) -> Status {
    match error {
        store::Error::Full => later(ErrorReason::StorageFull, "the store has no room", LONG_RETRY),
        store::Error::Busy => later(ErrorReason::Overloaded, "more work than can be queued", RETRY),
        store::Error::Stopped => later(ErrorReason::Unavailable, "the store cannot be used now", RETRY),
        store::Error::Broken(cause) => {
            tracing::error!(%cause, "a call failed");
            status(ErrorReason::Internal, "internal error")
        }
    }
}

/// The status of fields that broke their rules.
pub(super) fn invalid(invalid: Invalid) -> Status {
    problem_status(&invalid.into())
}

/// The status of a file that is not given. Whether there is one cannot be told from it (G7).
pub(super) fn refused(refusal: Refusal) -> Status {
    match refusal {
        Refusal::NotFound => status(ErrorReason::MediaNotFound, "no such file for you"),
        Refusal::Checking => {
            later(ErrorReason::MediaChecking, "a scanner has not looked at the file yet", LOOK_AGAIN)
        }
        Refusal::Refused => status(ErrorReason::MediaRefused, "a scanner found harm in the file"),
        Refusal::TooMany => later(ErrorReason::RateLimited, "too many downloads at once", RETRY),
        Refusal::Unanswered(_) => {
            later(ErrorReason::Unavailable, "it cannot be told now who may have the file", RETRY)
        }
        Refusal::Store(error) => store(error),
        Refusal::Blob(error) => {
            tracing::error!(%error, "a file cannot be read");
            status(ErrorReason::Internal, "internal error")
        }
    }
}

/// The status of a range of which there is nothing.
pub(super) fn beyond_end(_: BeyondEnd) -> Status {
    status(ErrorReason::RangeInvalid, "the file ends before the first byte asked for")
}

/// The status a file breaks off with.
pub(super) fn cut(cut: Cut) -> Status {
    match cut {
        Cut::Session(Ending::SessionEnded) => status(ErrorReason::SessionEnded, "the session has ended"),
        Cut::Session(Ending::Blind) => {
            later(ErrorReason::Unavailable, "it cannot be told whether the session has ended", RETRY)
        }
        Cut::Stalled => later(ErrorReason::Unavailable, "nothing was taken for too long", RETRY),
        Cut::Unreadable => status(ErrorReason::Internal, "internal error"),
    }
}

fn later(reason: ErrorReason, message: &str, wait: Duration) -> Status {
    let message = message.to_owned();
    let retry_after = Some(to_duration(wait));
    problem_status(&Problem { reason: reason.into(), message, retry_after, violations: Vec::new() })
}
