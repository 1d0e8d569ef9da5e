//! Changing one's password, which ends all other sessions.

use std::net::IpAddr;

use parlor_types::{SessionId, UserId};

use super::{Account, Accounts, Attempt, Password};
use crate::refusal::Refusal;
use crate::sessions::end_others;
use crate::store::Change;
use crate::time::{Moment, Now};

/// A change of password.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Who.
    pub user_id: UserId,
    /// The session that asks, and stays.
    pub session_id: SessionId,
    /// The present password.
    pub current: Password,
    /// The one wanted.
    pub new: Password,
    /// Where from; none inside the process.
    pub address: Option<IpAddr>,
}

impl Accounts {
    /// Sets the new password and ends the other sessions; answers how many. If the new password is set already, which
    /// is how a retry finds it, that counts as done.
    ///
    /// # Errors
    /// `CredentialsInvalid`, `PasswordWeak`, `RateLimited`, `Overloaded`, `StorageFull`.
    pub async fn change_password(&self, change: PasswordChange, now: Now) -> Result<usize, Refusal> {
        let account = self.store.account(change.user_id).await?.ok_or(Refusal::CredentialsInvalid)?;
        // Counted apart from log-ins, so that strangers who guess do not keep the owner from changing it.
        let user_id = change.user_id.to_string();
        let attempt = Attempt { account: Some(&user_id), address: change.address };
        self.throttle.attempt(attempt, now.instant).map_err(Refusal::RateLimited)?;
        let hash = account.password_hash();
        if !self.passwords.verify(change.current.clone(), hash.clone()).await? {
            if !self.passwords.verify(change.new, hash).await? {
                return Err(Refusal::CredentialsInvalid);
            }
            self.throttle.succeeded(attempt);
            return self.finish(&account, change.session_id, Vec::new(), now.moment).await;
        }
        self.throttle.succeeded(attempt);
        let known = vec![account.username.as_str().to_owned(), account.text.display_name.clone()];
        let hash = self.passwords.create(change.new, known).await?;
        self.finish(&account, change.session_id, vec![Change::SetPassword(hash)], now.moment).await
    }

    /// Applies `changes` and ends the other sessions, unless the password was changed since `account` was read.
    async fn finish(
        &self,
        account: &Account,
        stays: SessionId,
        changes: Vec<Change>,
        now: Moment,
    ) -> Result<usize, Refusal> {
        let version = account.credential_version;
        let ended = self.sessions.update(account.user_id, move |state| {
            if state.account.credential_version != version {
                return (Err(Refusal::CredentialsInvalid), Vec::new());
            }
            let mut all = end_others(&state.sessions, stays, now);
            let ended = all.len();
            all.extend(changes);
            (Ok(ended), all)
        });
        ended.await?.ok_or(Refusal::CredentialsInvalid)?
    }
}
