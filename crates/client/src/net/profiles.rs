//! Profiles, names, search.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use parlor_types::{Id as _, UserId, Username};
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::{
    BatchGetProfilesRequest, GetProfileRequest, Profile, SearchUsersRequest, SearchUsersResponse,
    UpdateProfileRequest,
};

use super::Client;
use super::session::Access;
use crate::error::Error;

/// A profile is asked for again after this.
const FRESH_FOR: Duration = Duration::from_secs(3600);
/// Profiles in one call.
const BATCH: usize = 200;

impl Client {
    /// One's own profile.
    ///
    /// # Errors
    /// As `ProfileService.GetProfile`.
    pub async fn own_profile(&self) -> Result<Profile, Error> {
        self.get_profile(None).await
    }

    /// A user's profile, fresh from the server.
    ///
    /// # Errors
    /// As `ProfileService.GetProfile`.
    pub async fn profile(&self, user: UserId) -> Result<Profile, Error> {
        self.get_profile(Some(User::UserId(user.to_string()))).await
    }

    /// Who bears a user name: as saved, or else from the server.
    ///
    /// # Errors
    /// As `ProfileService.GetProfile`.
    pub async fn user_named(&self, username: &Username) -> Result<UserId, Error> {
        let name = username.as_str().to_owned();
        let known = self.stored(move |store| store.profile_named(&name)).await?;
        let profile = match known {
            Some((profile, asked_at)) if is_fresh(asked_at) => profile,
            known => {
                let asked = self.get_profile(Some(User::Username(username.as_str().to_owned()))).await;
                match (asked, known) {
                    (Err(Error::Unreachable(_)), Some((profile, _))) => profile,
                    (asked, _) => asked?,
                }
            }
        };
        UserId::parse(&profile.user_id).ok_or(Error::Answer("a user id"))
    }

    async fn get_profile(&self, user: Option<User>) -> Result<Profile, Error> {
        let request = GetProfileRequest { user };
        let call =
            async |access: Access| access.profiles().get_profile(access.request(request.clone())).await;
        let profile = self.session.call(call).await?.profile.ok_or(Error::Answer("a profile"))?;
        self.keep(vec![profile.clone()]).await?;
        Ok(profile)
    }

    /// Profiles of `users`, as far as they are saved or can be asked for; saved ones are good for an hour, and longer
    /// while the server cannot be asked.
    ///
    /// # Errors
    /// [`Error::Store`] alone: a name that is not to be had is left out.
    pub async fn profiles(&self, users: &[UserId]) -> Result<HashMap<UserId, Profile>, Error> {
        let wanted = users.to_vec();
        let saved = self
            .stored(move |store| {
                wanted.into_iter().map(|user| Ok((user, store.profile(user)?))).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let stale: Vec<_> = saved
            .iter()
            .filter(|(_, saved)| saved.as_ref().is_none_or(|(_, asked_at)| !is_fresh(*asked_at)))
            .map(|(user, _)| *user)
            .collect();
        let mut found: HashMap<_, _> =
            saved.into_iter().filter_map(|(user, saved)| Some((user, saved?.0))).collect();
        for batch in stale.chunks(BATCH) {
            match self.batch_get(batch).await {
                Ok(profiles) => {
                    self.keep(profiles.clone()).await?;
                    let by_id = profiles.into_iter().filter_map(|p| Some((UserId::parse(&p.user_id)?, p)));
                    found.extend(by_id);
                }
                Err(error @ Error::Store(_)) => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, "profiles could not be asked for");
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn batch_get(&self, users: &[UserId]) -> Result<Vec<Profile>, Error> {
        let request = BatchGetProfilesRequest { user_ids: users.iter().map(ToString::to_string).collect() };
        let call = async |access: Access| {
            access.profiles().batch_get_profiles(access.request(request.clone())).await
        };
        Ok(self.session.call_once(call).await?.profiles)
    }

    /// Changes one's own profile; `None` leaves as it is.
    ///
    /// # Errors
    /// As `ProfileService.UpdateProfile`.
    pub async fn update_profile(
        &self,
        display_name: Option<String>,
        bio: Option<String>,
    ) -> Result<Profile, Error> {
        let request = UpdateProfileRequest { display_name, bio, avatar_id: None };
        let call =
            async |access: Access| access.profiles().update_profile(access.request(request.clone())).await;
        let profile = self.session.call(call).await?.profile.ok_or(Error::Answer("a profile"))?;
        self.keep(vec![profile.clone()]).await?;
        Ok(profile)
    }

    /// People whose user name or display name begins with `prefix`: one page, and the token of the next (empty at the
    /// end).
    ///
    /// # Errors
    /// As `ProfileService.SearchUsers`.
    pub async fn search(&self, prefix: &str, page_token: &str) -> Result<SearchUsersResponse, Error> {
        let request =
            SearchUsersRequest { prefix: prefix.to_owned(), page_size: 0, page_token: page_token.to_owned() };
        let call =
            async |access: Access| access.profiles().search_users(access.request(request.clone())).await;
        let found = self.session.call(call).await?;
        self.keep(found.profiles.clone()).await?;
        Ok(found)
    }

    pub(super) async fn keep(&self, profiles: Vec<Profile>) -> Result<(), Error> {
        self.stored(move |store| store.keep_profiles(&profiles, SystemTime::now())).await
    }
}

/// A time in the future is a clock that was set back.
fn is_fresh(asked_at: SystemTime) -> bool {
    SystemTime::now().duration_since(asked_at).is_ok_and(|age| age < FRESH_FOR)
}
