//! What is kept, in words of the domain.
//!
//! All that concerns one user changes through [`Store::update`]: the rule sees the user's state and answers changes,
//! in one transaction. Accounts, sessions, and the log of ended sessions survive any crash once a call has answered
//! (G1).

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod memory;
mod sqlite;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use parlor_types::{DeviceId, MediaId, SessionId, UserId, Username};

use crate::accounts::{Account, PasswordHash};
use crate::emails::{EmailAddress, EmailState};
use crate::profiles::{Avatar, Profile, ProfileText};
use crate::sessions::{Lifetimes, Revocation, Session};
use crate::time::Moment;

pub use parlor_embedded::StoreError as Error;
pub use sqlite::SqliteStore;

/// What is stored of one user, as a rule sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserState {
    /// The account.
    pub account: Account,
    /// Sessions that were not ended, expired ones included, by id.
    pub sessions: Vec<Session>,
    /// The e-mail address.
    pub email: EmailState,
}

/// What a rule decides to change about its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session of the user, new or changed; not ended. One that is stored as ended stays as it is.
    PutSession(Session),
    /// Ends a session and says so in the log of revocations. One that is not open stays as it is.
    EndSession {
        /// Which.
        id: SessionId,
        /// When.
        at: Moment,
    },
    /// Another password: the version of the credential grows.
    SetPassword(PasswordHash),
    /// The same password, hashed anew.
    RenewHash(PasswordHash),
    /// Another profile: its version grows.
    SetProfile(ProfileText, Option<Avatar>),
    /// Another state of the e-mail address. Whoever else has the proved one loses it, and keeps the rest of theirs.
    PutEmail(EmailState),
}

/// What a rule is to [`Store::update`]. It runs inside the transaction, so it is quick and does nothing but decide.
pub type Rule = Box<dyn FnOnce(&UserState) -> Vec<Change> + Send>;

/// What became of an account to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there.
    Made,
    /// Its user name or id was taken, or its address is somebody's; nothing was changed.
    Taken,
}

/// Part of the log of revocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationPage {
    /// In order.
    pub revocations: Vec<Revocation>,
    /// The newest `seq` there ever was in this store, 0 before the first.
    pub newest: u64,
}

/// Told of each ended session after it is durable and before the call that ended it answers, in the order of `seq`,
/// also when that call's caller has gone. Quick, and does not panic.
pub type OnRevoked = Arc<dyn Fn(&Revocation) + Send + Sync>;

/// The store. Implementations agree on everything said here; `conformance.rs` checks it.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Adds accounts in one transaction; answers for each in order.
    async fn create_accounts(&self, accounts: Vec<Account>) -> Result<Vec<Created>, Error> {
        self.create_accounts_with(accounts.into_iter().map(|account| (account, None)).collect()).await
    }

    /// Adds accounts, some with an address that counts as proved, in one transaction; answers for each in order.
    async fn create_accounts_with(
        &self,
        accounts: Vec<(Account, Option<EmailAddress>)>,
    ) -> Result<Vec<Created>, Error>;

    /// The account of a user.
    async fn account(&self, user: UserId) -> Result<Option<Account>, Error>;

    /// The account with this user name.
    async fn account_by_name(&self, username: &Username) -> Result<Option<Account>, Error>;

    /// The profiles of those of `users` that there are, in their order.
    async fn profiles(&self, users: Vec<UserId>) -> Result<Vec<Profile>, Error>;

    /// Up to `limit` profiles whose user name or folded display name begins with `prefix`, by user name, from after
    /// `after` on; no internal service accounts.
    async fn search(
        &self,
        prefix: String,
        after: Option<Username>,
        limit: usize,
    ) -> Result<Vec<Profile>, Error>;

    /// Those of these files that are the picture of some profile, in the order asked for.
    async fn used_avatars(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, Error>;

    /// The e-mail address of a user; the default if there is none.
    async fn email(&self, user: UserId) -> Result<EmailState, Error>;

    /// The profile of the user who has proved this address and may be found by it. One who may not be found costs the
    /// same work as nobody.
    async fn profile_by_email(&self, address: &EmailAddress) -> Result<Option<Profile>, Error>;

    /// Forgets the addresses that wait for a code which expired before this moment.
    async fn forget_unproved(&self, expired_before: Moment) -> Result<(), Error>;

    /// A session, also one that has ended.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, Error>;

    /// The sessions of a user that were not ended, expired ones included, by id.
    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error>;

    /// Whether the device has or had a session of the user, as far back as sessions are kept.
    async fn knows_device(&self, user: UserId, device: DeviceId) -> Result<bool, Error>;

    /// Applies what `rule` decides, all or nothing. If there is no such user the rule is not asked.
    async fn update(&self, user: UserId, rule: Rule) -> Result<(), Error>;

    /// Up to `limit` sessions that have expired and were not ended, with their users, by id.
    async fn expired_sessions(
        &self,
        lifetimes: Lifetimes,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<(UserId, SessionId)>, Error>;

    /// Up to `limit` revocations with a `seq` above `after` that are not older than `since`.
    async fn revocations(&self, after: u64, since: Moment, limit: usize) -> Result<RevocationPage, Error>;

    /// Forgets revocations, and ended sessions, from before these moments. `seq` goes on where it was.
    async fn prune(&self, revocations: Moment, sessions: Moment) -> Result<(), Error>;

    /// Whether there are no accounts.
    async fn is_empty(&self) -> Result<bool, Error>;
}
