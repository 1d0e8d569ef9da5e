//! Short ways to say what went wrong.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;

/// A failure for `reason`, without further details.
pub(crate) fn problem(reason: ErrorReason, message: impl Into<String>) -> Problem {
    Problem { reason: reason.into(), message: message.into(), ..Problem::default() }
}

/// A failure that will have passed after `wait`.
pub(crate) fn problem_after(reason: ErrorReason, message: impl Into<String>, wait: Duration) -> Problem {
    Problem { retry_after: Some(to_duration(wait)), ..problem(reason, message) }
}
