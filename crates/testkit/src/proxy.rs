//! A network that breaks: a TCP proxy that cuts, resets, forgets, hangs, lags and throttles on command.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::transport::Channel;

use crate::serving::connect;

/// Bytes taken in one go.
const CHUNK: usize = 16 * 1024;
/// A throttled connection takes what it may carry in this time in one go: so that it flows, and a change of the weather is
/// noticed soon.
const STEP: Duration = Duration::from_millis(50);

/// How connections end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Ending {
    /// Both ends are told that there comes no more.
    #[default]
    Closed,
    /// Both ends are told that the other knows of no such connection.
    Reset,
    /// The server's end is closed; the client is told nothing until the network is well again.
    HalfOpen,
}

/// What the network does now.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    /// Where new connections lead; nowhere, they are closed at once.
    upstream: Option<SocketAddr>,
    /// Connections opened before this count was reached are cut.
    cuts: u64,
    /// How.
    ending: Ending,
    /// Nothing is read: both ends believe that the other is merely silent.
    hangs: bool,
    /// Added to each piece, in each direction.
    lag: Duration,
    /// Bytes that a connection carries in a second, in each direction; `None` for any number.
    throttle: Option<NonZeroU32>,
    /// New connections are cut at once.
    refuses: bool,
}

impl Weather {
    /// How many bytes may be taken in one go.
    fn chunk(&self) -> usize {
        let of_step = |rate: NonZeroU32| usize::try_from(u128::from(rate.get()) * STEP.as_millis() / 1000);
        self.throttle.map_or(CHUNK, |rate| of_step(rate).unwrap_or(CHUNK).clamp(1, CHUNK))
    }

    /// How long a piece of so many bytes takes.
    fn takes(&self, bytes: usize) -> Duration {
        let paced = |rate: NonZeroU32| Duration::from_secs_f64(bytes as f64 / f64::from(rate.get()));
        self.lag + self.throttle.map_or(Duration::ZERO, paced)
    }
}

/// A proxy in front of one address. Ends when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
}

impl FaultProxy {
    /// In front of `upstream`, on a free port; lets everything through at first.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn start(upstream: SocketAddr) -> Self {
        let proxy = Self::nowhere().await;
        proxy.point_to(Some(upstream));
        proxy
    }

    /// On a free port, in front of nothing yet.
    ///
    /// # Panics
    /// No port can be bound.
    pub async fn nowhere() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let weather = watch::Sender::new(Weather::default());
        tokio::spawn(accept(listener, weather.subscribe()));
        Self { address, weather }
    }

    /// New connections go there from now on; if nowhere, they are closed at once, as a server's that is not there.
    pub fn point_to(&self, upstream: Option<SocketAddr>) {
        self.weather.send_modify(|weather| weather.upstream = upstream);
    }

    /// Where.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection through it.
    ///
    /// # Panics
    /// It cannot be opened.
    pub async fn channel(&self) -> Channel {
        connect(self.address).await
    }

    /// Ends all connections that there are.
    pub fn cut(&self) {
        self.end(Ending::Closed);
    }

    /// Ends all connections that there are, as a host does that was started anew: what is on its way is lost, and reading
    /// and writing fail.
    pub fn reset(&self) {
        self.end(Ending::Reset);
    }

    /// The servers' ends of all connections that there are end, and the clients hear of nothing, not even when they send:
    /// until [`FaultProxy::heal`], or another end, when they are reset. New connections are as ever.
    pub fn half_open(&self) {
        self.end(Ending::HalfOpen);
    }

    fn end(&self, ending: Ending) {
        self.weather.send_modify(|weather| {
            weather.cuts += 1;
            weather.ending = ending;
        });
    }

    /// Stops reading from both ends, or goes on: no byte is lost, and nobody is told.
    pub fn hang(&self, hangs: bool) {
        self.weather.send_modify(|weather| weather.hangs = hangs);
    }

    /// Adds this delay to each piece in each direction.
    pub fn lag(&self, lag: Duration) {
        self.weather.send_modify(|weather| weather.lag = lag);
    }

    /// Carries at most so many bytes per second on each connection in each direction; `None` for as many as there are. What
    /// is sent faster fills the buffers of the system, and then its sender waits.
    pub fn throttle(&self, bytes_per_second: Option<NonZeroU32>) {
        self.weather.send_modify(|weather| weather.throttle = bytes_per_second);
    }

    /// Everything goes through again at once. What was cut stays cut.
    pub fn heal(&self) {
        self.weather.send_modify(|weather| {
            let Weather { upstream, cuts, .. } = *weather;
            *weather = Weather { upstream, cuts, ..Weather::default() };
        });
    }

    /// Cuts new connections at once, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.weather.send_modify(|weather| weather.refuses = refuses);
    }
}

async fn accept(listener: TcpListener, mut weather: watch::Receiver<Weather>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                let Weather { upstream, refuses, .. } = *weather.borrow();
                if let Some(upstream) = upstream.filter(|_| !refuses) {
                    tokio::spawn(carry(client, upstream, weather.clone()));
                }
            }
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

/// Carries both directions until one fails or the connection is cut; then both ends are closed.
async fn carry(mut client: TcpStream, upstream: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let cuts = weather.borrow().cuts;
    let Ok(mut server) = TcpStream::connect(upstream).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let ending = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, weather.clone());
        let down = pump(from_server, to_client, weather.clone());
        tokio::select! {
            _ = async { tokio::try_join!(up, down) } => Ending::Closed,
            cut = weather.wait_for(|weather| weather.cuts > cuts) => cut.map_or(Ending::Closed, |now| now.ending),
        }
    };
    match ending {
        Ending::Closed => {}
        Ending::Reset => drop((client.set_zero_linger(), server.set_zero_linger())),
        Ending::HalfOpen => {
            drop(server);
            // Fails when there is no network any more.
            drop(weather.wait_for(|weather| weather.ending != Ending::HalfOpen).await);
            drop(client.set_zero_linger());
        }
    }
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        clear(&mut weather).await?;
        let chunk = weather.borrow().chunk();
        let read = from.read(&mut buffer[..chunk]).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let takes = weather.borrow().takes(read);
        if !takes.is_zero() {
            sleep(takes).await; // waits: because a slow network is what was asked for
        }
        clear(&mut weather).await?;
        to.write_all(&buffer[..read]).await?;
    }
}

/// Waits for as long as the network hangs.
async fn clear(weather: &mut watch::Receiver<Weather>) -> io::Result<()> {
    match weather.wait_for(|weather| !weather.hangs).await {
        Ok(_) => Ok(()),
        Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::in_time;

    const SOON: Duration = Duration::from_millis(100);

    /// Somebody who says everything back, behind a proxy, and a connection to it.
    async fn scene() -> (FaultProxy, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = tcp.split();
                    tokio::io::copy(&mut read, &mut write).await
                });
            }
        });
        let proxy = FaultProxy::start(address).await;
        let tcp = TcpStream::connect(proxy.address()).await.unwrap();
        (proxy, tcp)
    }

    async fn echo(tcp: &mut TcpStream) -> io::Result<()> {
        tcp.write_all(b"hello").await?;
        let mut heard = [0; 5];
        tcp.read_exact(&mut heard).await?;
        assert_eq!(&heard, b"hello");
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_ends_the_connections_there_are_and_no_later_ones() {
        let (proxy, mut tcp) = scene().await;
        echo(&mut tcp).await.unwrap();
        proxy.cut();
        in_time("the end", echo(&mut tcp)).await.unwrap_err();
        let mut next = TcpStream::connect(proxy.address()).await.unwrap();
        echo(&mut next).await.unwrap();
        proxy.refuse(true);
        echo(&mut next).await.unwrap();
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        in_time("the end", echo(&mut refused)).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_reset_fails_at_both_ends() {
        let (proxy, mut tcp) = scene().await;
        echo(&mut tcp).await.unwrap();
        proxy.reset();
        let error = in_time("the end", tcp.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let mut next = TcpStream::connect(proxy.address()).await.unwrap();
        echo(&mut next).await.unwrap();
    }

    #[tokio::test]
    async fn of_a_half_open_connection_the_client_hears_nothing_until_the_network_is_well() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = FaultProxy::start(listener.local_addr().unwrap()).await;
        let mut client = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut server, _) = in_time("a connection", listener.accept()).await.unwrap();
        proxy.half_open();
        assert_eq!(in_time("the server's end", server.read(&mut [0])).await.unwrap(), 0);
        client.write_all(b"are you there?").await.unwrap();
        timeout(SOON, client.read_u8()).await.unwrap_err();
        let _new = TcpStream::connect(proxy.address()).await.unwrap();
        in_time("a new connection", listener.accept()).await.unwrap();
        proxy.heal();
        let error = in_time("the client's end", client.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn it_leads_elsewhere_when_told_to() {
        let (proxy, mut tcp) = scene().await;
        echo(&mut tcp).await.unwrap();
        proxy.point_to(None);
        let mut next = TcpStream::connect(proxy.address()).await.unwrap();
        in_time("the end", echo(&mut next)).await.unwrap_err();
        echo(&mut tcp).await.unwrap();
    }

    #[tokio::test]
    async fn what_hangs_is_silent_and_loses_nothing() {
        let (proxy, mut tcp) = scene().await;
        echo(&mut tcp).await.unwrap();
        proxy.hang(true);
        timeout(SOON, echo(&mut tcp)).await.unwrap_err();
        proxy.hang(false);
        let mut heard = [0; 5];
        in_time("what was held", tcp.read_exact(&mut heard)).await.unwrap();
        assert_eq!(&heard, b"hello");
    }

    #[tokio::test]
    async fn lag_comes_on_top_in_each_direction() {
        let (proxy, mut tcp) = scene().await;
        proxy.lag(SOON);
        let start = Instant::now();
        echo(&mut tcp).await.unwrap();
        assert!(start.elapsed() >= SOON * 2, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn a_throttled_connection_carries_its_rate_and_loses_nothing() {
        const RATE: NonZeroU32 = NonZeroU32::new(40_000).unwrap();
        let said: Vec<u8> = (0..20_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let takes = Duration::from_millis(500);
        let (proxy, mut tcp) = scene().await;
        proxy.throttle(Some(RATE));
        let start = Instant::now();
        tcp.write_all(&said).await.unwrap();
        let mut heard = vec![0; said.len()];
        in_time("all that was said", tcp.read_exact(&mut heard)).await.unwrap();
        assert!(start.elapsed() >= takes, "{:?}", start.elapsed());
        assert_eq!(heard, said);

        proxy.heal();
        let start = Instant::now();
        echo(&mut tcp).await.unwrap();
        assert!(start.elapsed() < takes, "{:?}", start.elapsed());
    }
}
