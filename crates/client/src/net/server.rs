//! Where a server is, and how to reach it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::{CONNECT_WITHIN, KEEP_ALIVE};
use crate::error::Error;

/// Where a profile keeps the authorities that may vouch for its server.
const AUTHORITIES: &str = "ca.pem";

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

    /// Only the authorities that this profile keeps may vouch for it, if it keeps any. Blocks.
    ///
    /// # Errors
    /// [`Error::File`]: they cannot be read.
    pub fn trusted_by(self, profile: &Path) -> Result<Self, Error> {
        let path = profile.join(AUTHORITIES);
        match fs::read(&path) {
            Ok(ca) => Ok(self.trusting(ca)),
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(self),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Has a profile keep the authorities of a file, for [`Server::trusted_by`]. Blocks.
    ///
    /// # Errors
    /// [`Error::File`]: the one cannot be read, or the other not written.
    pub fn keep_authorities(ca: &Path, profile: &Path) -> Result<(), Error> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::File { path, source }
        };
        let kept = profile.join(AUTHORITIES);
        let certificates = fs::read(ca).map_err(unusable(ca))?;
        fs::write(&kept, certificates).map_err(unusable(&kept))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_keeps_who_may_vouch() {
        let profile = tempfile::tempdir().unwrap();
        let trusted = || Server::new("https://chat.example.org").trusted_by(profile.path()).unwrap().ca;
        assert_eq!(trusted(), None, "those of this machine");
        let ca = profile.path().join("theirs.pem");
        assert!(Server::keep_authorities(&ca, profile.path()).is_err(), "it is not there");
        fs::write(&ca, "a certificate").unwrap();
        Server::keep_authorities(&ca, profile.path()).unwrap();
        fs::remove_file(&ca).unwrap();
        assert_eq!(trusted().as_deref(), Some(&b"a certificate"[..]));
    }
}
