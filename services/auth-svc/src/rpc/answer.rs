//! Failures as gRPC statuses: the table from refusals to reasons.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::problem_status;
use parlor_wire::{Invalid, to_duration};
use tonic::Status;

use crate::refusal::Refusal;

/// The status of a refusal. What went wrong inside is logged here and not told outside.
pub(super) fn refused(refusal: Refusal) -> Status {
    if let Refusal::Internal(cause) = &refusal {
        tracing::error!(%cause, "a call failed");
        return problem_status(&Problem {
            reason: ErrorReason::Internal.into(),
            message: "internal error".to_owned(),
            ..Problem::default()
        });
    }
    let (reason, retry_after) = reason_of(&refusal);
    problem_status(&Problem {
        reason: reason.into(),
        message: refusal.to_string(),
        retry_after: retry_after.map(to_duration),
        violations: Vec::new(),
    })
}

/// The status of fields that broke their rules.
pub(super) fn invalid(invalid: Invalid) -> Status {
    problem_status(&invalid.into())
}

fn reason_of(refusal: &Refusal) -> (ErrorReason, Option<Duration>) {
    use ErrorReason as R;
    match refusal {
        Refusal::CredentialsInvalid => (R::CredentialsInvalid, None),
        Refusal::UsernameTaken => (R::UsernameTaken, None),
        Refusal::PasswordWeak(_) => (R::PasswordWeak, None),
        Refusal::TokenInvalid => (R::TokenInvalid, None),
        Refusal::SessionEnded => (R::SessionEnded, None),
        Refusal::RefreshReused => (R::RefreshReused, None),
        Refusal::SessionNotFound => (R::SessionNotFound, None),
        Refusal::UserNotFound => (R::UserNotFound, None),
        Refusal::MediaNotFound => (R::MediaNotFound, None),
        Refusal::MediaRefused => (R::MediaRefused, None),
        Refusal::MediaMismatch => (R::MediaTypeMismatch, None),
        Refusal::MediaUnavailable(after) => (R::Unavailable, Some(*after)),
        Refusal::MailUnavailable => (R::MailUnavailable, None),
        Refusal::CodeInvalid => (R::CodeInvalid, None),
        Refusal::PageTokenInvalid => (R::PageTokenInvalid, None),
        Refusal::RateLimited(after) => (R::RateLimited, Some(*after)),
        Refusal::Overloaded(after) => (R::Overloaded, Some(*after)),
        Refusal::StorageFull(after) => (R::StorageFull, Some(*after)),
        Refusal::Unavailable(after) => (R::Unavailable, Some(*after)),
        Refusal::Internal(_) => (R::Internal, None),
    }
}
