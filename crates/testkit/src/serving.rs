//! Any routes on a free port.

use std::net::SocketAddr;
use std::time::Duration;

use parlor_grpc_kit::{Listener, ServeError, ServeOptions, Stopped};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};

/// See [`Serving::narrow_channel`]; the least that HTTP/2 begins with.
const NARROW: u32 = 64 * 1024 - 1;

/// Routes that are being served over TCP on the loopback address.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<Duration>,
    served: JoinHandle<Result<Stopped, ServeError>>,
}

impl Serving {
    /// Serves `routes` as a service does, on a port that was free.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start(routes: Routes) -> Self {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
        let address = listener.address();
        let (stop, stopping) = oneshot::channel();
        let served = tokio::spawn(async move {
            let within = async { stopping.await.unwrap_or(Duration::ZERO) };
            listener.serve(routes, &ServeOptions::default(), within).await
        });
        Self { address, stop, served }
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection of its own.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn channel(&self) -> Channel {
        connect(self.address).await
    }

    /// A connection of its own on which a peer that does not read holds up the server soon: `NARROW` bytes fit in between.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn narrow_channel(&self) -> Channel {
        let endpoint = endpoint(self.address).initial_stream_window_size(NARROW);
        endpoint.initial_connection_window_size(NARROW).connect().await.expect("the server takes connections")
    }

    /// Takes no more connections, and cuts those that have not ended `within` this time.
    ///
    /// # Panics
    /// The server failed.
    pub async fn stop(self, within: Duration) -> Stopped {
        // An error means that it has ended already.
        let _ = self.stop.send(within);
        self.served.await.expect("the server does not panic").expect("the server does not fail")
    }
}

/// A connection to `address`: a proxy's, say.
pub(crate) async fn connect(address: SocketAddr) -> Channel {
    endpoint(address).connect().await.expect("the server takes connections")
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::new(format!("http://{address}")).expect("an address makes a URI")
}
