//! A connection that holds its permit, can be cut, and must begin to speak in time.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::accept::Wire;
use super::carrier::Carrier;
use super::permits::Permit;

/// Within this time a peer has sent enough to tell HTTP/2 from HTTP/1. Later silence is found by keep-alive, and by
/// hyper's limit on the time that headers of HTTP/1 may take.
const GREETING_WITHIN: Duration = Duration::from_secs(10);
/// The preface of HTTP/2, bytes. No request of HTTP/1 with a Host is shorter.
const GREETING_BYTES: usize = 24;

/// See the module.
pub(super) struct Connection<W> {
    carrier: Carrier<W>,
    local: Option<SocketAddr>,
    peer: SocketAddr,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// `None` once the greeting is complete.
    greeting: Option<Greeting>,
    _permit: Permit,
}

struct Greeting {
    bytes: usize,
    deadline: Pin<Box<Sleep>>,
}

impl<W: Wire> Connection<W> {
    /// From `peer`, as far as limits are concerned.
    pub(super) fn new(carrier: Carrier<W>, peer: SocketAddr, permit: Permit, cut: CancellationToken) -> Self {
        let greeting = Some(Greeting { bytes: 0, deadline: Box::pin(sleep(GREETING_WITHIN)) });
        let local = carrier.wire().local_addr().ok();
        Self { carrier, local, peer, cut: Box::pin(cut.cancelled_owned()), greeting, _permit: permit }
    }

    fn poll_ended(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server has stopped"));
        }
        if let Some(greeting) = &mut self.greeting
            && greeting.deadline.as_mut().poll(context).is_ready()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not speak"));
        }
        Ok(())
    }

    fn heard(&mut self, bytes: usize) {
        if let Some(greeting) = &mut self.greeting {
            greeting.bytes += bytes;
            if greeting.bytes >= GREETING_BYTES {
                self.greeting = None;
            }
        }
    }
}

impl<W: Wire> Connected for Connection<W> {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: self.local, remote_addr: Some(self.peer) }
    }
}

impl<W: Wire> AsyncRead for Connection<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_ended(context)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.carrier).poll_read(context, buffer);
        self.heard(buffer.filled().len() - before);
        polled
    }
}

impl<W: Wire> AsyncWrite for Connection<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_ended(context)?;
        Pin::new(&mut self.carrier).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ended(context)?;
        Pin::new(&mut self.carrier).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_ended(context)?;
        Pin::new(&mut self.carrier).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.carrier.is_write_vectored()
    }
}
