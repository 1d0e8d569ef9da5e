//! Every failure of the domain as a reason that clients know. Exhaustive: a new failure does not compile without one.

use std::time::Duration;

use parlor_types::limits;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;

use crate::conversation::Forbidden;
use crate::log::Refusal;
use crate::store::{AppendError, ReadError};

/// Advised wait where the store is at fault: long enough not to hammer it, short enough for a person.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// Advised wait where there is no room: an operator has to act.
const FULL_RETRY: Duration = Duration::from_secs(30);

/// A problem without further details.
#[must_use]
pub fn problem(reason: ErrorReason, message: impl Into<String>) -> Problem {
    Problem { reason: reason.into(), message: message.into(), retry_after: None, violations: Vec::new() }
}

fn later(reason: ErrorReason, message: &str, after: Duration) -> Problem {
    Problem { retry_after: Some(to_duration(after)), ..problem(reason, message) }
}

/// Why an append was not stored.
#[must_use]
pub fn refusal_problem(refusal: Refusal) -> Problem {
    use ErrorReason as R;
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::Forbidden(forbidden) => {
            let (reason, message) = forbidden_reason(forbidden);
            problem(reason, message)
        }
        Refusal::BaseAhead => problem(R::BaseSeqAhead, "base_seq is above the head"),
        Refusal::TooOld => problem(R::OpTooOld, "base_seq is too far below the head"),
        Refusal::OpReused => problem(R::OpReused, "this op was stored with other content"),
        Refusal::OutOfOrder => problem(R::OutOfOrder, "an earlier append of this lane was rejected"),
        Refusal::ReplyNotFound => problem(R::SeqAhead, "reply_to is above the head"),
        Refusal::MentionNotFound => problem(R::MemberNotFound, "somebody mentioned is not a member"),
        Refusal::UserNotFound => problem(R::UserNotFound, "somebody named is not a user"),
        Refusal::NotAccepting => problem(R::PersonNotAccepting, "somebody named does not take this from you"),
        Refusal::Blocked => problem(R::UserBlocked, "you have blocked somebody named"),
        Refusal::TooManyConversations => {
            problem(R::TooManyConversations, "somebody named, or the caller, is in too many conversations")
        }
        Refusal::MediaNotFound => problem(R::MediaNotFound, "no such file that you could send"),
        Refusal::MediaRefused => problem(R::MediaRefused, "a scanner found harm in a file"),
        Refusal::MediaMismatch => problem(R::MediaTypeMismatch, "a file was uploaded for something else"),
        Refusal::MediaUnavailable => later(R::Unavailable, "files cannot be looked up now", STORE_RETRY),
        Refusal::RateLimited(after) => later(R::RateLimited, "too many appends", after),
        Refusal::Overloaded => later(R::Overloaded, "too many appends are waiting", STORE_RETRY),
        Refusal::StorageFull => later(R::StorageFull, "the store has no room", FULL_RETRY),
        Refusal::Unavailable => later(R::Unavailable, "the store cannot be reached", STORE_RETRY),
    }
}

// One of the messages below says it.
const _: () = assert!(limits::MAX_CAPTION_BYTES == 4096);

/// Why the state of a conversation forbids an append.
#[must_use]
pub fn forbidden_reason(forbidden: Forbidden) -> (ErrorReason, &'static str) {
    use ErrorReason as R;
    match forbidden {
        Forbidden::Role => (R::RoleInsufficient, "your role does not allow this"),
        Forbidden::Content => (R::ContentNotAllowed, "not in a direct conversation"),
        Forbidden::Exists => (R::ConversationExists, "the conversation is created already"),
        Forbidden::Full => (R::GroupFull, "the group takes no more members"),
        Forbidden::AlreadyMember => (R::AlreadyMember, "everybody named is a member already"),
        Forbidden::MemberNotFound => (R::MemberNotFound, "somebody named is not a member"),
        Forbidden::TargetNotFound => (R::TargetNotFound, "target is no message that can be changed so"),
        Forbidden::EditTooLate => (R::EditTooLate, "the message can no longer be edited"),
        Forbidden::CaptionTooLong => (R::ContentTooLarge, "a caption is at most 4,096 bytes"),
    }
}

/// The one answer to everybody who may not know a conversation, byte for byte.
#[must_use]
pub fn not_found() -> Problem {
    problem(ErrorReason::ConversationNotFound, "no such conversation")
}

/// The one answer to a seq that is not there yet.
#[must_use]
pub fn seq_ahead() -> Problem {
    problem(ErrorReason::SeqAhead, "the seq is above the head")
}

/// Why a read failed.
#[must_use]
pub fn read_problem(ReadError: ReadError) -> Problem {
    later(ErrorReason::Unavailable, "the store cannot be read", STORE_RETRY)
}

/// Why marks were not raised.
#[must_use]
pub fn mark_problem(error: AppendError) -> Problem {
    match error {
        AppendError::Full => refusal_problem(Refusal::StorageFull),
        AppendError::Busy => refusal_problem(Refusal::Overloaded),
        AppendError::Conflict | AppendError::Unavailable | AppendError::Uncertain => {
            refusal_problem(Refusal::Unavailable)
        }
    }
}
