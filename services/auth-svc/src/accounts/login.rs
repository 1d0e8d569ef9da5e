//! Log-in with a password.

use std::net::IpAddr;

use parlor_types::Username;

use super::{Account, Accounts, Attempt, Password, PasswordHash};
use crate::refusal::Refusal;
use crate::sessions::{Credentials, Device};
use crate::store::Change;
use crate::time::Now;

/// A log-in.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who.
    pub username: Username,
    /// Their password.
    pub password: Password,
    /// The device that gets the session.
    pub device: Device,
    /// Where from; none inside the process.
    pub address: Option<IpAddr>,
}

impl Accounts {
    /// Opens the device's session, or renews the one it has.
    ///
    /// # Errors
    /// `CredentialsInvalid`, `RateLimited`, `Overloaded`.
    pub async fn login(&self, login: Login, now: Now) -> Result<Credentials, Refusal> {
        let account = self.store.account_by_name(&login.username).await?;
        let known = match &account {
            Some(account) => self.store.knows_device(account.user_id, login.device.id).await?,
            None => false,
        };
        let attempt =
            Attempt { account: (!known).then_some(login.username.as_str()), address: login.address };
        self.throttle.attempt(attempt, now.instant).map_err(Refusal::RateLimited)?;
        let hash = account.as_ref().and_then(Account::password_hash);
        let right = self.passwords.verify(login.password.clone(), hash.clone()).await?;
        let (Some(account), Some(hash), true) = (account, hash, right) else {
            return Err(Refusal::CredentialsInvalid);
        };
        self.throttle.succeeded(attempt);
        self.renew_hash(&account, login.password, hash).await;
        self.sessions.open(&account, login.device, now.moment).await
    }

    /// Hashes the password anew if the configured cost has changed. The log-in does not depend on it.
    async fn renew_hash(&self, account: &Account, password: Password, old: PasswordHash) {
        let renewed = match self.passwords.renew(password, &old).await {
            Ok(Some(hash)) => hash,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(user_id = %account.user_id, %error, "the password hash could not be renewed");
                return;
            }
        };
        let outcome = self.sessions.update(account.user_id, move |state| {
            let unchanged = state.account.password_hash() == Some(old);
            ((), if unchanged { vec![Change::RenewHash(renewed)] } else { Vec::new() })
        });
        if let Err(error) = outcome.await {
            tracing::warn!(user_id = %account.user_id, %error, "the renewed password hash could not be stored");
        }
    }
}
