//! The one address that clients call when the services run apart: every call goes to the service that its path names.
//!
//! It stands where an operator has nginx or the like. Calls are passed on frame by frame in both directions; what breaks on
//! one side breaks on the other.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Either;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri, Version, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::fleet::Service;

/// Where each service listens for clients now; nowhere, if it is not there.
pub type Upstreams = HashMap<Service, SocketAddr>;

/// See the module. Ends when dropped, with all its connections.
#[derive(Debug)]
pub struct Router {
    address: SocketAddr,
    upstreams: watch::Sender<Upstreams>,
    accepting: AbortHandle,
}

type Answer = Response<Either<Incoming, Empty<Bytes>>>;

impl Router {
    /// Listens on `address`, and leads nowhere yet.
    ///
    /// # Panics
    /// The address cannot be had.
    pub async fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free address");
        let address = listener.local_addr().expect("a bound socket has an address");
        let upstreams = watch::Sender::new(Upstreams::new());
        let accepting = tokio::spawn(accept(listener, upstreams.subscribe())).abort_handle();
        Self { address, upstreams, accepting }
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where calls of `service` go now.
    #[must_use]
    pub fn leads_to(&self, service: Service) -> Option<SocketAddr> {
        self.upstreams.borrow().get(&service).copied()
    }

    /// From now on calls of `service` go there.
    pub fn point(&self, service: Service, to: Option<SocketAddr>) {
        self.upstreams.send_modify(|upstreams| match to {
            Some(address) => drop(upstreams.insert(service, address)),
            None => drop(upstreams.remove(&service)),
        });
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, upstreams: watch::Receiver<Upstreams>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((tcp, _)) = listener.accept().await else { return };
        while connections.try_join_next().is_some() {}
        let _ = tcp.set_nodelay(true);
        connections.spawn(serve(tcp, upstreams.clone()));
    }
}

/// One connection of a client, with one of its own to each service that is called on it.
async fn serve(tcp: TcpStream, upstreams: watch::Receiver<Upstreams>) {
    let onward = Arc::new(Onward { upstreams, open: Mutex::default() });
    let service = service_fn(move |request| {
        let onward = Arc::clone(&onward);
        async move { Ok::<_, std::convert::Infallible>(onward.pass(request).await) }
    });
    // How a connection ends is seen by its two ends.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tcp), service).await;
}

struct Onward {
    upstreams: watch::Receiver<Upstreams>,
    open: Mutex<HashMap<SocketAddr, SendRequest<Incoming>>>,
}

impl Onward {
    async fn pass(&self, request: Request<Incoming>) -> Answer {
        let address = self.upstreams.borrow().get(&service_of(request.uri().path())).copied();
        let answer = match address {
            Some(address) => self.ask(address, request).await,
            None => None,
        };
        answer.map_or_else(unavailable, |answer| answer.map(Either::Left))
    }

    async fn ask(&self, address: SocketAddr, request: Request<Incoming>) -> Option<Response<Incoming>> {
        let mut upstream = self.connection(address).await?;
        let mut answer = upstream.send_request(onward(address, request)?).await.ok()?;
        *answer.version_mut() = Version::default();
        Some(answer)
    }

    async fn connection(&self, address: SocketAddr) -> Option<SendRequest<Incoming>> {
        let mut open = self.open.lock().await;
        if let Some(upstream) = open.get(&address).filter(|upstream| !upstream.is_closed()) {
            return Some(upstream.clone());
        }
        let tcp = TcpStream::connect(address).await.ok()?;
        tcp.set_nodelay(true).ok()?;
        let (upstream, connection) = handshake(TokioExecutor::new(), TokioIo::new(tcp)).await.ok()?;
        tokio::spawn(connection);
        open.insert(address, upstream.clone());
        Some(upstream)
    }
}

/// `/parlor.auth.v1.AuthService/Login` is auth-svc's, and so is what begins with `/parlor.internal.auth.`, which it does not
/// have for clients. Files over plain HTTP are media-svc's.
fn service_of(path: &str) -> Service {
    let name = path.trim_start_matches("/parlor.").trim_start_matches("internal.");
    let is = |service: &str| name.strip_prefix(service).is_some_and(|rest| rest.starts_with('.'));
    match () {
        () if is("auth") => Service::Auth,
        () if is("presence") => Service::Presence,
        () if is("media") || path.starts_with("/media/") => Service::Media,
        () => Service::Chat,
    }
}

/// The same request, as HTTP/2 wants it.
fn onward(address: SocketAddr, mut request: Request<Incoming>) -> Option<Request<Incoming>> {
    let path = request.uri().path_and_query()?.as_str();
    let uri =
        Uri::builder().scheme("http").authority(address.to_string()).path_and_query(path).build().ok()?;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_2;
    for name in [header::CONNECTION, header::HOST, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    Some(request)
}

fn unavailable() -> Answer {
    let mut answer = Response::new(Either::Right(Empty::new()));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_service_of_its_package() {
        for (path, service) in [
            ("/parlor.auth.v1.AuthService/Login", Service::Auth),
            ("/parlor.chat.v1.PeopleService/ListPeople", Service::Chat),
            ("/parlor.presence.v1.PresenceService/Watch", Service::Presence),
            ("/parlor.media.v1.MediaService/GetMedia", Service::Media),
            ("/media/v1/some-file", Service::Media),
            ("/parlor.internal.auth.v1.AuthInternalService/CheckUsers", Service::Auth),
            ("/grpc.health.v1.Health/Check", Service::Chat),
        ] {
            assert_eq!(service_of(path), service, "{path}");
        }
    }
}
