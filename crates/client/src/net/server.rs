//! Where a server is, and how to reach it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::dial::{Dial, Dialing};
use super::{CONNECT_WITHIN, KEEP_ALIVE};
use crate::error::Error;

/// Where a profile keeps the authorities that may vouch for its server.
const AUTHORITIES: &str = "ca.pem";

/// The services that may be elsewhere, as an address names them.
const ELSEWHERE: [&str; 3] = ["auth", "presence", "media"];

/// A server: its address, such as `https://chat.example.org`, and the authorities that may vouch for it.
///
/// Where nothing brings its services together, the address is that of chat-svc, and behind it stand those of the others:
/// `https://chat.example.org,auth=https://auth.example.org,presence=https://presence.example.org,media=https://media.example.org`.
/// Whatever is not named is at the first.
#[derive(Debug, Clone)]
pub struct Server {
    address: String,
    ca: Option<Vec<u8>>,
    dial: Option<Dial>,
}

impl Server {
    /// At `address`; over TLS (`https`) the authorities that this machine trusts may vouch for it.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), ca: None, dial: None }
    }

    /// Only these authorities, certificates in PEM, may vouch for it.
    #[must_use]
    pub fn trusting(self, ca: Vec<u8>) -> Self {
        Self { ca: Some(ca), ..self }
    }

    /// Connections come about by this, which is given a host and a port, and not by TCP: through a tunnel, say. TLS is
    /// spoken over it as over TCP.
    #[must_use]
    pub fn through(self, dial: impl Fn(String, u16) -> Dialing + Send + Sync + 'static) -> Self {
        Self { dial: Some(Dial::new(dial)), ..self }
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

    /// Connections that come about when they are first used, and again whenever they must.
    pub(super) fn channels(&self) -> Result<Channels, Error> {
        let mut parts = self.address.split(',').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let mut named: [Option<&str>; 3] = [None; 3];
        for part in parts {
            let (name, address) = part.split_once('=').ok_or_else(|| self.not_one(part))?;
            let place = ELSEWHERE.iter().position(|service| *service == name);
            let place = place.ok_or_else(|| self.not_one(part))?;
            if named[place].replace(address).is_some() {
                return Err(self.not_one(part));
            }
        }
        let chat = self.channel(first)?;
        let at = |address: Option<&str>| address.map_or_else(|| Ok(chat.clone()), |it| self.channel(it));
        let [auth, presence, media] = named;
        let (auth, presence) = (at(auth)?, at(presence)?);
        Ok(Channels { auth, presence, files: self.channel(media.unwrap_or(first))?, chat })
    }

    fn not_one(&self, part: &str) -> Error {
        Error::Address(if part == self.address {
            part.to_owned()
        } else {
            format!("{part} in {}", self.address)
        })
    }

    fn channel(&self, address: &str) -> Result<Channel, Error> {
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| self.not_one(address))?;
        let scheme = endpoint.uri().scheme_str().map(str::to_owned);
        let endpoint = match scheme.as_deref() {
            Some("http") => endpoint,
            Some("https") => endpoint.tls_config(self.tls()).map_err(|_| self.not_one(address))?,
            _ => return Err(self.not_one(address)),
        };
        let (interval, timeout) = KEEP_ALIVE;
        let endpoint = endpoint
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(interval)
            .keep_alive_timeout(timeout)
            .keep_alive_while_idle(true);
        Ok(match &self.dial {
            Some(dial) => dial.connect_lazy(&endpoint),
            None => endpoint.connect_lazy(),
        })
    }

    fn tls(&self) -> ClientTlsConfig {
        match &self.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)),
            None => ClientTlsConfig::new().with_native_roots(),
        }
    }
}

/// The ways to its services.
#[derive(Debug, Clone)]
pub(super) struct Channels {
    pub auth: Channel,
    pub chat: Channel,
    pub presence: Channel,
    /// A connection of their own for files, so that no text waits behind one.
    pub files: Channel,
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

    #[tokio::test]
    async fn an_address_is_one_or_says_where_the_others_are() {
        for good in [
            "http://a:1",
            "https://a.example",
            "http://a:1,media=http://b:2",
            "http://a:1, auth=http://b:2, presence=https://c, media=http://d:4",
        ] {
            assert!(Server::new(good).channels().is_ok(), "{good}");
        }
        for bad in [
            "",
            "a:1",
            "ftp://a",
            "http://a:1,http://b:2",
            "http://a:1,chat=http://b:2",
            "http://a:1,auth=b",
            "http://a:1,auth=http://b:2,auth=http://c:3",
            "auth=http://a:1",
        ] {
            assert!(matches!(Server::new(bad).channels(), Err(Error::Address(_))), "{bad:?}");
        }
    }

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
