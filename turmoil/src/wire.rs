//! The connections of the simulated network, looked at as they go by.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use parlor_grpc_kit::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

use crate::frames::Frames;
use crate::ledger::{Ledger, Side};

/// One side of a connection.
pub struct Wire {
    tcp: TcpStream,
    ledger: Ledger,
    number: usize,
    up: Frames,
    down: Frames,
    side: Side,
    nearby: Option<Nearby>,
}

/// With [`Planted::PingsAnsweredNearby`](crate::Planted::PingsAnsweredNearby): what answers.
#[derive(Default)]
struct Nearby {
    answers: Vec<u8>,
    reader: Option<Waker>,
}

impl Wire {
    /// Of a connection that has just come about.
    pub fn new(tcp: TcpStream, side: Side, ledger: Ledger, answers_pings: bool) -> Self {
        let number = ledger.open(side);
        let (up, down) = (Frames::of_client(), Frames::of_server());
        Self { tcp, ledger, number, up, down, side, nearby: answers_pings.then(Nearby::default) }
    }

    fn is_of_client(&self) -> bool {
        matches!(self.side, Side::Client(_))
    }

    /// Says what somebody nearby answered.
    fn answered(&mut self, context: &Context<'_>, buffer: &mut ReadBuf<'_>) -> bool {
        let Some(nearby) = &mut self.nearby else { return false };
        let fits = self.down.is_between() && buffer.remaining() >= nearby.answers.len();
        if nearby.answers.is_empty() || !fits {
            nearby.reader = Some(context.waker().clone());
            return false;
        }
        buffer.put_slice(&std::mem::take(&mut nearby.answers));
        true
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.answered(context, buffer) {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.tcp).poll_read(context, buffer));
        let came = &buffer.filled()[before..];
        if read.is_err() || came.is_empty() {
            self.ledger.told(self.number);
        } else {
            let frames = if self.is_of_client() { self.down.pass(came) } else { Vec::new() };
            self.ledger.heard(self.number, &frames);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match ready!(Pin::new(&mut self.tcp).poll_write(context, bytes)) {
            Ok(written) => written,
            Err(error) => {
                self.ledger.told(self.number);
                return Poll::Ready(Err(error));
            }
        };
        if self.is_of_client() {
            let frames = self.up.pass(&bytes[..written]);
            self.ledger.said(self.number, &frames);
            if let Some(nearby) = &mut self.nearby {
                let asked = frames.iter().filter(|frame| frame.asks());
                nearby.answers.extend(asked.flat_map(crate::frames::Frame::pong));
                if let (false, Some(reader)) = (nearby.answers.is_empty(), nearby.reader.take()) {
                    reader.wake();
                }
            }
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.ledger.closed(self.number);
    }
}

impl parlor_grpc_kit::Wire for Wire {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    fn set_nodelay(&self) -> io::Result<()> {
        self.tcp.set_nodelay(true)
    }
}

/// Where the server takes its connections.
pub struct Door(pub TcpListener, pub Ledger);

impl Accept for Door {
    type Wire = Wire;

    async fn accept(&self) -> io::Result<(Wire, SocketAddr)> {
        let (tcp, peer) = self.0.accept().await?;
        Ok((Wire::new(tcp, Side::Server, self.1.clone(), false), peer))
    }
}
