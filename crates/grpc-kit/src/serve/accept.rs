//! Taking connections, up to the limits.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::options::ServeOptions;
use crate::address::Source;

/// Wait after an accept that failed, for want of file descriptors mostly: at once would be a busy loop.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener with its limits.
pub(super) struct Acceptor {
    tcp: TcpListener,
    connections: Arc<Connections>,
}

/// The open connections.
pub(super) struct Connections {
    max: usize,
    max_per_source: usize,
    open: Mutex<Open>,
    cut: CancellationToken,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_source: HashMap<Source, usize>,
}

/// The right to one connection; ends when dropped.
pub(super) struct Permit {
    connections: Arc<Connections>,
    source: Source,
}

impl Acceptor {
    pub(super) fn new(tcp: TcpListener, options: &ServeOptions) -> Self {
        let connections = Connections {
            max: options.max_connections,
            max_per_source: options.max_connections_per_address,
            open: Mutex::default(),
            cut: CancellationToken::new(),
        };
        Self { tcp, connections: Arc::new(connections) }
    }

    pub(super) fn connections(&self) -> Arc<Connections> {
        Arc::clone(&self.connections)
    }

    /// The connections that may be served. Never ends; dropping it closes the address.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Connection>> {
        stream::unfold(self, |acceptor| async move {
            let connection = acceptor.next().await;
            Some((Ok(connection), acceptor))
        })
    }

    async fn next(&self) -> Connection {
        loop {
            let (tcp, peer) = match self.tcp.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            match self.connections.permit(peer) {
                Some(permit) => return self.connection(tcp, peer, permit),
                None => tracing::debug!("a connection over the limit was refused"),
            }
        }
    }

    fn connection(&self, tcp: TcpStream, peer: SocketAddr, permit: Permit) -> Connection {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with Nagle's algorithm");
        }
        Connection::new(tcp, peer, permit, self.connections.cut.clone())
    }
}

impl Connections {
    fn permit(self: &Arc<Self>, peer: SocketAddr) -> Option<Permit> {
        let source = Source::from(peer.ip());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let here = open.by_source.get(&source).copied().unwrap_or_default();
        if open.all >= self.max || here >= self.max_per_source {
            return None;
        }
        open.all += 1;
        open.by_source.insert(source, here + 1);
        Some(Permit { connections: Arc::clone(self), source })
    }

    /// Ends all connections now; how many there were.
    pub(super) fn cut(&self) -> usize {
        self.cut.cancel();
        self.open.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(here) = open.by_source.get_mut(&self.source) {
            *here -= 1;
            if *here == 0 {
                open.by_source.remove(&self.source);
            }
        }
    }
}
