//! Accounts that come with ready hashes, from another system.

use parlor_types::{DisplayName, UserId, Username};

use super::{Account, Accounts, Credential, PasswordHash};
use crate::emails::EmailAddress;
use crate::profiles::ProfileText;
use crate::refusal::Refusal;
use crate::store::Created;
use crate::time::Moment;

/// Accounts in one transaction.
const BATCH: usize = 1000;

/// A person to import.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// Kept, if the other system has ids of this form.
    pub user_id: Option<UserId>,
    /// The user name.
    pub username: Username,
    /// How the user wants to be called; none means by user name.
    pub display_name: Option<DisplayName>,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The user's address, if the other system has proved that it is theirs. Nobody finds them by it until they say so.
    pub email: Option<EmailAddress>,
}

/// What became of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The account is there.
    Imported(UserId),
    /// The user name, the id or the address belongs to an account that was there before; nothing was changed.
    Taken,
}

impl Accounts {
    /// Makes the accounts, in batches; answers for each of `users` in their order. Importing again changes nothing.
    ///
    /// # Errors
    /// `StorageFull`, `Overloaded`, `Unavailable`: the batches before the failing one stay.
    pub async fn import(&self, users: Vec<ImportedUser>, now: Moment) -> Result<Vec<ImportOutcome>, Refusal> {
        let mut outcomes = Vec::with_capacity(users.len());
        let mut users = users
            .into_iter()
            .map(|mut user| {
                let email = user.email.take();
                (account(user, now), email)
            })
            .peekable();
        while users.peek().is_some() {
            let batch: Vec<_> = users.by_ref().take(BATCH).collect();
            let ids: Vec<_> = batch.iter().map(|(account, _)| account.user_id).collect();
            let created = self.store.create_accounts_with(batch).await?;
            outcomes.extend(ids.into_iter().zip(created).map(|(id, created)| match created {
                Created::Made => ImportOutcome::Imported(id),
                Created::Taken => ImportOutcome::Taken,
            }));
        }
        Ok(outcomes)
    }
}

fn account(user: ImportedUser, now: Moment) -> Account {
    let name = user.display_name.as_ref().map_or(user.username.as_str(), DisplayName::as_str).to_owned();
    Account {
        user_id: user.user_id.unwrap_or_else(UserId::new),
        username: user.username,
        credential: Credential::Password(user.password),
        credential_version: 1,
        registered_with: None,
        created_at: now,
        text: ProfileText { display_name: name, bio: String::new() },
        avatar: None,
        profile_version: 1,
    }
}
