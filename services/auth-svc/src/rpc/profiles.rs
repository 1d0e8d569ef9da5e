//! `parlor.auth.v1.ProfileService`.

use std::sync::Arc;

use parlor_grpc_kit::caller;
use parlor_types::limits::MAX_USERS_PER_QUESTION;
use parlor_wire::auth::v1::get_profile_request::User;
use parlor_wire::auth::v1::profile_service_server::ProfileService;
use parlor_wire::auth::v1::*;
use parlor_wire::{Invalid, id};
use tonic::{Request, Response, Status};

use super::answer::{invalid, refused};
use super::{encode, fields};
use crate::profiles::{PageSize, Prefix, Profiles};

/// See the module.
#[derive(Clone)]
pub struct ProfileRpc {
    /// Profiles.
    pub profiles: Arc<Profiles>,
}

#[tonic::async_trait]
impl ProfileService for ProfileRpc {
    async fn get_profile(
        &self,
        request: Request<GetProfileRequest>,
    ) -> Result<Response<GetProfileResponse>, Status> {
        let caller = caller(&request)?;
        let profile = match request.into_inner().user {
            None => self.profiles.by_id(caller.user_id).await,
            Some(User::UserId(text)) => self.profiles.by_id(id("user_id", &text).map_err(invalid)?).await,
            Some(User::Username(text)) => {
                self.profiles.by_name(&fields::username("username", &text).map_err(invalid)?).await
            }
        };
        let profile = encode::profile(profile.map_err(refused)?);
        Ok(Response::new(GetProfileResponse { profile: Some(profile) }))
    }

    async fn batch_get_profiles(
        &self,
        request: Request<BatchGetProfilesRequest>,
    ) -> Result<Response<BatchGetProfilesResponse>, Status> {
        let users =
            fields::ids("user_ids", &request.get_ref().user_ids, MAX_USERS_PER_QUESTION).map_err(invalid)?;
        let profiles = self.profiles.batch(users).await.map_err(refused)?;
        let profiles = profiles.into_iter().map(encode::profile).collect();
        Ok(Response::new(BatchGetProfilesResponse { profiles }))
    }

    async fn update_profile(
        &self,
        request: Request<UpdateProfileRequest>,
    ) -> Result<Response<UpdateProfileResponse>, Status> {
        let caller = caller(&request)?;
        let change = fields::profile_change(request.get_ref()).map_err(invalid)?;
        let profile = self.profiles.change(caller.user_id, change).await.map_err(refused)?;
        Ok(Response::new(UpdateProfileResponse { profile: Some(encode::profile(profile)) }))
    }

    async fn search_users(
        &self,
        request: Request<SearchUsersRequest>,
    ) -> Result<Response<SearchUsersResponse>, Status> {
        let request = request.into_inner();
        let prefix = Prefix::new(&request.prefix);
        let prefix = prefix.map_err(|rule| invalid(Invalid::field("prefix", rule.to_string())))?;
        let size = PageSize::new(request.page_size);
        let found = self.profiles.search(&prefix, size, &request.page_token).await.map_err(refused)?;
        let profiles = found.profiles.into_iter().map(encode::profile).collect();
        Ok(Response::new(SearchUsersResponse { profiles, next_page_token: found.next }))
    }
}
