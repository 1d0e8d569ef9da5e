//! How connections come about: by TCP, unless an app brings another way.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// What carries the bytes of a connection.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection that is coming about.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Wire>>> + Send>>;

/// A way to a host and port, such as a tunnel.
#[derive(Clone)]
pub(super) struct Dial(Arc<dyn Fn(String, u16) -> Dialing + Send + Sync>);

impl Dial {
    pub fn new(dial: impl Fn(String, u16) -> Dialing + Send + Sync + 'static) -> Self {
        Self(Arc::new(dial))
    }

    /// A channel whose connections come about in this way when they are first used, and again whenever they must.
    pub fn connect_lazy(&self, endpoint: &Endpoint) -> Channel {
        let dial = self.clone();
        endpoint.connect_with_connector_lazy(service_fn(move |to: Uri| {
            let port = to.port_u16().unwrap_or(if to.scheme_str() == Some("https") { 443 } else { 80 });
            let dialing = dial.0(to.host().unwrap_or_default().to_owned(), port);
            async move { dialing.await.map(TokioIo::new) }
        }))
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}
