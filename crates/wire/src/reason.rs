//! What each [`ErrorReason`] means on the wire: its gRPC code, and whether a retry can help.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::errors::v1::{ErrorReason, FieldViolation, Problem};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "parlor";

/// What a client does after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again.
    No,
    /// The same request, after the advised time or with back-off.
    Same,
    /// The same request, after what the reason says has been done (refreshed, fetched, resent in order).
    AfterRemedy,
}

/// The gRPC code and the retry advice of a reason. The one table; docs/errors.md is made from it.
#[must_use]
pub fn meaning(reason: ErrorReason) -> (Code, Retry) {
    use ErrorReason as R;
    match reason {
        R::Unspecified | R::Internal => (Code::Internal, Retry::Same),
        R::Unavailable | R::Draining | R::IdleTimeout => (Code::Unavailable, Retry::Same),
        R::RateLimited | R::Overloaded | R::StorageFull => (Code::ResourceExhausted, Retry::Same),
        R::DailyQuotaExceeded => (Code::ResourceExhausted, Retry::Same),
        R::TooManyInFlight | R::QuotaExceeded | R::TooManyUploads => {
            (Code::ResourceExhausted, Retry::AfterRemedy)
        }
        R::MessageTooLarge | R::MediaTooLarge => (Code::ResourceExhausted, Retry::No),
        R::MessageMalformed
        | R::FieldInvalid
        | R::PasswordWeak
        | R::CodeInvalid
        | R::ContentTooLarge
        | R::ContentNotAllowed
        | R::ProtocolUnsupported
        | R::HelloExpected
        | R::HelloRepeated
        | R::AckAhead => (Code::InvalidArgument, Retry::No),
        R::PageTokenInvalid | R::CursorInvalid => (Code::InvalidArgument, Retry::AfterRemedy),
        R::HashMismatch | R::MediaTypeMismatch | R::MediaMislabeled | R::MediaUnreadable => {
            (Code::InvalidArgument, Retry::No)
        }
        R::SeqAhead | R::PartAhead => (Code::OutOfRange, Retry::AfterRemedy),
        R::RangeInvalid => (Code::OutOfRange, Retry::No),
        R::HelloTimeout => (Code::DeadlineExceeded, Retry::Same),
        R::PermissionDenied | R::RoleInsufficient | R::PersonNotAccepting => {
            (Code::PermissionDenied, Retry::No)
        }
        R::TokenExpired => (Code::Unauthenticated, Retry::AfterRemedy),
        R::TokenMissing | R::TokenInvalid | R::SessionEnded | R::RefreshReused | R::CredentialsInvalid => {
            (Code::Unauthenticated, Retry::No)
        }
        R::UsernameTaken | R::AlreadyMember | R::ConversationExists | R::OpReused => {
            (Code::AlreadyExists, Retry::No)
        }
        R::SessionNotFound
        | R::UserNotFound
        | R::ConversationNotFound
        | R::MemberNotFound
        | R::RequestNotFound
        | R::TargetNotFound
        | R::MediaNotFound => (Code::NotFound, Retry::No),
        R::StreamNotFound => (Code::NotFound, Retry::AfterRemedy),
        R::GroupFull
        | R::TooManyConversations
        | R::TooManyPinned
        | R::TooManyContacts
        | R::TooManyBlocked
        | R::UserBlocked
        | R::EditTooLate
        | R::MediaRefused
        | R::MediaInUse
        | R::MailUnavailable => (Code::FailedPrecondition, Retry::No),
        R::MediaChecking => (Code::FailedPrecondition, Retry::Same),
        R::BaseSeqAhead | R::OpTooOld | R::UploadIncomplete => (Code::FailedPrecondition, Retry::AfterRemedy),
        R::OutOfOrder | R::PushAhead => (Code::Aborted, Retry::AfterRemedy),
        R::Displaced => (Code::Aborted, Retry::No),
    }
}

/// The name as `ErrorInfo.reason` carries it: without the prefix of the enum.
#[must_use]
pub fn name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

/// A status for `reason`, without further details.
#[must_use]
pub fn status(reason: ErrorReason, message: impl Into<String>) -> Status {
    problem_status(&Problem { reason: reason.into(), message: message.into(), ..Problem::default() })
}

/// The unary counterpart of a [`Problem`].
#[must_use]
pub fn problem_status(problem: &Problem) -> Status {
    let reason = problem.reason();
    let mut details = ErrorDetails::with_error_info(name(reason), DOMAIN, []);
    if let Some(after) = problem.retry_after {
        details.set_retry_info(Some(Duration::try_from(after).unwrap_or_default()));
    }
    for violation in &problem.violations {
        details.add_bad_request_violation(&violation.field, &violation.rule);
    }
    Status::with_error_details(meaning(reason).0, &problem.message, details)
}

/// Reads the reason, the retry advice and the violations out of a status, whoever made it. A status without our
/// details is classed by its code, so that a proxy's UNAVAILABLE is treated as one of ours.
#[must_use]
pub fn from_status(status: &Status) -> Problem {
    let details = status.get_error_details();
    let reason = details
        .error_info()
        .filter(|info| info.domain == DOMAIN)
        .and_then(|info| ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason)))
        .unwrap_or_else(|| reason_of_code(status.code()));
    Problem {
        reason: reason.into(),
        message: status.message().to_owned(),
        retry_after: details
            .retry_info()
            .and_then(|info| info.retry_delay)
            .and_then(|delay| prost_types::Duration::try_from(delay).ok()),
        violations: details
            .bad_request()
            .into_iter()
            .flat_map(|request| &request.field_violations)
            .map(|violation| FieldViolation {
                field: violation.field.clone(),
                rule: violation.description.clone(),
            })
            .collect(),
    }
}

/// `Cancelled` and `Unknown` are what an RPC racing GOAWAY and a connection cut by keep-alive look like, so they count
/// as unavailable. `OutOfRange` is what tonic answers to a message over the decode limit.
fn reason_of_code(code: Code) -> ErrorReason {
    match code {
        Code::Unavailable | Code::Cancelled | Code::Unknown | Code::DeadlineExceeded | Code::Aborted => {
            ErrorReason::Unavailable
        }
        Code::ResourceExhausted => ErrorReason::Overloaded,
        Code::OutOfRange => ErrorReason::MessageTooLarge,
        Code::Unauthenticated => ErrorReason::TokenInvalid,
        Code::PermissionDenied => ErrorReason::PermissionDenied,
        Code::InvalidArgument => ErrorReason::MessageMalformed,
        _ => ErrorReason::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_the_trip_through_a_status() {
        let problem = Problem {
            reason: ErrorReason::RateLimited.into(),
            message: "slow down".into(),
            retry_after: Some(prost_types::Duration { seconds: 3, nanos: 500_000_000 }),
            violations: vec![FieldViolation { field: "op".into(), rule: "a UUID".into() }],
        };
        let status = problem_status(&problem);
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert_eq!(from_status(&status), problem);
    }

    #[test]
    fn a_foreign_status_is_classed_by_its_code() {
        assert_eq!(from_status(&Status::unknown("h2 broke")).reason(), ErrorReason::Unavailable);
        assert_eq!(from_status(&Status::not_found("?")).reason(), ErrorReason::Internal);
    }
}
