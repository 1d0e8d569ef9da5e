//! Accounts of bots and of other services: made by the operator, proved with a secret.

use std::net::IpAddr;

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_types::{UserId, Username};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Account, Accounts, Attempt, Credential};
use crate::profiles::ProfileText;
use crate::refusal::Refusal;
use crate::sessions::{Credentials, Device};
use crate::store::Created;
use crate::time::{Moment, Now};

/// Bytes of a secret: 256 random bits.
const SECRET_BYTES: usize = 32;

/// A service account just made.
#[derive(Debug)]
pub struct NewServiceAccount {
    /// Its id.
    pub user_id: UserId,
    /// Its secret: shown once, not kept.
    pub secret: SecretString,
}

/// A log-in of a service account.
#[derive(Debug)]
pub struct ServiceLogin {
    /// Which account.
    pub user_id: UserId,
    /// Its secret.
    pub secret: SecretString,
    /// The installation; one session each.
    pub device: Device,
    /// Where from; none inside the process.
    pub address: Option<IpAddr>,
}

impl Accounts {
    /// Makes a service account. `internal` ones may call what only services may call.
    ///
    /// # Errors
    /// `UsernameTaken`, `StorageFull`.
    pub async fn create_service_account(
        &self,
        name: Username,
        internal: bool,
        now: Moment,
    ) -> Result<NewServiceAccount, Refusal> {
        let mut secret = [0; SECRET_BYTES];
        rand::fill(&mut secret).map_err(|_| Refusal::Internal("no randomness".to_owned()))?;
        let secret = SecretString::from(URL_SAFE_NO_PAD.encode(secret));
        let account = Account {
            user_id: UserId::new(),
            credential: Credential::Secret { sha256: sha256(&secret), internal },
            credential_version: 1,
            registered_with: None,
            created_at: now,
            text: ProfileText { display_name: name.as_str().to_owned(), bio: String::new() },
            avatar: None,
            profile_version: 1,
            username: name,
        };
        let user_id = account.user_id;
        match self.store.create_accounts(vec![account]).await?.pop() {
            Some(Created::Made) => Ok(NewServiceAccount { user_id, secret }),
            _ => Err(Refusal::UsernameTaken),
        }
    }

    /// Opens a session of a service account, or renews the one the installation has.
    ///
    /// # Errors
    /// `CredentialsInvalid`, `RateLimited`.
    pub async fn login_service(&self, login: ServiceLogin, now: Now) -> Result<Credentials, Refusal> {
        // A secret cannot be guessed, so an account's own count would only help whoever wants to shut it out.
        let attempt = Attempt { account: None, address: login.address };
        self.throttle.attempt(attempt, now.instant).map_err(Refusal::RateLimited)?;
        let account = self.store.account(login.user_id).await?;
        let account = account.filter(|account| has_secret(account, &login.secret));
        let account = account.ok_or(Refusal::CredentialsInvalid)?;
        self.throttle.succeeded(attempt);
        self.sessions.open(&account, login.device, now.moment).await
    }
}

fn has_secret(account: &Account, secret: &SecretString) -> bool {
    match &account.credential {
        Credential::Secret { sha256: stored, .. } => {
            constant_time::verify_slices_are_equal(&sha256(secret), stored).is_ok()
        }
        Credential::Password(_) => false,
    }
}

fn sha256(secret: &SecretString) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, secret.expose_secret().as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
