//! What an operator may change of the public address.

use std::time::Duration;

/// See the fields; the defaults are for clients that connect directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeOptions {
    /// Open connections from one network address (IPv6: one subnet of 64 bits). Behind a proxy all connections come
    /// from the proxy: set it to `max_connections` there.
    pub max_connections_per_address: usize,
    /// Open connections in all.
    pub max_connections: usize,
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
