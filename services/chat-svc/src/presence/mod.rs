//! The line to presence-svc: which streams are open here goes out, how those are who are watched comes in.
//!
//! [`Registry`] is what is to be said, without I/O: everything that is open first, then what changes, the latest of each.
//! [`PresenceLink`] says it, for as long as there is somebody to say it to; while there is not, streams go on and are told
//! nothing.

mod link;
mod registry;

use std::sync::Arc;

use parlor_types::{SessionId, StreamId, UserId};

pub use link::PresenceLink;
pub use registry::{Line, Registry, Say};

/// What is known of a stream besides whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The app is in front.
    pub foreground: bool,
    /// It runs on a phone.
    pub mobile: bool,
    /// Whose presence it wants, in order; at most 200.
    pub watched: Arc<[UserId]>,
}

/// A stream and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// The stream.
    pub stream: StreamId,
    /// Its user.
    pub user: UserId,
    /// Its session.
    pub session: SessionId,
}

#[cfg(test)]
mod tests;
