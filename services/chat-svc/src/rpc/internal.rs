//! `parlor.internal.chat.v1.ChatInternalService`.

use std::sync::Arc;

use parlor_types::{MediaId, UserId, limits};
use parlor_wire::errors::v1::Problem;
use parlor_wire::internal::chat::v1 as wire;
use parlor_wire::internal::chat::v1::chat_internal_service_server::ChatInternalService;
use parlor_wire::{Invalid, id};
use tonic::{Request, Response, Status};

use super::answer;
use crate::edge;
use crate::people::{People, Visibility};
use crate::store::{ReadError, Store};

/// See the module.
#[derive(Clone)]
pub(crate) struct InternalRpc {
    people: People,
    store: Arc<dyn Store>,
}

impl InternalRpc {
    pub(crate) fn new(people: People, store: Arc<dyn Store>) -> Self {
        Self { people, store }
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
        let seen = seen.map_err(edge::read_problem)?;
        let visibility = |(user_id, seen): (&String, &Visibility)| wire::Visibility {
            user_id: user_id.clone(),
            online: seen.online,
            last_seen: seen.last_seen,
        };
        let visibilities = request.user_ids.iter().zip(&seen).map(visibility).collect();
        Ok(wire::CheckVisibilityResponse { visibilities })
    }

    async fn media_access(
        &self,
        request: &wire::CheckMediaAccessRequest,
    ) -> Result<wire::CheckMediaAccessResponse, Problem> {
        let user = id("user_id", &request.user_id)?;
        let readable = self.store.readable_media(user, media_ids(&request.media_ids)?).await;
        Ok(wire::CheckMediaAccessResponse { readable_ids: texts(readable)? })
    }

    async fn media_references(
        &self,
        request: &wire::FindMediaReferencesRequest,
    ) -> Result<wire::FindMediaReferencesResponse, Problem> {
        let referenced = self.store.referenced_media(media_ids(&request.media_ids)?).await;
        Ok(wire::FindMediaReferencesResponse { referenced_ids: texts(referenced)? })
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
        request: Request<wire::CheckMediaAccessRequest>,
    ) -> Result<Response<wire::CheckMediaAccessResponse>, Status> {
        answer(self.media_access(request.get_ref()).await)
    }

    async fn find_media_references(
        &self,
        request: Request<wire::FindMediaReferencesRequest>,
    ) -> Result<Response<wire::FindMediaReferencesResponse>, Status> {
        answer(self.media_references(request.get_ref()).await)
    }
}

fn media_ids(texts: &[String]) -> Result<Vec<MediaId>, Invalid> {
    if texts.is_empty() || texts.len() > limits::MAX_MEDIA_PER_QUESTION {
        return Err(Invalid::field("media_ids", format!("must be 1 to {}", limits::MAX_MEDIA_PER_QUESTION)));
    }
    let parse = |(index, text): (usize, &String)| id(&format!("media_ids[{index}]"), text);
    texts.iter().enumerate().map(parse).collect()
}

fn texts(found: Result<Vec<MediaId>, ReadError>) -> Result<Vec<String>, Problem> {
    let found = found.map_err(edge::read_problem)?;
    Ok(found.iter().map(MediaId::to_string).collect())
}
