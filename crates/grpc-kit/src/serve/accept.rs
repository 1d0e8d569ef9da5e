//! Taking connections, up to the limits.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::carrier::Carrier;
use super::connection::Connection;
use super::options::ServeOptions;
use super::permits::Permits;
use super::proxies::{Trusted, read_header};
use crate::tls::ServerTls;

/// Wait after an accept that failed, for want of file descriptors mostly: at once would be a busy loop.
const PAUSE: Duration = Duration::from_millis(50);
/// Within this time a connection has said whom a proxy speaks for, and shaken hands.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Where connections come from: TCP, or what stands in for it.
pub trait Accept: Send + 'static {
    /// What a connection is.
    type Wire: Wire;

    /// The next connection, and who is at its far end. Dropped before it is ready it has taken none.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Wire, SocketAddr)>> + Send;
}

/// What carries the bytes of a connection, with nothing on top.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The address on our side.
    ///
    /// # Errors
    /// The connection has ended.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Small writes leave at once.
    ///
    /// # Errors
    /// The connection has ended.
    fn set_nodelay(&self) -> io::Result<()>;
}

impl Accept for TcpListener {
    type Wire = TcpStream;

    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }
}

impl Wire for TcpStream {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }

    fn set_nodelay(&self) -> io::Result<()> {
        Self::set_nodelay(self, true)
    }
}

/// A listener with its limits.
pub(super) struct Acceptor<A: Accept> {
    listener: A,
    door: Arc<Door>,
    /// Connections on their way in.
    entering: JoinSet<Option<Connection<A::Wire>>>,
    max_entering: usize,
}

/// What a connection passes on its way in.
struct Door {
    permits: Arc<Permits>,
    trusted: Trusted,
    proxy_protocol: bool,
    tls: Option<ServerTls>,
}

impl<A: Accept> Acceptor<A> {
    pub(super) fn new(listener: A, options: &ServeOptions, tls: Option<ServerTls>) -> Self {
        let door = Door {
            permits: Permits::new(options.max_connections, options.max_connections_per_address),
            trusted: Trusted::new(&options.trusted_proxies),
            proxy_protocol: options.proxy_protocol,
            tls,
        };
        let max_entering = options.max_handshakes;
        Self { listener, door: Arc::new(door), entering: JoinSet::new(), max_entering }
    }

    pub(super) fn permits(&self) -> Arc<Permits> {
        Arc::clone(&self.door.permits)
    }

    /// The connections that may be served. Never ends; dropping it closes the address.
    pub(super) fn into_stream(self) -> impl Stream<Item = io::Result<Connection<A::Wire>>> {
        stream::unfold(self, |mut acceptor| async move {
            let connection = acceptor.next().await;
            Some((Ok(connection), acceptor))
        })
    }

    /// While as many as may are on their way in, those who come wait with the system.
    async fn next(&mut self) -> Connection<A::Wire> {
        loop {
            tokio::select! {
                Some(entered) = self.entering.join_next() => {
                    if let Ok(Some(connection)) = entered {
                        return connection;
                    }
                }
                accepted = self.listener.accept(), if self.entering.len() < self.max_entering => match accepted {
                    Ok((wire, peer)) if self.door.is_open() => {
                        if let Some(connection) = self.door.let_in(Carrier::Plain(wire), peer) {
                            return connection;
                        }
                    }
                    Ok((wire, peer)) => {
                        let door = Arc::clone(&self.door);
                        self.entering.spawn(door.pass(wire, peer));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(PAUSE).await;
                    }
                },
            }
        }
    }
}

impl Door {
    /// Whether nothing is asked of who comes in.
    fn is_open(&self) -> bool {
        self.tls.is_none() && !self.proxy_protocol
    }

    async fn pass<W: Wire>(self: Arc<Self>, wire: W, peer: SocketAddr) -> Option<Connection<W>> {
        match timeout(HANDSHAKE_WITHIN, self.shake_hands(wire, peer)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection failed on its way in");
                None
            }
            Err(_) => {
                tracing::debug!("a connection took too long on its way in");
                None
            }
        }
    }

    async fn shake_hands<W: Wire>(&self, mut wire: W, peer: SocketAddr) -> io::Result<Option<Connection<W>>> {
        let mut source = peer;
        if self.proxy_protocol && self.trusted.contains(peer.ip()) {
            source = read_header(&mut wire).await?.unwrap_or(peer);
        }
        let Some(tls) = &self.tls else { return Ok(self.let_in(Carrier::Plain(wire), source)) };
        // Before the work of the handshake, of which one address gets no more than of connections.
        let Some(permit) = self.permit(source) else { return Ok(None) };
        no_delay(&wire);
        let stream = TlsAcceptor::from(tls.now()).accept(wire).await?;
        let cut = self.permits.cut_token();
        Ok(Some(Connection::new(Carrier::Tls(Box::new(stream)), source, permit, cut)))
    }

    fn let_in<W: Wire>(&self, carrier: Carrier<W>, source: SocketAddr) -> Option<Connection<W>> {
        let permit = self.permit(source)?;
        no_delay(carrier.wire());
        Some(Connection::new(carrier, source, permit, self.permits.cut_token()))
    }

    fn permit(&self, source: SocketAddr) -> Option<super::permits::Permit> {
        let permit = self.permits.permit(source.ip(), self.trusted.contains(source.ip()));
        if permit.is_none() {
            tracing::debug!("a connection over the limit was refused");
        }
        permit
    }
}

fn no_delay(wire: &impl Wire) {
    if let Err(error) = wire.set_nodelay() {
        tracing::debug!(%error, "a connection stays with Nagle's algorithm");
    }
}
