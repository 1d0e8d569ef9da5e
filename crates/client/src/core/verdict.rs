//! What a refused request means for the one who sent it.

use std::time::Duration;

use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{Retry, meaning};

/// No server is waited for longer, whatever it says: a client that waits for ever is as good as broken, and clocks end somewhere.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What to do with an append that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It will never be taken: drop it and say so.
    Drop,
    /// The same again, not before this if it is given.
    Later(Option<Duration>),
    /// Look for it in the log first.
    LookInLog,
    /// Its `base_seq` is of another life of the store: 0 is always right.
    BaseToZero,
    /// Another one before it was refused.
    FollowOther,
    /// The server has forgotten its files: once more with them, if they came from here.
    UploadAgain,
}

/// The verdict on an append.
pub(crate) fn verdict(problem: &Problem) -> Verdict {
    match problem.reason() {
        ErrorReason::OpTooOld => Verdict::LookInLog,
        ErrorReason::BaseSeqAhead => Verdict::BaseToZero,
        ErrorReason::OutOfOrder => Verdict::FollowOther,
        ErrorReason::MediaNotFound => Verdict::UploadAgain,
        // The entry it answers does not exist: nothing mends that.
        ErrorReason::SeqAhead => Verdict::Drop,
        reason => match meaning(reason).1 {
            Retry::No => Verdict::Drop,
            Retry::Same | Retry::AfterRemedy => Verdict::Later(retry_after(problem)),
        },
    }
}

/// The server's advice, if it is one.
pub(crate) fn retry_after(problem: &Problem) -> Option<Duration> {
    problem.retry_after.and_then(said)
}

/// A time that a server says, if it is one; of what is longer than anything it could mean, [`LONGEST`].
pub(crate) fn said(duration: prost_types::Duration) -> Option<Duration> {
    // Not by its own `TryFrom`, which overflows for the least number of seconds.
    let (seconds, nanos) = (u64::try_from(duration.seconds).ok()?, u32::try_from(duration.nanos).ok()?);
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())).min(LONGEST))
}

/// Whether the stream may be opened again after it ended with `problem`.
pub(crate) fn may_reconnect(problem: &Problem) -> bool {
    meaning(problem.reason()).1 != Retry::No
}
