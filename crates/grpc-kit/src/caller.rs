//! Who is calling.

use std::time::SystemTime;

use parlor_types::{DeviceId, SessionId, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason;
use serde::{Deserialize, Serialize};
use tonic::Status;

/// What an access token says of its bearer. Whoever holds one has been authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account.
    pub user_id: UserId,
    /// The session the token belongs to.
    pub session_id: SessionId,
    /// The installation that opened the session.
    pub device_id: DeviceId,
    /// A person, or a service account.
    pub kind: CallerKind,
    /// When the token ends. A stream may live longer; its session decides.
    pub expires_at: SystemTime,
}

/// What kind of account is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallerKind {
    /// A person with a password.
    Person,
    /// A bot, or another service of the deployment.
    Service,
}

/// The caller that the [`Guard`](crate::Guard) put into the request.
///
/// # Errors
/// TOKEN_MISSING, where the method's row in the policy asks for no token.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Status> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| reason::status(ErrorReason::TokenMissing, "this method needs an access token"))
}
