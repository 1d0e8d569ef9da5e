//! The store on the embedded engine: one SQLite file.

mod accounts;
mod emails;
mod revocations;
mod rows;
mod sessions;

use std::convert::Infallible;
use std::path::Path;

use async_trait::async_trait;
use parlor_embedded::{BackupError, Db, JobError, Migration, OpenError, Options, ReadTx, Tx, WriteError};
use parlor_types::{DeviceId, MediaId, SessionId, UserId, Username};
use tokio::sync::oneshot;

use super::{Change, Created, Error, OnRevoked, RevocationPage, Rule, Store, UserState};
use crate::accounts::Account;
use crate::emails::{EmailAddress, EmailState};
use crate::profiles::Profile;
use crate::sessions::{Lifetimes, Revocation, Session};
use crate::time::Moment;

const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, sql: include_str!("schema.sql") },
    Migration { version: 2, sql: include_str!("schema/2_email.sql") },
    Migration { version: 3, sql: include_str!("schema/3_avatar.sql") },
];

/// Jobs of this store refuse nothing.
type Job<T> = Result<T, JobError<Infallible>>;

/// Accounts and sessions in SQLite.
pub struct SqliteStore {
    db: Db,
    on_revoked: OnRevoked,
}

impl SqliteStore {
    /// Opens or makes the file. Blocks while it does.
    ///
    /// # Errors
    /// The file is in use by another process, newer than this release, or cannot be opened.
    pub fn open(options: Options, on_revoked: OnRevoked) -> Result<Self, OpenError> {
        Ok(Self { db: Db::open(options, MIGRATIONS)?, on_revoked })
    }

    /// Writes a complete copy to `path`, which must not exist, while everything goes on.
    ///
    /// # Errors
    /// The path exists, or the copy cannot be made.
    pub async fn backup_to(&self, path: &Path) -> Result<(), BackupError> {
        self.db.backup_to(path).await.map(drop)
    }

    async fn read<T, F>(&self, job: F) -> Result<T, Error>
    where
        F: FnOnce(&ReadTx<'_>) -> parlor_embedded::rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        self.db.read(job).await.map_err(Error::from)
    }

    async fn write<T, F>(&self, job: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Tx<'_>) -> Job<T> + Send + 'static,
        T: Send + 'static,
    {
        self.db.write(job).await.map_err(Error::from)
    }
}

/// Everything a rule is shown, everything it decided, and what ended by it.
fn apply(tx: &Tx<'_>, user: UserId, rule: Rule) -> Job<Vec<Revocation>> {
    let Some(account) = accounts::by_id(tx, user)? else { return Ok(Vec::new()) };
    let state = UserState { account, sessions: sessions::open_of(tx, user)?, email: emails::of(tx, user)? };
    let mut revoked = Vec::new();
    for change in rule(&state) {
        match change {
            Change::PutSession(session) => sessions::put(tx, &session)?,
            Change::EndSession { id, at } => {
                if sessions::end(tx, user, id, at)? {
                    revoked.push(revocations::append(tx, user, id, at)?);
                }
            }
            Change::SetPassword(hash) => accounts::set_password(tx, user, &hash, true)?,
            Change::RenewHash(hash) => accounts::set_password(tx, user, &hash, false)?,
            Change::SetProfile(text, avatar) => accounts::set_profile(tx, user, &text, avatar.as_ref())?,
            Change::PutEmail(state) => emails::put(tx, user, &state)?,
        }
    }
    Ok(revoked)
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_accounts_with(
        &self,
        accounts: Vec<(Account, Option<EmailAddress>)>,
    ) -> Result<Vec<Created>, Error> {
        self.write(move |tx| {
            let create = |(account, address): &(Account, Option<EmailAddress>)| {
                Ok(accounts::create_with(tx, account, address.as_ref())?)
            };
            accounts.iter().map(create).collect()
        })
        .await
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, Error> {
        self.read(move |tx| accounts::by_id(tx, user)).await
    }

    async fn account_by_name(&self, username: &Username) -> Result<Option<Account>, Error> {
        let username = username.clone();
        self.read(move |tx| accounts::by_name(tx, &username)).await
    }

    async fn profiles(&self, users: Vec<UserId>) -> Result<Vec<Profile>, Error> {
        self.read(move |tx| accounts::profiles(tx, &users)).await
    }

    async fn search(
        &self,
        prefix: String,
        after: Option<Username>,
        limit: usize,
    ) -> Result<Vec<Profile>, Error> {
        self.read(move |tx| accounts::search(tx, &prefix, after.as_ref(), limit)).await
    }

    async fn used_avatars(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, Error> {
        self.read(move |tx| accounts::used_avatars(tx, media)).await
    }

    async fn email(&self, user: UserId) -> Result<EmailState, Error> {
        self.read(move |tx| emails::of(tx, user)).await
    }

    async fn profile_by_email(&self, address: &EmailAddress) -> Result<Option<Profile>, Error> {
        let compared = address.compared().to_owned();
        self.read(move |tx| emails::profile(tx, &compared)).await
    }

    async fn forget_unproved(&self, expired_before: Moment) -> Result<(), Error> {
        self.write(move |tx| Ok(emails::forget_unproved(tx, expired_before)?)).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        self.read(move |tx| sessions::by_id(tx, id)).await
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        self.read(move |tx| sessions::open_of(tx, user)).await
    }

    async fn knows_device(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        self.read(move |tx| sessions::knows_device(tx, user, device)).await
    }

    async fn update(&self, user: UserId, rule: Rule) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let on_revoked = OnRevoked::clone(&self.on_revoked);
        let done = move |result: Result<Vec<Revocation>, WriteError<Infallible>>| {
            if let Ok(revoked) = &result {
                revoked.iter().for_each(|revocation| on_revoked(revocation));
            }
            drop(answer.send(result.map(drop)));
        };
        self.db.submit(move |tx| apply(tx, user, rule), done)?;
        answered.await.map_err(|_| Error::Stopped)?.map_err(Error::from)
    }

    async fn expired_sessions(
        &self,
        lifetimes: Lifetimes,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<(UserId, SessionId)>, Error> {
        self.read(move |tx| sessions::expired(tx, lifetimes, now, limit)).await
    }

    async fn revocations(&self, after: u64, since: Moment, limit: usize) -> Result<RevocationPage, Error> {
        self.read(move |tx| revocations::page(tx, after, since, limit)).await
    }

    async fn prune(&self, revocations: Moment, sessions: Moment) -> Result<(), Error> {
        self.write(move |tx| {
            revocations::prune(tx, revocations)?;
            Ok(sessions::prune(tx, sessions)?)
        })
        .await
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        self.read(|tx| accounts::none(tx)).await
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("db", &self.db).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
