//! The layer in front of a service: it lets through what the [`Policy`] allows, and says who is calling.
//!
//! In order: the method must have a row; its limit per address; its access token; its limit per caller; how much of its
//! sender is on its way already; and the size of each message, before any of it is buffered. A refusal is a gRPC answer with details. Handlers behind it find
//! the [`Caller`](crate::Caller) with [`caller`](crate::caller()).

mod arriving;
mod frames;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use parlor_runtime::clock::Clock;
use parlor_types::UserId;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::{problem_status, status};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};
use tower::layer::layer_fn;
use tower::{Service, ServiceExt as _};

use crate::address::Source;
use crate::caller::Caller;
use crate::policy::{Auth, Limit, Method, Policy};
use crate::problem::{problem, problem_after};
use crate::token::{Audience, Verifier};
use arriving::{Arriving, Room, Sender};
use parlor_runtime::limiter::{Limiter, Rate};

/// Buckets that a guard remembers at once, in all its limiters together; about 100 bytes each.
const BUCKETS: usize = 65_536;

/// See the module.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Inner>);

struct Inner {
    policy: Policy,
    verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
    callers: Limiter<(usize, UserId)>,
    addresses: Limiter<(usize, Source)>,
    arriving: Arriving,
}

impl Guard {
    /// A guard by `policy`. Its limits start fresh.
    #[must_use]
    pub fn new(policy: Policy, verifier: Arc<Verifier>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            policy,
            verifier,
            clock,
            callers: Limiter::new(BUCKETS / 2),
            addresses: Limiter::new(BUCKETS / 2),
            arriving: Arriving::new(arriving::OF_ONE, arriving::OF_ALL),
        }))
    }

    /// `routes` behind this guard.
    #[must_use]
    pub fn protect(&self, routes: Routes) -> Routes {
        let guard = self.clone();
        let layer = layer_fn(move |inner| Guarded { inner, guard: guard.clone() });
        routes.into_axum_router().layer(layer).into()
    }
}

impl Inner {
    /// Lets the request through, changed for the handler, or refuses it.
    async fn admit<B>(&self, mut request: Request<B>) -> Result<Request<Body>, Status>
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<tonic::codegen::StdError>,
    {
        let (row, method) =
            self.policy.get(request.uri().path()).ok_or_else(|| Status::unimplemented("no such method"))?;
        self.limit_address(row, method, &request)?;
        let caller = self.authenticate(method, request.headers()).await.map_err(status_of)?;
        if let Some(caller) = &caller {
            self.limit_caller(row, method, caller)?;
        }
        let most = method.max_request_bytes;
        let is_stream = self.policy.takes_stream(row);
        let room = if is_stream { None } else { self.room(method, caller.as_ref(), &request)? };
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        Ok(request.map(|body| {
            let body = if is_stream { Body::new(body) } else { arriving::in_time(body, room) };
            frames::limited(body, most)
        }))
    }

    /// Room for the request, where its sender is not trusted to end it.
    fn room<B>(
        &self,
        method: &Method,
        caller: Option<&Caller>,
        request: &Request<B>,
    ) -> Result<Option<Room>, Status> {
        let sender = match (method.auth, caller) {
            (Auth::Internal, _) => None,
            (_, Some(caller)) => Some(Sender::Caller(caller.user_id)),
            (_, None) => source(request).map(Sender::Address),
        };
        sender.map(|sender| self.arriving.take(sender, method.max_request_bytes)).transpose()
    }

    async fn authenticate(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
        let audience = match method.auth {
            Auth::None => return Ok(None),
            Auth::Session => Audience::Public,
            Auth::Internal => Audience::Internal,
        };
        self.verifier.verify(bearer(headers)?, audience).await.map(Some)
    }

    fn limit_address<B>(&self, row: usize, method: &Method, request: &Request<B>) -> Result<(), Status> {
        let Limit::PerAddress { burst, per_second } = method.limit else { return Ok(()) };
        let Some(source) = source(request) else { return Ok(()) };
        let rate = Rate { burst, per_second };
        let taken = self.addresses.take((row, source), rate, self.clock.now());
        taken.map_err(too_many)
    }

    fn limit_caller(&self, row: usize, method: &Method, caller: &Caller) -> Result<(), Status> {
        let Limit::PerCaller { burst, per_second } = method.limit else { return Ok(()) };
        let rate = Rate { burst, per_second };
        self.callers.take((row, caller.user_id), rate, self.clock.now()).map_err(too_many)
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Where a request came from; none if from inside the process.
fn source<B>(request: &Request<B>) -> Option<Source> {
    let connection = request.extensions().get::<TcpConnectInfo>();
    connection.and_then(TcpConnectInfo::remote_addr).map(|address| address.ip().into())
}

fn status_of(problem: Problem) -> Status {
    problem_status(&problem)
}

fn too_many(wait: Duration) -> Status {
    status_of(problem_after(ErrorReason::RateLimited, "too many requests", wait))
}

/// The token of `authorization: Bearer <token>`.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers
        .get(AUTHORIZATION)
        .ok_or_else(|| problem(ErrorReason::TokenMissing, "send `authorization: Bearer <access token>`"))?;
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(problem(ErrorReason::TokenInvalid, "not a bearer token"));
    }
    Ok(token)
}

/// A service behind a guard.
#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    guard: Guard,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
    R: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    R::Error: Into<tonic::codegen::StdError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Whether the inner service is ready is asked once the request has been admitted.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { inner, guard } = self.clone();
        Box::pin(async move {
            match guard.0.admit(request).await {
                Ok(request) => Ok(explained(inner.oneshot(request).await?.map(Body::new))),
                Err(refusal) => Ok(refusal.into_http()),
            }
        })
    }
}

/// Gives tonic's own refusal of a message that inflates beyond the decode limit the reason it lacks.
fn explained(response: Response<Body>) -> Response<Body> {
    let Some(found) = Status::from_header_map(response.headers()) else { return response };
    let inflated = found.code() == Code::ResourceExhausted
        && found.message().starts_with("Error decompressing: size limit");
    let oversized = found.code() == Code::OutOfRange || inflated;
    if oversized && found.details().is_empty() {
        return status(ErrorReason::MessageTooLarge, found.message()).into_http();
    }
    response
}

#[cfg(test)]
mod tests;
