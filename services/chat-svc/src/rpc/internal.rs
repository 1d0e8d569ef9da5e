//! `parlor.internal.chat.v1.ChatInternalService`.

use parlor_types::{UserId, limits};
use parlor_wire::errors::v1::Problem;
use parlor_wire::internal::chat::v1 as wire;
use parlor_wire::internal::chat::v1::chat_internal_service_server::ChatInternalService;
use parlor_wire::{Invalid, id};
use tonic::{Request, Response, Status};

use super::answer;
use crate::edge;
use crate::people::{People, Visibility};

/// See the module.
#[derive(Clone)]
pub(crate) struct InternalRpc {
    people: People,
}

impl InternalRpc {
    pub(crate) fn new(people: People) -> Self {
        Self { people }
    }

    async fn visibilities(
        &self,
        request: &wire::CheckVisibilityRequest,
    ) -> Result<wire::CheckVisibilityResponse, Problem> {
        let viewer = id("viewer_id", &request.viewer_id)?;
        if request.user_ids.is_empty() || request.user_ids.len() > limits::MAX_USERS_PER_QUESTION {
            let rule = format!("must be 1 to {}", limits::MAX_USERS_PER_QUESTION);
            return Err(Invalid::field("user_ids", rule).into());
        }
        let parse = |(index, text): (usize, &String)| id(&format!("user_ids[{index}]"), text);
        let users: Vec<UserId> = request.user_ids.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        let seen = self.people.visibility(viewer, users).await;
        let seen = seen.map_err(|error| edge::read_problem(Some(error)))?;
        let visibility = |(user_id, seen): (&String, &Visibility)| wire::Visibility {
            user_id: user_id.clone(),
            online: seen.online,
            last_seen: seen.last_seen,
        };
        let visibilities = request.user_ids.iter().zip(&seen).map(visibility).collect();
        Ok(wire::CheckVisibilityResponse { visibilities })
    }
}

#[tonic::async_trait]
impl ChatInternalService for InternalRpc {
    async fn check_visibility(
        &self,
        request: Request<wire::CheckVisibilityRequest>,
    ) -> Result<Response<wire::CheckVisibilityResponse>, Status> {
        answer(self.visibilities(request.get_ref()).await)
    }

    async fn check_media_access(
        &self,
        _: Request<wire::CheckMediaAccessRequest>,
    ) -> Result<Response<wire::CheckMediaAccessResponse>, Status> {
        // No entry names files yet.
        Ok(Response::new(wire::CheckMediaAccessResponse::default()))
    }

    async fn find_media_references(
        &self,
        _: Request<wire::FindMediaReferencesRequest>,
    ) -> Result<Response<wire::FindMediaReferencesResponse>, Status> {
        Ok(Response::new(wire::FindMediaReferencesResponse::default()))
    }
}
