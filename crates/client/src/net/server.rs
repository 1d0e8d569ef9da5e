//! Where a server is, and how to reach it.

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::{CONNECT_WITHIN, KEEP_ALIVE};
use crate::error::Error;

/// A server: its address, such as `https://chat.example.org`, and the authorities that may vouch for it.
#[derive(Debug, Clone)]
pub struct Server {
    address: String,
    ca: Option<Vec<u8>>,
}

impl Server {
    /// At `address`; over TLS (`https`) the authorities that this machine trusts may vouch for it.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), ca: None }
    }

    /// Only these authorities, certificates in PEM, may vouch for it.
    #[must_use]
    pub fn trusting(self, ca: Vec<u8>) -> Self {
        Self { ca: Some(ca), ..self }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Connects when first used, and again whenever it must.
    pub(super) fn channel(&self) -> Result<Channel, Error> {
        let not_one = |_| Error::Address(self.address.clone());
        let endpoint = Endpoint::from_shared(self.address.clone()).map_err(not_one)?;
        let scheme = endpoint.uri().scheme_str().map(str::to_owned);
        let endpoint = match scheme.as_deref() {
            Some("http") => endpoint,
            Some("https") => endpoint.tls_config(self.tls()).map_err(not_one)?,
            _ => return Err(Error::Address(self.address.clone())),
        };
        let (interval, timeout) = KEEP_ALIVE;
        let endpoint = endpoint
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(interval)
            .keep_alive_timeout(timeout)
            .keep_alive_while_idle(true);
        Ok(endpoint.connect_lazy())
    }

    fn tls(&self) -> ClientTlsConfig {
        match &self.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
            None => ClientTlsConfig::new().with_native_roots(),
        }
    }
}

impl From<&str> for Server {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}

impl From<&String> for Server {
    fn from(address: &String) -> Self {
        Self::new(address)
    }
}
