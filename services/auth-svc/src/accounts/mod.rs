//! Accounts: who there is, and how they prove it.
//!
//! An unknown user costs a log-in the same work as a known one, and gets the same answer. Registering is safe to
//! retry: the account is made once, and the retry answers like a log-in.

mod change_password;
mod hashing;
mod import;
mod login;
mod password;
mod passwords;
mod queue;
mod register;
mod service_accounts;
mod throttle;

use std::fmt;
use std::sync::Arc;

use parlor_types::{Op, UserId, Username};

pub use change_password::PasswordChange;
pub use hashing::{Argon2id, Hasher, InvalidHash, OWASP_COSTS, PasswordHash};
pub use import::{ImportOutcome, ImportedUser};
pub use login::Login;
pub use password::{InvalidPassword, Password, Weakness};
pub use passwords::Passwords;
pub use queue::{HashQueue, QueueError, QueueLimits};
pub use register::Registration;
pub use service_accounts::{NewServiceAccount, ServiceLogin};
pub use throttle::{Attempt, FailureLimit, Throttle, ThrottleLimits};

use crate::profiles::{Avatar, ProfileText};
use crate::sessions::Sessions;
use crate::store::Store;
use crate::time::Moment;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user_id: UserId,
    /// Unique among all accounts.
    pub username: Username,
    /// What proves that somebody is the user.
    pub credential: Credential,
    /// Grows when the credential is exchanged for another, not when it is hashed anew. A log-in that was checked
    /// against an older one opens no session.
    pub credential_version: u64,
    /// What the registration was called; none for accounts made by the operator.
    pub registered_with: Option<Op>,
    /// When it was made.
    pub created_at: Moment,
    /// What its owner says of themselves.
    pub text: ProfileText,
    /// Their picture.
    pub avatar: Option<Avatar>,
    /// Grows with each change of `text` and `avatar`, from 1.
    pub profile_version: u64,
}

/// What proves that somebody is the user.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A person's password.
    Password(PasswordHash),
    /// A service account's secret.
    Secret {
        /// SHA-256 of it. It has 256 random bits: there is nothing to guess, so nothing to slow down.
        sha256: [u8; 32],
        /// Whether it may call what only services may call.
        internal: bool,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(_) => f.write_str("Password"),
            Self::Secret { internal, .. } => {
                f.debug_struct("Secret").field("internal", internal).finish_non_exhaustive()
            }
        }
    }
}

/// Person or service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// A person with a password.
    Person,
    /// A bot or another service, with a secret.
    Service {
        /// Whether it may call what only services may call.
        internal: bool,
    },
}

impl Account {
    /// Person or service.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        match self.credential {
            Credential::Password(_) => AccountKind::Person,
            Credential::Secret { internal, .. } => AccountKind::Service { internal },
        }
    }

    fn password_hash(&self) -> Option<PasswordHash> {
        match &self.credential {
            Credential::Password(hash) => Some(hash.clone()),
            Credential::Secret { .. } => None,
        }
    }
}

/// Registers, logs in, changes passwords.
#[derive(Debug)]
pub struct Accounts {
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
    passwords: Passwords,
    throttle: Throttle,
}

impl Accounts {
    /// Over `store`, opening sessions with `sessions`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        sessions: Arc<Sessions>,
        passwords: Passwords,
        throttle: ThrottleLimits,
    ) -> Self {
        Self { store, sessions, passwords, throttle: Throttle::new(throttle) }
    }
}
