//! Plain HTTP beside gRPC, on the same address: everything below a path, such as `/media/`.
//!
//! It is no RPC: no row in the policy table, no access token, HTTP/1.1 and HTTP/2 alike. What it has of the public
//! address are the limits of connections, the allowed origins, and a limit of its own per network address. Who may
//! have what is up to the service behind it.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Either};
use http::{Request, Response, StatusCode, header};
use http_body::Body as HttpBody;
use parlor_runtime::clock::Clock;
use parlor_runtime::limiter::{Limiter, Rate};
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::transport::server::TcpConnectInfo;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt as _};
use tower_http::cors::CorsLayer;

use crate::address::Source;

/// Network addresses that are remembered at once; about 100 bytes each.
const BUCKETS: usize = 32_768;

/// What answers a path.
type Answering = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Everything below one path. Clones share the limit.
#[derive(Clone)]
pub struct Plain {
    prefix: &'static str,
    rate: Rate,
    clock: Arc<dyn Clock>,
    addresses: Arc<Limiter<Source>>,
    service: Answering,
}

impl Plain {
    /// What begins with `prefix` ("/…/") is answered by `service`, for one network address (IPv6: a subnet of 64 bits)
    /// not more often than `rate` says; beyond it 429 is the answer.
    ///
    /// # Panics
    /// `prefix` is no folder, or `rate` lets nothing through.
    #[must_use]
    pub fn new<S, B>(prefix: &'static str, rate: Rate, clock: Arc<dyn Clock>, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        assert!(
            prefix.len() > 1 && prefix.starts_with('/') && prefix.ends_with('/'),
            "{prefix} is no folder"
        );
        assert!(rate.is_valid(), "{prefix} has a limit that lets nothing through");
        let service = BoxCloneSyncService::new(service.map_response(|answer| answer.map(Body::new)));
        Self { prefix, rate, clock, addresses: Arc::new(Limiter::new(BUCKETS)), service }
    }

    /// As it is, for pages of these origins.
    pub(super) fn allowing(self, cors: &CorsLayer) -> Self {
        let service = BoxCloneSyncService::new(cors.layer(self.service.clone()));
        Self { service, ..self }
    }

    /// How long to wait, if it is too often.
    fn limit(&self, request: &Request<Body>) -> Result<(), Duration> {
        let connection = request.extensions().get::<TcpConnectInfo>();
        let Some(address) = connection.and_then(TcpConnectInfo::remote_addr) else { return Ok(()) };
        self.addresses.take(address.ip().into(), self.rate, self.clock.now())
    }

    fn answer(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, Infallible>> {
        match self.limit(&request) {
            Ok(()) => Box::pin(self.service.clone().oneshot(request)),
            Err(wait) => Box::pin(std::future::ready(Ok(too_many(wait)))),
        }
    }
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain")
            .field("prefix", &self.prefix)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

fn too_many(wait: Duration) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    let seconds = http::HeaderValue::try_from(seconds.to_string()).expect("a number is text for a header");
    answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    answer.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    answer
}

/// Takes what is plain out of the way to gRPC.
#[derive(Debug, Clone)]
pub(super) struct PlainLayer(pub(super) Arc<[Plain]>);

impl<S> Layer<S> for PlainLayer {
    type Service = Fork<S>;

    fn layer(&self, grpc: S) -> Fork<S> {
        Fork { grpc, plain: Arc::clone(&self.0) }
    }
}

/// See [`PlainLayer`].
#[derive(Clone)]
pub(super) struct Fork<S> {
    grpc: S,
    plain: Arc<[Plain]>,
}

impl<S> Service<Request<Body>> for Fork<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: From<Infallible> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.grpc.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.plain.iter().find(|plain| request.uri().path().starts_with(plain.prefix)) {
            None => Either::Left(self.grpc.call(request)),
            Some(plain) => {
                let answer = plain.answer(request);
                Either::Right(Box::pin(async move { Ok(answer.await?) }))
            }
        }
    }
}
