//! What an operator may change of the public address.

use std::time::Duration;

use ipnet::IpNet;

/// See the fields; the defaults are for clients that connect directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Open connections from one network address (IPv6: one subnet of 64 bits). Those of `trusted_proxies` that speak for
    /// themselves are not limited so.
    pub max_connections_per_address: usize,
    /// Open connections in all.
    pub max_connections: usize,
    /// Connections that have yet to shake hands; those who come meanwhile wait.
    pub max_handshakes: usize,
    /// Networks whose proxies are believed when they say whom they speak for: by `x-forwarded-for`, and if
    /// `proxy_protocol` is set by that.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections from `trusted_proxies` begin with a header of the PROXY protocol, version 2.
    pub proxy_protocol: bool,
    /// A ping is sent on an HTTP/2 connection that has been silent this long.
    pub keepalive_interval: Duration,
    /// A connection whose ping is not answered within this is cut.
    pub keepalive_timeout: Duration,
    /// Origins of web pages that may call, such as `https://chat.example.org`; `*` allows all.
    pub allowed_origins: Vec<String>,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_connections_per_address: 64,
            max_connections: 20_000,
            max_handshakes: 256,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            allowed_origins: vec!["*".to_owned()],
        }
    }
}

/// Why there is no serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An allowed origin is not text for a header.
    #[error("{0:?} is not an origin")]
    Origin(String),
    /// The server failed.
    #[error("the server failed: {0}")]
    Server(#[source] tonic::transport::Error),
}
