//! The one address that clients know, while the server behind it comes and goes on ports of its own; and the network between
//! them.

use std::net::SocketAddr;

use parlor_testkit::FaultProxy;
use tonic::transport::{Channel, Endpoint};

/// See the module. Ends when dropped.
#[derive(Debug)]
pub struct Relay(FaultProxy);

impl Relay {
    /// Points nowhere at first.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start() -> Self {
        Self(FaultProxy::nowhere().await)
    }

    /// New connections go there from now on; if nowhere, they are closed at once, as a server's that is not there.
    pub fn point_to(&self, upstream: Option<SocketAddr>) {
        self.0.point_to(upstream);
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// What clients call the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A connection of its own, made when it is first used and made anew when it is lost.
    ///
    /// # Panics
    /// An address makes no URI.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url()).expect("an address makes a URI").connect_lazy()
    }

    /// What lies between the clients and the server.
    #[must_use]
    pub fn network(&self) -> &FaultProxy {
        &self.0
    }
}
