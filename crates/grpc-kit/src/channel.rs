//! Channels between services of one process.

use std::convert::Infallible;
use std::io;

use hyper_util::rt::TokioIo;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint, Server};
use tower::service_fn;

/// Bytes in flight in each direction.
const BUFFER: usize = 64 * 1024;

/// A connection to `routes` that never leaves the process, and yet is gRPC in full: the same encoding, guard and
/// deadlines as over a network. Must be called in a tokio runtime; opens with the first call, and again if it breaks.
#[must_use]
pub fn local_channel(routes: Routes) -> Channel {
    let connector = service_fn(move |_| {
        let routes = routes.clone();
        async move {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            let incoming = tokio_stream::once(Ok::<_, Infallible>(theirs));
            // Ends with the channel: its side of the pipe is closed then.
            tokio::spawn(Server::builder().add_routes(routes).serve_with_incoming(incoming));
            Ok::<_, io::Error>(TokioIo::new(ours))
        }
    });
    Endpoint::from_static("http://local").connect_with_connector_lazy(connector)
}
