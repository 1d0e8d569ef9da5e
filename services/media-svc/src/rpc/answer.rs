//! Failures as gRPC statuses: the one table from what happened to reasons.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{problem_status, status};
use parlor_wire::{Invalid, to_duration};
use tonic::Status;

use crate::access::Unanswered;
use crate::download::{BeyondEnd, Cut, Ending, Refusal};
use crate::failure::Failure;
use crate::parts::{Misplaced, PART_BYTES};
use crate::quota::Exceeded;
use crate::store;

/// How long to wait before what could not be done now is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long to wait before a store or a disk without room is tried again.
const LONG_RETRY: Duration = Duration::from_secs(30);
/// How long to wait before a file in quarantine is asked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The status of a failure. What went wrong inside is logged here and not told outside.
pub(super) fn failure(failure: Failure) -> Status {
    use ErrorReason as R;
    match failure {
        Failure::Store(error) => store(error),
        // The same bytes for what is not there and what is somebody else's.
        Failure::NotFound => status(R::MediaNotFound, "no such file or upload"),
        Failure::Exceeded(exceeded) => self::exceeded(exceeded),
        Failure::OpReused => status(R::OpReused, "the op has begun another upload"),
        Failure::Misplaced(misplaced) => invalid(self::misplaced(misplaced)),
        Failure::PartAhead => status(R::PartAhead, "the part begins too far beyond the first missing one"),
        Failure::Incomplete => status(R::UploadIncomplete, "parts are missing"),
        Failure::HashMismatch => {
            status(R::HashMismatch, "the bytes do not have the SHA-256 that was announced")
        }
        Failure::TypeMismatch => status(R::MediaTypeMismatch, "the bytes are not what the purpose asks for"),
        Failure::Mislabeled => status(
            R::MediaMislabeled,
            "the file is not what its name or type says; this server takes no such files",
        ),
        Failure::Unreadable => status(R::MediaUnreadable, "the bytes are damaged"),
        Failure::Refused => status(R::MediaRefused, "a scanner found harm in the file"),
        Failure::InUse => status(R::MediaInUse, "the file is used"),
        Failure::Overloaded => later(R::Overloaded, "more work than can be done at once", RETRY),
        Failure::Full => later(R::StorageFull, "there is no room for files", LONG_RETRY),
        Failure::Unavailable(why) => later(R::Unavailable, why, RETRY),
        Failure::Broken(cause) => {
            tracing::error!(%cause, "a call failed");
            status(R::Internal, "internal error")
        }
    }
}

fn store(error: store::Error) -> Status {
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

fn exceeded(exceeded: Exceeded) -> Status {
    use ErrorReason as R;
    match exceeded {
        Exceeded::File(most) => {
            status(R::MediaTooLarge, format!("a file for this purpose has at most {most} bytes"))
        }
        Exceeded::Stored => status(R::QuotaExceeded, "there is no room for it beside the caller's files"),
        Exceeded::Day(wait) => later(R::DailyQuotaExceeded, "too much was uploaded in 24 hours", wait),
        Exceeded::Unfinished => status(R::TooManyUploads, "too many uploads are not finished"),
    }
}

fn misplaced(misplaced: Misplaced) -> Invalid {
    match misplaced {
        Misplaced::Offset => {
            Invalid::field("offset", format!("must be a multiple of {PART_BYTES} within the file"))
        }
        Misplaced::Length => {
            Invalid::field("data", format!("must be {PART_BYTES} bytes, or all up to the end of the file"))
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
        Refusal::NotFound => failure(Failure::NotFound),
        Refusal::Checking => {
            later(ErrorReason::MediaChecking, "a scanner has not looked at the file yet", LOOK_AGAIN)
        }
        Refusal::Refused => failure(Failure::Refused),
        Refusal::TooMany => later(ErrorReason::RateLimited, "too many downloads at once", RETRY),
        Refusal::Unanswered(_) => {
            later(ErrorReason::Unavailable, "it cannot be told now who may have the file", RETRY)
        }
        Refusal::Store(error) => store(error),
        Refusal::Blob(error) => failure(error.into()),
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
        Cut::Stalled => later(ErrorReason::Unavailable, "it was taken too slowly", RETRY),
        Cut::Gone => failure(Failure::NotFound),
        Cut::Unanswered => refused(Refusal::Unanswered(Unanswered)),
        Cut::Unreadable => status(ErrorReason::Internal, "internal error"),
    }
}

fn later(reason: ErrorReason, message: &str, wait: Duration) -> Status {
    let message = message.to_owned();
    let retry_after = Some(to_duration(wait));
    problem_status(&Problem { reason: reason.into(), message, retry_after, violations: Vec::new() })
}
