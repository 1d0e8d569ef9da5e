//! Registration.

use std::net::IpAddr;

use parlor_types::{DisplayName, Op, UserId, Username};

use super::{Account, Accounts, Credential, Login, Password};
use crate::profiles::ProfileText;
use crate::refusal::Refusal;
use crate::sessions::{Credentials, Device};
use crate::store::Created;
use crate::time::Now;

/// A registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What the client calls it; a retry has the same.
    pub op: Op,
    /// The user name wanted.
    pub username: Username,
    /// The password chosen.
    pub password: Password,
    /// How the user wants to be called; none means by user name.
    pub display_name: Option<DisplayName>,
    /// The device that gets the session.
    pub device: Device,
    /// Where from; none inside the process.
    pub address: Option<IpAddr>,
}

impl Registration {
    fn name(&self) -> &str {
        self.display_name.as_ref().map_or(self.username.as_str(), DisplayName::as_str)
    }

    fn into_login(self) -> Login {
        Login { username: self.username, password: self.password, device: self.device, address: self.address }
    }
}

impl Accounts {
    /// Makes the account and logs in. With the `op` and password of an account that is there already: logs in.
    ///
    /// # Errors
    /// `UsernameTaken`, `PasswordWeak`, `Overloaded`, `StorageFull`; for a retry also `RateLimited`.
    pub async fn register(&self, registration: Registration, now: Now) -> Result<Credentials, Refusal> {
        if let Some(existing) = self.store.account_by_name(&registration.username).await? {
            return self.register_again(registration, &existing, now).await;
        }
        let known = vec![registration.username.as_str().to_owned(), registration.name().to_owned()];
        let hash = self.passwords.create(registration.password.clone(), known).await?;
        let account = Account {
            user_id: UserId::new(),
            username: registration.username.clone(),
            credential: Credential::Password(hash),
            credential_version: 1,
            registered_with: Some(registration.op),
            created_at: now.moment,
            text: ProfileText { display_name: registration.name().to_owned(), bio: String::new() },
            avatar: None,
            profile_version: 1,
        };
        match self.store.create_accounts(vec![account.clone()]).await?.pop() {
            Some(Created::Made) => {
                tracing::info!(user_id = %account.user_id, "account created");
                self.sessions.open(&account, registration.device, now.moment).await
            }
            // Somebody, perhaps an earlier try of this call, was faster.
            _ => match self.store.account_by_name(&registration.username).await? {
                Some(existing) => self.register_again(registration, &existing, now).await,
                None => Err(Refusal::UsernameTaken),
            },
        }
    }

    async fn register_again(
        &self,
        registration: Registration,
        existing: &Account,
        now: Now,
    ) -> Result<Credentials, Refusal> {
        if existing.registered_with != Some(registration.op) {
            return Err(Refusal::UsernameTaken);
        }
        match self.login(registration.into_login(), now).await {
            Err(Refusal::CredentialsInvalid) => Err(Refusal::UsernameTaken),
            outcome => outcome,
        }
    }
}
