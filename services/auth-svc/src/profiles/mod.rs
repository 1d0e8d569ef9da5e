//! What others see of an account, and finding people.

mod search;

use std::fmt;
use std::sync::Arc;

use parlor_types::limits::MAX_BIO;
use parlor_types::{DisplayName, UserId, Username, has_control};

use crate::accounts::AccountKind;
use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::store::{Change, Store};

pub use search::{Found, PageSize, Prefix, fold};

/// What the owner of an account says of themselves. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ProfileText {
    /// How the user wants to be called.
    pub display_name: String,
    /// A few words.
    pub bio: String,
}

impl fmt::Debug for ProfileText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[profile]")
    }
}

/// What others see of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub user_id: UserId,
    /// The user name.
    pub username: Username,
    /// Person or service.
    pub kind: AccountKind,
    /// Names and words.
    pub text: ProfileText,
    /// Grows with each change of `text`, from 1.
    pub version: u64,
}

/// Words about oneself: up to 300 characters, no control characters but line feed and tab.
#[derive(Clone)]
pub struct Bio(String);

/// Why a text is no [`Bio`]: the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {MAX_BIO} characters, without control characters but line feed and tab")]
pub struct InvalidBio;

impl Bio {
    /// Validates.
    ///
    /// # Errors
    /// It is too long or has control characters.
    pub fn new(text: &str) -> Result<Self, InvalidBio> {
        let fits = text.chars().count() <= MAX_BIO && !has_control(text);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidBio)
    }
}

impl fmt::Debug for Bio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[bio]")
    }
}

/// A change of one's profile; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The new display name.
    pub display_name: Option<DisplayName>,
    /// The new words.
    pub bio: Option<Bio>,
}

impl ProfileChange {
    fn apply(self, text: &ProfileText) -> ProfileText {
        ProfileText {
            display_name: self
                .display_name
                .map_or_else(|| text.display_name.clone(), |name| name.as_str().to_owned()),
            bio: self.bio.map_or_else(|| text.bio.clone(), |bio| bio.0),
        }
    }
}

/// All profiles.
#[derive(Debug)]
pub struct Profiles {
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
}

impl Profiles {
    /// Over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, sessions: Arc<Sessions>) -> Self {
        Self { store, sessions }
    }

    /// The profile of a user.
    ///
    /// # Errors
    /// `UserNotFound`.
    pub async fn by_id(&self, user: UserId) -> Result<Profile, Refusal> {
        self.store.account(user).await?.map(Profile::from).ok_or(Refusal::UserNotFound)
    }

    /// The profile of the user with this name.
    ///
    /// # Errors
    /// `UserNotFound`.
    pub async fn by_name(&self, username: &Username) -> Result<Profile, Refusal> {
        self.store.account_by_name(username).await?.map(Profile::from).ok_or(Refusal::UserNotFound)
    }

    /// The profiles of those of `users` that there are, in their order.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`.
    pub async fn batch(&self, users: Vec<UserId>) -> Result<Vec<Profile>, Refusal> {
        Ok(self.store.profiles(users).await?)
    }

    /// Changes a profile. A change that changes nothing, such as a retry, leaves the version as it is.
    ///
    /// # Errors
    /// `UserNotFound`, `StorageFull`.
    pub async fn change(&self, user: UserId, change: ProfileChange) -> Result<Profile, Refusal> {
        let changed = self.sessions.update(user, move |state| {
            let mut account = state.account.clone();
            let text = change.apply(&account.text);
            if text == account.text {
                return (account, Vec::new());
            }
            account.text = text.clone();
            account.profile_version += 1;
            (account, vec![Change::SetProfile(text)])
        });
        changed.await?.map(Profile::from).ok_or(Refusal::UserNotFound)
    }

    /// People whose user name or display name begins with `prefix`, by user name. Internal service accounts are not
    /// people anybody looks for.
    ///
    /// # Errors
    /// `PageTokenInvalid`.
    pub async fn search(&self, prefix: &Prefix, size: PageSize, token: &str) -> Result<Found, Refusal> {
        let after = prefix.read_token(token)?;
        let mut profiles = self.store.search(prefix.folded().to_owned(), after, size.get() + 1).await?;
        let more = profiles.len() > size.get();
        profiles.truncate(size.get());
        let last = profiles.last().filter(|_| more);
        let next = last.map(|profile| prefix.token_after(&profile.username)).unwrap_or_default();
        Ok(Found { profiles, next })
    }
}

impl From<crate::accounts::Account> for Profile {
    fn from(account: crate::accounts::Account) -> Self {
        Self {
            kind: account.kind(),
            user_id: account.user_id,
            username: account.username,
            text: account.text,
            version: account.profile_version,
        }
    }
}
