//! `parlor.internal.auth.v1.AuthInternalService`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt as _};
use parlor_runtime::clock::Clock;
use parlor_types::MediaId;
use parlor_types::limits::{MAX_MEDIA_PER_QUESTION, MAX_USERS_PER_QUESTION};
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalService;
use parlor_wire::internal::auth::v1::*;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::answer::{invalid, refused};
use super::{encode, fields, now};
use crate::profiles::Profiles;
use crate::sessions::RevocationFeed;

/// See the module.
#[derive(Clone)]
pub struct InternalRpc {
    /// Ended sessions.
    pub feed: RevocationFeed,
    /// Who there is.
    pub profiles: Arc<Profiles>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Ends the streams when the service stops.
    pub stop: CancellationToken,
}

/// A follower of the log.
struct Watch {
    feed: RevocationFeed,
    clock: Arc<dyn Clock>,
    cursor: u64,
    greeted: bool,
    /// All that is there has been sent.
    caught_up: bool,
}

impl Watch {
    /// The next answer: at first also an empty one, then only what is new.
    async fn next(mut self) -> Option<(Result<WatchRevocationsResponse, Status>, Self)> {
        loop {
            // Growth is marked as seen before the log is read, so what comes in between is not missed.
            if self.caught_up && !self.feed.grown().await {
                return None;
            }
            let page = match self.feed.after(self.cursor, now(&self.clock).moment).await {
                Ok(page) => page,
                Err(refusal) => return Some((Err(refused(refusal)), self)),
            };
            self.cursor = page.cursor;
            self.caught_up = !page.more;
            if !std::mem::replace(&mut self.greeted, true) || !page.revocations.is_empty() {
                let revocations = page.revocations.iter().map(encode::revocation).collect();
                return Some((Ok(WatchRevocationsResponse { revocations, cursor: page.cursor }), self));
            }
        }
    }
}

#[tonic::async_trait]
impl AuthInternalService for InternalRpc {
    type WatchRevocationsStream =
        Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let watch = Watch {
            feed: self.feed.clone(),
            clock: Arc::clone(&self.clock),
            cursor: request.get_ref().cursor,
            greeted: false,
            caught_up: false,
        };
        let answers = stream::unfold(watch, Watch::next).take_until(self.stop.clone().cancelled_owned());
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_revocations(
        &self,
        request: Request<ListRevocationsRequest>,
    ) -> Result<Response<ListRevocationsResponse>, Status> {
        let page = self.feed.after(request.get_ref().cursor, now(&self.clock).moment).await;
        let page = page.map_err(refused)?;
        let revocations = page.revocations.iter().map(encode::revocation).collect();
        Ok(Response::new(ListRevocationsResponse { revocations, cursor: page.cursor }))
    }

    async fn find_media_references(
        &self,
        request: Request<FindMediaReferencesRequest>,
    ) -> Result<Response<FindMediaReferencesResponse>, Status> {
        let media = fields::ids("media_ids", &request.get_ref().media_ids, MAX_MEDIA_PER_QUESTION);
        let used = self.profiles.used_pictures(media.map_err(invalid)?).await.map_err(refused)?;
        let referenced_ids = used.iter().map(MediaId::to_string).collect();
        Ok(Response::new(FindMediaReferencesResponse { referenced_ids }))
    }

    async fn check_users(
        &self,
        request: Request<CheckUsersRequest>,
    ) -> Result<Response<CheckUsersResponse>, Status> {
        let users =
            fields::ids("user_ids", &request.get_ref().user_ids, MAX_USERS_PER_QUESTION).map_err(invalid)?;
        let profiles = self.profiles.batch(users).await.map_err(refused)?;
        let existing = profiles.iter().map(|profile| profile.user_id.to_string()).collect();
        Ok(Response::new(CheckUsersResponse { existing }))
    }
}
