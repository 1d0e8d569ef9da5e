//! What proxies say of whom they speak for: the PROXY protocol at the beginning of a connection, and `x-forwarded-for` in a
//! request. Of a connection no more is taken than the header, and nobody is believed who is not trusted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue};
use parlor_grpc_kit::{TrustedProxies, read_proxy_header};

use crate::Target;
use crate::input::{Input, Script};

/// Bytes before what is as long as the header says.
const HEAD: usize = 16;
/// A header is no longer, by docs/limits.md.
const MAX_HEADER: usize = 4096;
/// What a header of version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Where requests carry their way.
const NAME: &str = "x-forwarded-for";

pub(super) const HEADER: Target = Target {
    name: "proxy-header",
    about: "headers of the PROXY protocol",
    run: header,
    seeds: headers,
    max_len: 5_000,
};

pub(super) const FORWARDED: Target = Target {
    name: "forwarded-for",
    about: "the way of a request over proxies",
    run: forwarded,
    seeds: ways,
    max_len: 512,
};

fn read(data: &[u8]) -> (Option<Option<SocketAddr>>, usize) {
    let mut left = data;
    let said = read_proxy_header(&mut left).now_or_never().expect("all bytes are there");
    (said.ok(), data.len() - left.len())
}

fn header(data: &[u8]) {
    let (Some(said), taken) = read(data) else { return };
    assert!(data.starts_with(SIGNATURE), "what is no header is taken for one");
    let rest = usize::from(u16::from_be_bytes([data[HEAD - 2], data[HEAD - 1]]));
    assert!(taken == HEAD + rest && taken <= MAX_HEADER, "{taken} bytes are taken of a header of {rest}");
    assert_eq!(read(&data[..taken]), (Some(said), taken), "what follows changes what was said");
    assert_eq!(read(&data[..taken - 1]).0, None, "half a header is taken");
}

fn headers() -> Vec<Vec<u8>> {
    let seed = |command: u8, family: u8, rest: &[u8]| {
        let length = u16::try_from(rest.len()).expect("a seed is small").to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest, b"PRI * HTTP/2.0"].concat()
    };
    let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0x12, 0x34, 0x1e, 0x14];
    let v6 = [[0x20; 32].as_slice(), &[0x12, 0x34, 0x1e, 0x14]].concat();
    let authority = [v4.as_slice(), b"\x02\0\x0bexample.org", b"\x04\0\x02\0\0"].concat();
    vec![
        seed(0x21, 0x11, &v4),
        seed(0x21, 0x21, &v6),
        seed(0x21, 0x11, &authority),
        seed(0x20, 0x00, &[]),
        seed(0x21, 0x31, &[b'/'; 216]),
        b"PROXY TCP4 192.0.2.1 10.0.0.1 4660 7700\r\n".to_vec(),
    ]
}

fn forwarded(data: &[u8]) {
    let mut input = Input::new(data);
    let trusted = TrustedProxies::new(&["10.0.0.0/8".parse().expect("a network")]);
    let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(if input.flag() { 10 } else { 11 }, 0, 0, 1)), 7);
    let mut headers = HeaderMap::new();
    while !input.is_over() {
        if let Ok(value) = HeaderValue::from_bytes(input.bytes()) {
            headers.append(NAME, value);
        }
    }
    let sender = trusted.sender(peer, &headers);
    if !trusted.contains(peer.ip()) {
        assert_eq!(sender, peer, "who is not trusted speaks for somebody");
    }
    // What stands in front was sent along by whoever it is, and may be anything.
    if !trusted.contains(sender.ip()) {
        let mut claimed = HeaderMap::new();
        for (place, value) in headers.get_all(NAME).iter().enumerate() {
            let claim: &[u8] = if place == 0 { b"192.0.2.9, \xff, " } else { b"" };
            let value = [claim, value.as_bytes()].concat();
            claimed.append(NAME, HeaderValue::from_bytes(&value).expect("it is one with less in it"));
        }
        assert_eq!(trusted.sender(peer, &claimed), sender, "a claim changes who it is");
    }
}

fn ways() -> Vec<Vec<u8>> {
    let seed = |lines: &[&str]| {
        lines.iter().fold(Script::default().byte(1), |script, line| script.bytes(line.as_bytes())).end()
    };
    vec![
        seed(&["198.51.100.7"]),
        seed(&["203.0.113.9, 198.51.100.7, 10.9.9.9"]),
        seed(&["203.0.113.9", "[2001:db8::5]:443, 10.0.0.2:80"]),
        seed(&["unknown, 10.0.0.3"]),
    ]
}
