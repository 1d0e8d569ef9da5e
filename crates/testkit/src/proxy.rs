//! A network that breaks: a TCP proxy that cuts, hangs, lags and throttles on command.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
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

/// What the network does now.
#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    /// Connections opened before this count was reached are cut.
    cuts: u64,
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
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let weather = watch::Sender::new(Weather::default());
        tokio::spawn(accept(listener, upstream, weather.subscribe()));
        Self { address, weather }
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
        self.weather.send_modify(|weather| weather.cuts += 1);
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
        self.weather.send_modify(|weather| *weather = Weather { cuts: weather.cuts, ..Weather::default() });
    }

    /// Cuts new connections at once, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.weather.send_modify(|weather| weather.refuses = refuses);
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, mut weather: watch::Receiver<Weather>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                if !weather.borrow().refuses {
                    tokio::spawn(carry(client, upstream, weather.clone()));
                }
            }
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

/// Carries both directions until one fails or the connection is cut; then both ends are closed.
async fn carry(client: TcpStream, upstream: SocketAddr, mut weather: watch::Receiver<Weather>) {
    let cuts = weather.borrow().cuts;
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    drop((client.set_nodelay(true), server.set_nodelay(true)));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, weather.clone());
    let down = pump(from_server, to_client, weather.clone());
    tokio::select! {
        _ = async { tokio::try_join!(up, down) } => {}
        _ = weather.wait_for(|weather| weather.cuts > cuts) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
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
