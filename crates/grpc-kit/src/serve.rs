//! The public address: gRPC over HTTP/2, and gRPC-Web over either version of HTTP, on one port.
//!
//! Everything a peer can take is bounded (G8): connections per address and in all, streams per connection, headers,
//! resets, handshakes under way and the time they take, the time until the first request. A peer that is gone is found by
//! keep-alive. Stopping ends within a deadline, whatever streams do. [`ServerTls`] is TLS, if there is any; [`Plain`] is
//! what is served beside gRPC.

mod accept;
mod carrier;
mod connection;
mod options;
mod permits;
mod plain;
mod proxies;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, header};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_web::GrpcWebLayer;
use tower::layer::util::{Identity, Stack};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

pub use accept::{Accept, Wire};
pub use options::{ServeError, ServeOptions};
pub use plain::Plain;
pub use proxies::{Trusted, read_header};

use crate::tls::ServerTls;

use accept::Acceptor;
use plain::PlainLayer;
use proxies::ForwardedLayer;

/// Calls at once on one connection.
const MAX_STREAMS: u32 = 128;
/// Headers of one call, bytes.
const MAX_HEADER_BYTES: u32 = 16 * 1024;
/// Streams reset by a peer before we have looked at them, until the connection is cut.
const MAX_PENDING_RESETS: usize = 20;
/// Streams of a peer that we had to reset, until the connection is cut. tonic's builder would switch hyper's limit
/// off.
const MAX_LOCAL_RESETS: usize = 1024;
/// How long a browser may remember that an origin is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);
/// How long connections that have been cut may take to notice.
const CUT_GRACE: Duration = Duration::from_millis(500);

/// What a page of another origin may read of a gRPC answer.
const GRPC_HEADERS: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
/// What it may read of an answer over plain HTTP, besides what it always may.
const PLAIN_HEADERS: [&str; 4] = ["accept-ranges", "content-disposition", "content-range", "etag"];

/// An address that is bound and not yet served.
#[derive(Debug)]
pub struct Listener<A = TcpListener> {
    accept: A,
    address: SocketAddr,
    plain: Vec<Plain>,
    tls: Option<ServerTls>,
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// All connections ended by themselves.
    Drained,
    /// The deadline came first: this many connections were cut.
    Cut(usize),
}

impl Listener {
    /// Binds `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// The system's answer, such as that the address is in use.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        let address = tcp.local_addr()?;
        Ok(Self::on(tcp, address))
    }
}

impl<A: Accept> Listener<A> {
    /// Takes the connections that come from there, at `address`.
    #[must_use]
    pub fn on(accept: A, address: SocketAddr) -> Self {
        Self { accept, address, plain: Vec::new(), tls: None }
    }

    /// Serves this too, beside gRPC.
    #[must_use]
    pub fn also(mut self, plain: Plain) -> Self {
        self.plain.push(plain);
        self
    }

    /// Serves over TLS, and nothing else.
    #[must_use]
    pub fn over(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The address, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `routes` until `stop` says how long the connections may still go on: then takes no more, waits that
    /// long for those there are, and cuts the rest.
    ///
    /// # Errors
    /// The options cannot be kept, or the server failed.
    pub async fn serve(
        self,
        routes: Routes,
        options: &ServeOptions,
        stop: impl Future<Output = Duration>,
    ) -> Result<Stopped, ServeError> {
        let plain_cors = cors(options, &[Method::GET, Method::HEAD], &PLAIN_HEADERS)?;
        let plain = self.plain.into_iter().map(|plain| plain.allowing(&plain_cors)).collect();
        let mut server = server(options, plain, cors(options, &[Method::POST], &GRPC_HEADERS)?);
        let acceptor = Acceptor::new(self.accept, options, self.tls.clone());
        let connections = acceptor.permits();
        let stopping = CancellationToken::new();
        let serving = server
            .add_routes(routes)
            .serve_with_incoming_shutdown(acceptor.into_stream(), stopping.clone().cancelled_owned());
        let mut serving = std::pin::pin!(serving);
        let grace = tokio::select! {
            ended = &mut serving => return drained(ended),
            grace = stop => grace,
            never = follow(self.tls.as_ref()) => match never {},
        };
        stopping.cancel();
        if let Ok(ended) = timeout(grace, &mut serving).await {
            return drained(ended);
        }
        let cut = connections.cut();
        if timeout(CUT_GRACE, serving).await.is_err() {
            tracing::warn!("connections that were cut have not ended");
        }
        Ok(Stopped::Cut(cut))
    }
}

/// Follows changes of the certificate.
async fn follow(tls: Option<&ServerTls>) -> Infallible {
    match tls {
        Some(tls) => tls.follow().await,
        None => std::future::pending().await,
    }
}

fn drained(ended: Result<(), tonic::transport::Error>) -> Result<Stopped, ServeError> {
    ended.map(|()| Stopped::Drained).map_err(ServeError::Server)
}

/// From the inside out.
type Layers = Stack<GrpcWebLayer, Stack<CorsLayer, Stack<PlainLayer, Stack<ForwardedLayer, Identity>>>>;

fn server(options: &ServeOptions, plain: Arc<[Plain]>, cors: CorsLayer) -> Server<Layers> {
    Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(options.keepalive_interval))
        .http2_keepalive_timeout(Some(options.keepalive_timeout))
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_RESETS))
        .http2_max_local_error_reset_streams(Some(MAX_LOCAL_RESETS))
        .layer(ForwardedLayer(Trusted::new(&options.trusted_proxies)))
        .layer(PlainLayer(plain))
        .layer(cors)
        .layer(GrpcWebLayer::new())
}

/// Credentials travel in a header or an address that no browser sends by itself, so any origin may be allowed safely.
fn cors(
    options: &ServeOptions,
    methods: &[Method],
    exposed: &[&'static str],
) -> Result<CorsLayer, ServeError> {
    let exposed: Vec<_> = exposed.iter().map(|name| HeaderName::from_static(name)).collect();
    let origins = if options.allowed_origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let parse =
            |origin: &String| HeaderValue::try_from(origin).map_err(|_| ServeError::Origin(origin.clone()));
        AllowOrigin::list(options.allowed_origins.iter().map(parse).collect::<Result<Vec<_>, _>>()?)
    };
    Ok(CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods.to_vec())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(PREFLIGHT_AGE)
        .vary([header::ORIGIN, header::ACCESS_CONTROL_REQUEST_HEADERS]))
}
