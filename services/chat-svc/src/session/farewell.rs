//! Why a stream ends.

use std::time::Duration;

use parlor_wire::chat::v1 as wire;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::to_duration;

/// Why the server ends a stream, and what the client is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Farewell {
    /// Why.
    pub reason: ErrorReason,
    /// Whether to connect again.
    pub reconnect: bool,
    /// Not before this.
    pub after: Duration,
    /// For a developer's log.
    pub message: String,
}

impl Farewell {
    /// The client broke the protocol: no use to come back the same way.
    #[must_use]
    pub fn fault(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self { reason, reconnect: false, after: Duration::ZERO, message: message.into() }
    }

    /// The client may come back, after a while.
    #[must_use]
    pub fn come_back(reason: ErrorReason, after: Duration, message: impl Into<String>) -> Self {
        Self { reason, reconnect: true, after, message: message.into() }
    }

    /// The same session opened a newer stream.
    #[must_use]
    pub fn displaced() -> Self {
        Self::fault(ErrorReason::Displaced, "the same session opened a newer stream")
    }

    /// The transport is gone. Hardly ever is there anybody left to hear it; its reason is one that brings nobody back.
    #[must_use]
    pub fn gone() -> Self {
        Self::fault(ErrorReason::Displaced, "the transport is gone")
    }

    /// The session has ended.
    #[must_use]
    pub fn session_ended() -> Self {
        Self::fault(ErrorReason::SessionEnded, "the session has ended")
    }

    /// As a frame.
    #[must_use]
    pub fn to_frame(&self) -> wire::server_frame::Kind {
        wire::server_frame::Kind::Goodbye(wire::Goodbye {
            reason: self.reason.into(),
            reconnect: self.reconnect,
            after: (!self.after.is_zero()).then(|| to_duration(self.after)),
            message: self.message.clone(),
        })
    }

    /// As what the gRPC status repeats.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        Problem {
            reason: self.reason.into(),
            message: self.message.clone(),
            retry_after: (!self.after.is_zero()).then(|| to_duration(self.after)),
            violations: Vec::new(),
        }
    }
}
