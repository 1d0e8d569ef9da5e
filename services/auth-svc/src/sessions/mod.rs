//! Sessions: one log-in of one device, until it is ended or expires.
//!
//! The rules are pure functions over what the store holds of one user; the store runs them inside the transaction that
//! keeps what they decide. So whatever two clients do at once, a device has one session and a refresh token one use.

mod feed;
mod open;
mod refresh;
mod registry;

use std::fmt;
use std::time::Duration;

use parlor_types::{DeviceId, DisplayName, SessionId, UserId};

use crate::time::Moment;

pub use feed::RevocationFeed;
pub use refresh::{Decision, RefreshState, RowSecret};
pub use registry::{Credentials, SessionLimits, Sessions};

/// An installation of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The installation.
    pub id: DeviceId,
    /// What its owner calls it.
    pub name: DisplayName,
}

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its device.
    pub device: Device,
    /// When the device first logged in.
    pub created_at: Moment,
    /// When the credential was last shown.
    pub authenticated_at: Moment,
    /// When it was last used to get tokens.
    pub refreshed_at: Moment,
    /// Which refresh token is good.
    pub refresh: RefreshState,
    /// When it was ended; none while it lives.
    pub ended_at: Option<Moment>,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Without being refreshed.
    pub idle: Duration,
    /// Without the credential being shown again, however often it is refreshed.
    pub absolute: Duration,
}

impl Session {
    /// When it ends unless refreshed.
    #[must_use]
    pub fn expires_at(&self, lifetimes: Lifetimes) -> Moment {
        self.refreshed_at.plus(lifetimes.idle).min(self.authenticated_at.plus(lifetimes.absolute))
    }

    /// Neither ended nor expired.
    #[must_use]
    pub fn is_alive(&self, lifetimes: Lifetimes, now: Moment) -> bool {
        self.ended_at.is_none() && now < self.expires_at(lifetimes)
    }
}

/// What ends all of `sessions` but one.
pub(crate) fn end_others(sessions: &[Session], stays: SessionId, now: Moment) -> Vec<crate::store::Change> {
    let others = sessions.iter().filter(|session| session.id != stays);
    others.map(|session| crate::store::Change::EndSession { id: session.id, at: now }).collect()
}

/// The end of a session, as those are told who may still hold an access token of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Its place in the log, from 1, growing.
    pub seq: u64,
    /// The session.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// When it was ended.
    pub revoked_at: Moment,
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.seq, self.session_id)
    }
}

#[cfg(test)]
mod tests;
