//! Failures as gRPC statuses: the one table from what happened to reasons.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{problem_status, status};
use parlor_wire::{Invalid, to_duration};
use tonic::Status;

use crate::store;

/// How long to wait before a store that took no write is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// How long to wait before a store without room is asked again.
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

fn later(reason: ErrorReason, message: &str, wait: Duration) -> Status {
    let message = message.to_owned();
    let retry_after = Some(to_duration(wait));
    problem_status(&Problem { reason: reason.into(), message, retry_after, violations: Vec::new() })
}
