//! TLS 1.3 for what is served and for calls between services, from files that may be exchanged while it is in use.
//!
//! Whoever changes the files needs to tell nobody: they are looked at every few seconds, and new connections use what is
//! there then; connections there are go on. What cannot be used is told in the log, and changes nothing.

mod pem;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use tokio::time::{MissedTickBehavior, interval};

pub use pem::PemError;

/// How often the files are looked at.
const LOOK_EACH: Duration = Duration::from_secs(2);

/// Files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those between it and the authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities whose certificates the other side must show; none asks for none.
    pub ca: Option<PathBuf>,
}

/// Why TLS cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error(transparent)]
    File(#[from] PemError),
    /// The files do not fit each other, or what we speak.
    #[error("{} and its key cannot be used: {reason}", cert.display())]
    Unfit {
        /// The certificate.
        cert: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What a server shows and asks for. Clones share it.
#[derive(Clone)]
pub struct ServerTls(Arc<Kept<ServerConfig>>);

/// What a client of another service shows and asks for. Clones share it.
#[derive(Clone)]
pub struct ClientTls(Arc<Kept<ClientConfig>>);

/// A configuration made of files, and the bytes it was made of.
struct Kept<C> {
    files: TlsFiles,
    make: fn(&TlsFiles, &Read) -> Result<C, TlsError>,
    now: ArcSwap<(Read, Arc<C>)>,
}

/// The bytes of the files.
#[derive(PartialEq, Eq)]
struct Read {
    cert: Vec<u8>,
    key: Vec<u8>,
    ca: Option<Vec<u8>>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        Kept::load(files, server).map(|kept| Self(Arc::new(kept)))
    }

    /// Follows changes of the files, for as long as it is polled.
    pub async fn follow(&self) -> Infallible {
        self.0.follow().await
    }

    pub(crate) fn now(&self) -> Arc<ServerConfig> {
        self.0.now()
    }
}

impl ClientTls {
    /// Reads the files. Without a `ca` nobody is trusted.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        Kept::load(files, client).map(|kept| Self(Arc::new(kept)))
    }

    /// Follows changes of the files, for as long as it is polled.
    pub async fn follow(&self) -> Infallible {
        self.0.follow().await
    }

    pub(crate) fn now(&self) -> Arc<ClientConfig> {
        self.0.now()
    }
}

impl<C> Kept<C> {
    fn load(files: TlsFiles, make: fn(&TlsFiles, &Read) -> Result<C, TlsError>) -> Result<Self, TlsError> {
        let read = Read::of(&files)?;
        let made = Arc::new(make(&files, &read)?);
        Ok(Self { files, make, now: ArcSwap::from_pointee((read, made)) })
    }

    fn now(&self) -> Arc<C> {
        Arc::clone(&self.now.load().1)
    }

    async fn follow(&self) -> Infallible {
        let mut ticks = interval(LOOK_EACH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            ticks.tick().await;
            match self.look() {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(cert = %self.files.cert.display(), "the certificate was exchanged")
                }
                // Once: files that are being written are looked at again soon.
                Err(error) if told.as_ref() != Some(&error.to_string()) => {
                    tracing::warn!(%error, "the certificate is not exchanged");
                    told = Some(error.to_string());
                }
                Err(_) => {}
            }
        }
    }

    /// Whether there was something new, which is used from now on.
    fn look(&self) -> Result<bool, TlsError> {
        let read = Read::of(&self.files)?;
        if read == self.now.load().0 {
            return Ok(false);
        }
        let made = Arc::new((self.make)(&self.files, &read)?);
        self.now.store(Arc::new((read, made)));
        Ok(true)
    }
}

impl Read {
    fn of(files: &TlsFiles) -> Result<Self, PemError> {
        let ca = files.ca.as_ref().map(|ca| pem::read(ca)).transpose()?;
        Ok(Self { cert: pem::read(&files.cert)?, key: pem::read(&files.key)?, ca })
    }
}

/// The one of the whole project.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn server(files: &TlsFiles, read: &Read) -> Result<ServerConfig, TlsError> {
    let unfit = |reason: String| TlsError::Unfit { cert: files.cert.clone(), reason };
    let builder = ServerConfig::builder_with_provider(provider());
    let builder = builder.with_protocol_versions(&[&TLS13]).map_err(|error| unfit(error.to_string()))?;
    let builder = match (&files.ca, &read.ca) {
        (Some(path), Some(ca)) => {
            let roots = Arc::new(pem::roots(path, ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unfit(error.to_string()))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let (cert, key) = (pem::chain(&files.cert, &read.cert)?, pem::key(&files.key, &read.key)?);
    let mut config = builder.with_single_cert(cert, key).map_err(|error| unfit(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn client(files: &TlsFiles, read: &Read) -> Result<ClientConfig, TlsError> {
    let unfit = |reason: String| TlsError::Unfit { cert: files.cert.clone(), reason };
    let roots = match (&files.ca, &read.ca) {
        (Some(path), Some(ca)) => pem::roots(path, ca)?,
        _ => rustls::RootCertStore::empty(),
    };
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_protocol_versions(&[&TLS13]).map_err(|error| unfit(error.to_string()))?;
    let (cert, key) = (pem::chain(&files.cert, &read.cert)?, pem::key(&files.key, &read.key)?);
    let config = builder.with_root_certificates(roots).with_client_auth_cert(cert, key);
    let mut config = config.map_err(|error| unfit(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerTls").field(&self.0.files).finish()
    }
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ClientTls").field(&self.0.files).finish()
    }
}
