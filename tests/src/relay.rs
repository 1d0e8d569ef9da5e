//! The one address that clients know, while the server behind it comes and goes on ports of its own.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};

/// See the module. While it points nowhere, connections are closed at once, as a server's that is not there. Ends when
/// dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    upstream: watch::Sender<Option<SocketAddr>>,
}

impl Relay {
    /// Points nowhere at first.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let upstream = watch::Sender::new(None);
        tokio::spawn(accept(listener, upstream.subscribe()));
        Self { address, upstream }
    }

    /// New connections go there from now on.
    pub fn point_to(&self, upstream: Option<SocketAddr>) {
        self.upstream.send_replace(upstream);
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients call the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A connection of its own, made when it is first used and made anew when it is lost.
    ///
    /// # Panics
    /// An address makes no URI.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(self.url()).expect("an address makes a URI").connect_lazy()
    }
}

async fn accept(listener: TcpListener, mut upstream: watch::Receiver<Option<SocketAddr>>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                let now = *upstream.borrow();
                tokio::spawn(carry(client, now));
            }
            changed = upstream.changed() => if changed.is_err() { return },
        }
    }
}

/// Both ends close when either does; that is how a client learns of a server's death.
async fn carry(mut client: TcpStream, upstream: Option<SocketAddr>) {
    let Some(upstream) = upstream else { return };
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    drop(copy_bidirectional(&mut client, &mut server).await);
}
