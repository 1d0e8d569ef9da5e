//! Failures as gRPC statuses: the one table from what happened to reasons.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{problem_status, status};
use parlor_wire::{Invalid, to_duration};
use tonic::Status;

use crate::hub::TooMany;
use crate::store;
use crate::watching::{Ending, Unanswered};

/// How long to wait before a store that took no write is asked again, and before a stream is opened again.
const RETRY: Duration = Duration::from_secs(1);
/// How long to wait before a store without room is asked again, and before one more Watch is tried.
const LONG_RETRY: Duration = Duration::from_secs(30);

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

/// The status while it cannot be told who may see whom.
pub(super) fn unanswered(_: Unanswered) -> Status {
    later(ErrorReason::Unavailable, "it cannot be told now who may see whom", RETRY)
}

/// The status of one Watch more than there may be.
pub(super) fn too_many(too_many: TooMany) -> Status {
    match too_many {
        TooMany::OfUser => later(ErrorReason::RateLimited, "too many watches at once", LONG_RETRY),
        TooMany::InAll => later(ErrorReason::Unavailable, "the server has too many watches", LONG_RETRY),
    }
}

/// The status a stream ends with; none where nobody is left to read it.
pub(super) fn ended(ending: Ending) -> Option<Status> {
    match ending {
        Ending::SessionEnded => Some(status(ErrorReason::SessionEnded, "the session has ended")),
        Ending::Displaced => Some(status(ErrorReason::Displaced, "the node has a newer line")),
        Ending::Blind => {
            let message = "it cannot be told whether the session has ended";
            Some(later(ErrorReason::Unavailable, message, RETRY))
        }
        Ending::Stopping => Some(later(ErrorReason::Draining, "the server is stopping", RETRY)),
        Ending::Gone => None,
    }
}

fn later(reason: ErrorReason, message: &str, wait: Duration) -> Status {
    let message = message.to_owned();
    let retry_after = Some(to_duration(wait));
    problem_status(&Problem { reason: reason.into(), message, retry_after, violations: Vec::new() })
}
