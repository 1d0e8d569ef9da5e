//! Connections that come through a proxy of the operator: who is at their far end.
//!
//! Only what a trusted network says is believed. A proxy that passes bytes on says it with the PROXY protocol, version 2, at
//! the beginning of the connection; one that passes requests on says it with `x-forwarded-for`, in each.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, Request};
use ipnet::IpNet;
use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tonic::transport::server::TcpConnectInfo;
use tower::{Layer, Service};

/// What the header of a trusted proxy begins with: signature, version, family and the length of what follows, bytes.
const HEAD: usize = 16;
/// Largest header that is taken, bytes: addresses, and some fields that are not looked at.
const MAX_HEADER: usize = 4096;
/// Where requests carry their way.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The networks whose proxies are believed.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Arc<[IpNet]>);

impl Trusted {
    /// These.
    #[must_use]
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether whoever has this address is believed.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came from `peer`: going back over the proxies that are trusted, the first who is not.
    #[must_use]
    pub fn sender(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut sender = peer;
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        // Of what a client sends along anything may be in front, also what is no text: each hop is looked at by itself.
        let hops = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            if !self.contains(sender.ip()) {
                break;
            }
            match str::from_utf8(hop).ok().and_then(|hop| address(hop.trim())) {
                Some(before) => sender = before,
                None => break,
            }
        }
        sender
    }
}

/// With a port or without.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = || text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    text.parse().ok().or_else(|| Some(SocketAddr::new(bare()?, 0)))
}

/// Takes the header of the PROXY protocol off the beginning of a connection: who is at its far end. `None` where the proxy
/// speaks for itself.
///
/// # Errors
/// There is no such header.
pub async fn read_header(wire: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "no header of the PROXY protocol, version 2");
    let mut header = vec![0; HEAD];
    wire.read_exact(&mut header).await?;
    let rest = usize::from(u16::from_be_bytes([header[HEAD - 2], header[HEAD - 1]]));
    if HEAD + rest > MAX_HEADER {
        return Err(invalid());
    }
    header.resize(HEAD + rest, 0);
    wire.read_exact(&mut header[HEAD..]).await?;
    let config = ParseConfig { include_tlvs: false, allow_v1: false, allow_v2: true };
    let (parsed, _) = ProxyHeader::parse(&header, config).map_err(|_| invalid())?;
    Ok(parsed.proxied_address().map(|address| address.source))
}

/// Makes requests come from who sent them.
#[derive(Debug, Clone)]
pub(super) struct ForwardedLayer(pub(super) Trusted);

impl<S> Layer<S> for ForwardedLayer {
    type Service = Forwarded<S>;

    fn layer(&self, inner: S) -> Forwarded<S> {
        Forwarded { inner, trusted: self.0.clone() }
    }
}

/// See [`ForwardedLayer`].
#[derive(Debug, Clone)]
pub(super) struct Forwarded<S> {
    inner: S,
    trusted: Trusted,
}

impl<S, B> Service<Request<B>> for Forwarded<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let peer = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
        if let Some(sender) = peer.map(|peer| self.trusted.sender(peer, request.headers()))
            && let Some(info) = request.extensions_mut().get_mut::<TcpConnectInfo>()
        {
            info.remote_addr = Some(sender);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn sender(peer: &str, forwarded: &[&str]) -> String {
        let trusted = Trusted::new(&["10.0.0.0/8".parse().unwrap(), "2001:db8::/64".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        trusted.sender(SocketAddr::new(peer.parse().unwrap(), 7), &headers).ip().to_string()
    }

    #[test]
    fn who_is_not_trusted_speaks_for_itself_alone() {
        assert_eq!(sender("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(sender("2001:db9::1", &["198.51.100.7"]), "2001:db9::1");
    }

    #[test]
    fn what_a_trusted_proxy_says_is_believed_and_nothing_before_it() {
        assert_eq!(sender("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(sender("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7", "the rest is a claim");
        assert_eq!(sender("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7", "in two headers");
        assert_eq!(sender("10.0.0.1", &["198.51.100.7, 10.9.9.9"]), "198.51.100.7", "two proxies");
        assert_eq!(sender("::ffff:10.0.0.1", &["[2001:db9::5]:443"]), "2001:db9::5");
        assert_eq!(sender("2001:db8::1", &["198.51.100.7:1234"]), "198.51.100.7");
    }

    #[test]
    fn what_is_no_text_hides_nothing_of_what_a_proxy_says_after_it() {
        assert_eq!(sender("10.0.0.1", &["203.0.113.9", "\u{ff}, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            sender("10.0.0.1", &["203.0.113.9", "\u{ff}"]),
            "10.0.0.1",
            "nor is what stands before it believed"
        );
    }

    #[test]
    fn a_proxy_that_says_nothing_of_use_is_the_sender() {
        for nothing in [&[][..], &["unknown"], &[""]] {
            assert_eq!(sender("10.0.0.1", nothing), "10.0.0.1", "{nothing:?}");
        }
    }
}
