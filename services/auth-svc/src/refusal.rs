//! Why a request is refused, in the words of the API's closed list of reasons.

use std::time::Duration;

use crate::accounts::{QueueError, Weakness};
use crate::store;

/// How long to wait before a store that took no write is asked again.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How long to wait before a store without room is asked again.
const FULL_RETRY: Duration = Duration::from_secs(30);
/// How long to wait before a full queue of hashes is tried again.
const HASH_RETRY: Duration = Duration::from_secs(2);

/// A refusal. Each stands for one `ErrorReason`; `rpc/` holds the table.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// User name, id, password or secret is wrong.
    #[error("user name or password is wrong")]
    CredentialsInvalid,
    /// The user name belongs to somebody else.
    #[error("the user name is taken")]
    UsernameTaken,
    /// The password is too easy to guess.
    #[error("the password is too easy to guess: {0}")]
    PasswordWeak(Weakness),
    /// The refresh token is not one of ours.
    #[error("the refresh token is not valid")]
    TokenInvalid,
    /// The session was ended, or has expired.
    #[error("the session has ended")]
    SessionEnded,
    /// The refresh token was used twice with different ops.
    #[error("the refresh token was used before; the session is ended")]
    RefreshReused,
    /// The caller has no such session.
    #[error("no such session")]
    SessionNotFound,
    /// There is no such user.
    #[error("no such user")]
    UserNotFound,
    /// The user has no such file.
    #[error("no such file of yours")]
    MediaNotFound,
    /// A scanner found harm in the file.
    #[error("a scanner found harm in the file")]
    MediaRefused,
    /// The file is no picture of a person.
    #[error("the file was not uploaded as a picture of a person")]
    MediaMismatch,
    /// Files cannot be looked up now.
    #[error("files cannot be looked up now")]
    MediaUnavailable(Duration),
    /// There is nothing to send mail with.
    #[error("this server sends no mail")]
    MailUnavailable,
    /// No address waits for this code.
    #[error("the code is wrong or has expired")]
    CodeInvalid,
    /// The page token is not for this search.
    #[error("the page token is not of this search")]
    PageTokenInvalid,
    /// Too many attempts.
    #[error("too many attempts")]
    RateLimited(Duration),
    /// More work than can be queued.
    #[error("more work than can be queued")]
    Overloaded(Duration),
    /// The store has no room.
    #[error("the store has no room")]
    StorageFull(Duration),
    /// The store cannot be used now.
    #[error("the store cannot be used now")]
    Unavailable(Duration),
    /// A fault of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Full => Self::StorageFull(FULL_RETRY),
            store::Error::Busy => Self::Overloaded(STORE_RETRY),
            store::Error::Stopped => Self::Unavailable(STORE_RETRY),
            store::Error::Broken(message) => Self::Internal(message),
        }
    }
}

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Full => Self::Overloaded(HASH_RETRY),
            QueueError::Failed(message) => Self::Internal(message),
        }
    }
}
