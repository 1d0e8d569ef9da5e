//! What others see of an account, and finding people.

mod avatar;
mod search;

use std::fmt;
use std::sync::Arc;

use parlor_types::limits::MAX_BIO;
use parlor_types::{DisplayName, MediaId, UserId, Username, has_control};

use crate::accounts::{Account, AccountKind};
use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::store::{Change, Store};

pub use avatar::{Avatar, Pictures, RemotePictures};
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
    /// Their picture.
    pub avatar: Option<Avatar>,
    /// Grows with each change of `text` and `avatar`, from 1.
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
    /// The new picture: an upload of the user's.
    pub avatar: Option<AvatarChange>,
}

/// A change of one's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AvatarChange {
    /// This one.
    Set(MediaId),
    /// None any more.
    Remove,
}

impl ProfileChange {
    fn apply(&self, text: &ProfileText) -> ProfileText {
        ProfileText {
            display_name: self
                .display_name
                .as_ref()
                .map_or_else(|| text.display_name.clone(), |name| name.as_str().to_owned()),
            bio: self.bio.as_ref().map_or_else(|| text.bio.clone(), |bio| bio.0.clone()),
        }
    }
}

/// All profiles.
#[derive(Debug)]
pub struct Profiles {
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
    pictures: Arc<dyn Pictures>,
}

impl Profiles {
    /// Over `store`, with pictures from `pictures`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, sessions: Arc<Sessions>, pictures: Arc<dyn Pictures>) -> Self {
        Self { store, sessions, pictures }
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
    /// `UserNotFound`, `StorageFull`; of a new picture `MediaNotFound`, `MediaRefused`, `MediaMismatch`, `MediaUnavailable`.
    pub async fn change(&self, user: UserId, change: ProfileChange) -> Result<Profile, Refusal> {
        let avatar = self.claimed(user, change.avatar).await?;
        let changed = self.sessions.update(user, move |state| {
            let before = &state.account;
            let text = change.apply(&before.text);
            let avatar = avatar.unwrap_or_else(|| before.avatar.clone());
            if text == before.text && avatar == before.avatar {
                return ((before.clone(), None), Vec::new());
            }
            let released = before.avatar.as_ref().map(Avatar::id);
            let released = released.filter(|old| avatar.as_ref().is_none_or(|new| new.id() != *old));
            let version = before.profile_version + 1;
            let set = Change::SetProfile(text.clone(), avatar.clone());
            let after = Account { text, avatar, profile_version: version, ..before.clone() };
            ((after, released), vec![set])
        });
        let (account, released) = changed.await?.ok_or(Refusal::UserNotFound)?;
        if let Some(picture) = released {
            self.pictures.release(user, picture);
        }
        Ok(account.into())
    }

    /// The picture that the profile gets, if it gets another or none. One that it has already is not claimed again: a retry,
    /// or a whole form sent as it was filled in, needs no media-svc.
    async fn claimed(
        &self,
        user: UserId,
        change: Option<AvatarChange>,
    ) -> Result<Option<Option<Avatar>>, Refusal> {
        let picture = match change {
            None => return Ok(None),
            Some(AvatarChange::Remove) => return Ok(Some(None)),
            Some(AvatarChange::Set(picture)) => picture,
        };
        let present = self.by_id(user).await?.avatar;
        if present.is_some_and(|present| present.id() == picture) {
            return Ok(None);
        }
        self.pictures.claim(user, picture).await.map(|avatar| Some(Some(avatar)))
    }

    /// Those of these files that are the picture of some profile.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`.
    pub async fn used_pictures(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, Refusal> {
        Ok(self.store.used_avatars(media).await?)
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

impl From<Account> for Profile {
    fn from(account: Account) -> Self {
        Self {
            kind: account.kind(),
            user_id: account.user_id,
            username: account.username,
            text: account.text,
            avatar: account.avatar,
            version: account.profile_version,
        }
    }
}
