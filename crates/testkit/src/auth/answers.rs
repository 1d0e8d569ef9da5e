//! What other services ask of auth-svc.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::{Stream, stream};
use parlor_types::{Id as _, UserId};
use parlor_wire::auth::v1::{GetJwksRequest, GetJwksResponse};
use parlor_wire::codec::Codec;
use parlor_wire::internal::auth::v1::auth_internal_service_server::AuthInternalService;
use parlor_wire::internal::auth::v1::{
    CheckUsersRequest, CheckUsersResponse, ListRevocationsRequest, ListRevocationsResponse, Revocation,
    WatchRevocationsRequest, WatchRevocationsResponse,
};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Code, Request, Response, Status};
use tower::{Service, service_fn};

use super::{TestAuth, lock};

/// Revocations in one answer, at most.
const PAGE: usize = 1000;

/// `parlor.auth.v1.AuthService`, of which other services call GetJwks alone; everything else is UNIMPLEMENTED.
#[derive(Clone)]
pub(super) struct Keys(pub(super) TestAuth);

impl NamedService for Keys {
    const NAME: &'static str = "parlor.auth.v1.AuthService";
}

impl Service<http::Request<Body>> for Keys {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if !request.uri().path().ends_with("/GetJwks") {
            let refusal = Status::new(Code::Unimplemented, "this auth-svc has GetJwks alone");
            return Box::pin(async move { Ok(refusal.into_http()) });
        }
        let keys = vec![self.0.jwk()];
        let get_jwks = service_fn(move |_: Request<GetJwksRequest>| {
            let answer = GetJwksResponse { keys: keys.clone() };
            std::future::ready(Ok::<_, Status>(Response::new(answer)))
        });
        Box::pin(async move { Ok(Grpc::new(Codec::default()).unary(get_jwks, request).await) })
    }
}

impl TestAuth {
    /// At most a page after the cursor, which counts the revocations seen.
    fn revocations_after(&self, cursor: u64) -> (Vec<Revocation>, u64) {
        let revoked = lock(&self.0.revoked);
        let seen = usize::try_from(cursor).unwrap_or(usize::MAX);
        let page = revoked.iter().skip(seen).take(PAGE).map(|caller| Revocation {
            session_id: caller.session_id.to_string(),
            user_id: caller.user_id.to_string(),
            revoked_at: None,
        });
        let page: Vec<_> = page.collect();
        let next = cursor.saturating_add(page.len() as u64);
        (page, next)
    }

    fn is_there(&self) -> Result<(), Status> {
        if self.0.away.load(Ordering::SeqCst) { Err(Status::unavailable("away")) } else { Ok(()) }
    }

    fn exists(&self, id: &str) -> bool {
        UserId::parse(id).is_some_and(|user| !lock(&self.0.forgotten).contains(&user))
    }
}

type Watching = Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

#[async_trait]
impl AuthInternalService for TestAuth {
    type WatchRevocationsStream = Watching;

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Watching>, Status> {
        self.is_there()?;
        let start = (self.clone(), self.0.grew.subscribe(), request.into_inner().cursor);
        let answers = stream::unfold(start, |(auth, mut grew, cursor)| async move {
            let (mut revocations, mut next) = auth.revocations_after(cursor);
            while revocations.is_empty() || auth.0.silent.load(Ordering::SeqCst) {
                grew.changed().await.ok()?;
                (revocations, next) = auth.revocations_after(cursor);
            }
            Some((Ok(WatchRevocationsResponse { revocations, cursor: next }), (auth, grew, next)))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn list_revocations(
        &self,
        request: Request<ListRevocationsRequest>,
    ) -> Result<Response<ListRevocationsResponse>, Status> {
        self.is_there()?;
        let (revocations, cursor) = self.revocations_after(request.into_inner().cursor);
        Ok(Response::new(ListRevocationsResponse { revocations, cursor }))
    }

    async fn find_media_references(
        &self,
        _: Request<parlor_wire::internal::auth::v1::FindMediaReferencesRequest>,
    ) -> Result<Response<parlor_wire::internal::auth::v1::FindMediaReferencesResponse>, Status> {
        // No profile has a picture yet.
        Ok(Response::new(parlor_wire::internal::auth::v1::FindMediaReferencesResponse::default()))
    }

    async fn check_users(
        &self,
        request: Request<CheckUsersRequest>,
    ) -> Result<Response<CheckUsersResponse>, Status> {
        self.is_there()?;
        let existing = request.into_inner().user_ids.into_iter().filter(|id| self.exists(id)).collect();
        Ok(Response::new(CheckUsersResponse { existing }))
    }
}
