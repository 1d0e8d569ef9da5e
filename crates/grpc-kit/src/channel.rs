//! Channels between services, of one process or of several.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{DuplexStream, copy_bidirectional, duplex};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tower::service_fn;

use crate::tls::ClientTls;

/// Bytes in flight in each direction.
const BUFFER: usize = 64 * 1024;

/// The port of an address that names none.
const HTTPS: u16 = 443;
/// How long a connection to another process may take to open.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A ping is sent on a connection to another process that has been silent this long.
const PING_EACH: Duration = Duration::from_secs(10);
/// A connection to another process whose ping is not answered within this is given up.
const PING_WITHIN: Duration = Duration::from_secs(5);

/// A connection to another process, at an address such as `http://10.0.0.7:7712`; with `tls` over that, whatever the
/// address says. Must be called in a tokio runtime; opens with the first call, and again if it breaks: a call that finds
/// nobody there fails with UNAVAILABLE.
#[must_use]
pub fn remote_channel(address: Uri, tls: Option<ClientTls>) -> Channel {
    let Some(tls) = tls else { return endpoint(address).connect_lazy() };
    // To tonic it is in the clear: TLS, with certificates that may change, is the connector's.
    let mut parts = address.clone().into_parts();
    parts.scheme = Some(http::uri::Scheme::HTTP);
    let plain = Uri::from_parts(parts).unwrap_or_else(|_| address.clone());
    let connector = service_fn(move |_| {
        let (address, tls) = (address.clone(), tls.now());
        async move { connect_over(&address, tls).await.map(TokioIo::new) }
    });
    endpoint(plain).connect_with_connector_lazy(connector)
}

fn endpoint(address: Uri) -> Endpoint {
    Endpoint::from(address)
        .connect_timeout(CONNECT_WITHIN)
        .http2_keep_alive_interval(PING_EACH)
        .keep_alive_timeout(PING_WITHIN)
        .keep_alive_while_idle(true)
}

async fn connect_over(address: &Uri, tls: Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let tcp = TcpStream::connect((host, address.port_u16().unwrap_or(HTTPS))).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(tls).connect(name, tcp).await
}

/// A connection to `routes` that never leaves the process, and yet is gRPC in full: the same encoding, guard and
/// deadlines as over a network. Must be called in a tokio runtime; opens with the first call, and again if it breaks.
#[must_use]
pub fn local_channel(routes: Routes) -> Channel {
    let connector = service_fn(move |_| {
        let ours = TokioIo::new(connect(routes.clone()));
        async move { Ok::<_, io::Error>(ours) }
    });
    Endpoint::from_static("http://local").connect_with_connector_lazy(connector)
}

/// As [`local_channel`], to routes that are made later: for two services that need each other. Until they are there,
/// calls fail with UNAVAILABLE.
#[must_use]
pub fn late_channel() -> (Channel, LateRoutes) {
    let late = LateRoutes { routes: Arc::default(), ended: CancellationToken::new() };
    let (routes, ended) = (Arc::clone(&late.routes), late.ended.clone());
    let connector = service_fn(move |_| {
        let routes = routes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ours = routes.map(|routes| TokioIo::new(until(&ended, connect(routes))));
        async move { ours.ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "not there")) }
    });
    (Endpoint::from_static("http://local").connect_with_connector_lazy(connector), late)
}

/// Where a [`late_channel`] leads. When it is dropped, its connections end: otherwise two services that hold channels to
/// each other would keep each other alive.
#[derive(Debug)]
pub struct LateRoutes {
    routes: Arc<Mutex<Option<Routes>>>,
    ended: CancellationToken,
}

impl LateRoutes {
    /// From now on calls are answered by these.
    pub fn open(&self, routes: Routes) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = Some(routes);
    }
}

impl Drop for LateRoutes {
    fn drop(&mut self) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.ended.cancel();
    }
}

fn connect(routes: Routes) -> DuplexStream {
    let (ours, theirs) = duplex(BUFFER);
    let incoming = tokio_stream::once(Ok::<_, Infallible>(theirs));
    // Ends with the channel: its side of the pipe is closed then.
    tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
    ours
}

/// The same connection, closed on both sides once `ended`.
fn until(ended: &CancellationToken, mut far: DuplexStream) -> DuplexStream {
    let (ours, mut near) = duplex(BUFFER);
    let ended = ended.clone();
    tokio::spawn(async move {
        // It makes no difference how it ends: both sides see a closed pipe.
        let _ = ended.run_until_cancelled(copy_bidirectional(&mut near, &mut far)).await;
    });
    ours
}

#[cfg(test)]
mod tests {
    use parlor_wire::auth::v1::GetProfileRequest;
    use parlor_wire::auth::v1::profile_service_client::ProfileServiceClient;
    use parlor_wire::auth::v1::profile_service_server::ProfileServiceServer;
    use tonic::Code;

    use super::*;
    use crate::testing::Mirror;

    #[tokio::test]
    async fn a_late_channel_works_from_when_its_routes_are_there_to_when_they_are_gone() {
        let (channel, late) = late_channel();
        let mut client = ProfileServiceClient::new(channel);
        let mut code = async || client.get_profile(GetProfileRequest::default()).await.unwrap_err().code();
        assert_eq!(code().await, Code::Unavailable);
        let alive = Arc::new(());
        let (held, mirror) = (Arc::clone(&alive), ProfileServiceServer::new(Mirror));
        let mirror = tonic::service::interceptor::InterceptedService::new(mirror, move |request| {
            let _ = &held;
            Ok(request)
        });
        late.open(Routes::new(mirror));
        // Answered by the service, which misses a caller.
        assert_eq!(code().await, Code::Unauthenticated);
        drop(late);
        while Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(code().await, Code::Unavailable);
    }
}
