//! Access tokens: what is in them, and how they are checked.
//!
//! An access token is a JWT in the shape of RFC 9068, signed with Ed25519, verified by every service by itself. This
//! is the only place that takes one apart. Making them is auth-svc's, in the same shape: [`header`] and [`Claims`].

mod keys;
mod remote;
mod verifier;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, Header};
use parlor_types::Id;
use serde::{Deserialize, Serialize};

use crate::caller::{Caller, CallerKind};

pub use keys::{InvalidKey, KeySet, KeySource};
pub use remote::RemoteKeys;
pub use verifier::Verifier;

/// `iss` of every token.
pub const ISSUER: &str = "parlor";
/// `typ` of every token (RFC 9068).
pub const TYPE: &str = "at+jwt";
/// How far clocks may differ between the maker and the verifier of a token.
pub const LEEWAY: Duration = Duration::from_secs(5);
/// Longest token that is looked at, bytes. Ours have about 400.
pub const MAX_TOKEN_BYTES: usize = 2048;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// The public API.
    #[serde(rename = "parlor")]
    Public,
    /// What services ask of each other.
    #[serde(rename = "parlor.internal")]
    Internal,
}

impl Audience {
    /// As `aud` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "parlor",
            Self::Internal => "parlor.internal",
        }
    }
}

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// What it is good for.
    pub aud: Audience,
    /// The account.
    pub sub: String,
    /// The session.
    pub sid: String,
    /// The device.
    pub did: String,
    /// A person or a service.
    pub kind: CallerKind,
    /// Made at, seconds since 1970.
    pub iat: u64,
    /// Good from, seconds since 1970.
    pub nbf: u64,
    /// Good until, seconds since 1970.
    pub exp: u64,
}

impl Claims {
    /// The claims of a token made `now` for `caller`, good until `caller.expires_at`.
    #[must_use]
    pub fn new(caller: &Caller, audience: Audience, now: SystemTime) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: audience,
            sub: caller.user_id.to_string(),
            sid: caller.session_id.to_string(),
            did: caller.device_id.to_string(),
            kind: caller.kind,
            iat: seconds(now),
            nbf: seconds(now),
            exp: seconds(caller.expires_at),
        }
    }

    /// `None` if an id is not one.
    fn caller(&self) -> Option<Caller> {
        Some(Caller {
            user_id: Id::parse(&self.sub)?,
            session_id: Id::parse(&self.sid)?,
            device_id: Id::parse(&self.did)?,
            kind: self.kind,
            expires_at: UNIX_EPOCH.checked_add(Duration::from_secs(self.exp))?,
        })
    }
}

/// The header of a token signed with the key `kid`.
#[must_use]
pub fn header(kid: &str) -> Header {
    Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) }
}

/// Whole seconds since 1970; 0 for times before.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
