//! Why something cannot be done with a file: one closed list, which `rpc/answer.rs` turns into reasons.

use std::io;
use std::sync::Arc;

use crate::blobs::{self, BlobError};
use crate::parts::Misplaced;
use crate::quota::Exceeded;
use crate::store::{self, BeginError, ClaimError};

/// See the module.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no such file for the caller.
    #[error("no such file or upload")]
    NotFound,
    /// More than one may upload or keep.
    #[error("more than one may upload")]
    Exceeded(Exceeded),
    /// The op has begun another upload.
    #[error("the op has begun another upload")]
    OpReused,
    /// The part has no place in the file.
    #[error("the part has no place in the file")]
    Misplaced(Misplaced),
    /// The part begins beyond the window.
    #[error("the part is too far ahead")]
    PartAhead,
    /// Parts are missing.
    #[error("parts are missing")]
    Incomplete,
    /// The bytes have another SHA-256 than was announced. Nothing is kept.
    #[error("the bytes do not have the SHA-256 that was announced")]
    HashMismatch,
    /// The bytes are not what the purpose asks for. Nothing is kept.
    #[error("the bytes are not what the purpose asks for")]
    TypeMismatch,
    /// The bytes are not of the type that was named, and such files are refused. Nothing is kept.
    #[error("the bytes are not of the type that was named")]
    Mislabeled,
    /// The bytes are damaged, and cannot be cleaned. Nothing is kept.
    #[error("the bytes are damaged")]
    Unreadable,
    /// A scanner found harm. Nothing is kept.
    #[error("a scanner found harm in the file")]
    Refused,
    /// Somebody uses it.
    #[error("the file is in use")]
    InUse,
    /// More work than is taken at once.
    #[error("more work than can be done at once")]
    Overloaded,
    /// No room on the disk, or in the bucket.
    #[error("no room for files")]
    Full,
    /// It cannot be done now: a service does not answer, or this one is stopping.
    #[error("not now: {0}")]
    Unavailable(&'static str),
    /// A fault, with what is known of it.
    #[error("files: {0}")]
    Broken(Arc<str>),
}

impl Failure {
    /// Whether the bytes themselves are refused, so that nothing of the upload is kept.
    #[must_use]
    pub fn ends_upload(&self) -> bool {
        matches!(
            self,
            Self::HashMismatch | Self::TypeMismatch | Self::Mislabeled | Self::Unreadable | Self::Refused
        )
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if blobs::is_full(&error) { Self::Full } else { Self::Broken(error.to_string().into()) }
    }
}

impl From<BlobError> for Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Full => Self::Full,
            BlobError::NotFound | BlobError::Failed(_) => Self::Broken(error.to_string().into()),
        }
    }
}

impl From<BeginError> for Failure {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Store(error) => Self::Store(error),
            BeginError::Exceeded(exceeded) => Self::Exceeded(exceeded),
            BeginError::OpReused => Self::OpReused,
        }
    }
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => Self::Store(error),
            ClaimError::NotFound => Self::NotFound,
            ClaimError::Refused => Self::Refused,
        }
    }
}
