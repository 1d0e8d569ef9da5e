//! Why an append is not stored.

use std::time::Duration;

use crate::conversation::Forbidden;

/// Why an append is not stored. Every one is certain: nothing was, or will be, stored by it. The one exception is
/// [`Refusal::Unavailable`] from a store that has stopped: only its next start shows what it stored. Whoever gets that
/// appends again with the same op and the same `base_seq`, and so is stored once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The conversation is not there for the sender.
    NotFound,
    /// The state of the conversation forbids it.
    Forbidden(Forbidden),
    /// `base_seq` is above the head.
    BaseAhead,
    /// `base_seq` is too far below the head.
    TooOld,
    /// The op was stored with other content.
    OpReused,
    /// An earlier append of the lane was refused.
    OutOfOrder,
    /// `reply_to` is above the head.
    ReplyNotFound,
    /// Somebody mentioned is not a member.
    MentionNotFound,
    /// Somebody brought in is not a user.
    UserNotFound,
    /// Somebody brought in does not take it from the sender.
    NotAccepting,
    /// The sender has blocked somebody brought in.
    Blocked,
    /// Somebody brought in, or the creator, is in too many conversations.
    TooManyConversations,
    /// A file named is not there for the sender.
    MediaNotFound,
    /// A file named is harmful.
    MediaRefused,
    /// A file named was uploaded for something else.
    MediaMismatch,
    /// Files cannot be looked up now.
    MediaUnavailable,
    /// Too fast; again after this time.
    RateLimited(Duration),
    /// More work than the queue takes.
    Overloaded,
    /// The store has no room.
    StorageFull,
    /// The store cannot be reached, or has stopped.
    Unavailable,
}
