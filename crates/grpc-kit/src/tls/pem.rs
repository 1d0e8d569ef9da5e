//! Certificates and keys in files.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Largest file that is read, bytes: many certificates.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct PemError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong; never what is in it.
    pub reason: String,
}

fn wrong(path: &Path, reason: impl std::fmt::Display) -> PemError {
    PemError { path: path.to_owned(), reason: reason.to_string() }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, PemError> {
    let length = std::fs::metadata(path).map_err(|error| wrong(path, error))?.len();
    if length > MAX_BYTES {
        return Err(wrong(path, io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    std::fs::read(path).map_err(|error| wrong(path, error))
}

pub(super) fn chain(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| wrong(path, format!("is no certificate in PEM: {error}")))?;
    if chain.is_empty() { Err(wrong(path, "holds no certificate")) } else { Ok(chain) }
}

pub(super) fn key(path: &Path, text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    // The reason may quote the file, which holds a secret.
    PrivateKeyDer::from_pem_slice(text).map_err(|_| wrong(path, "holds no private key in PEM"))
}

pub(super) fn roots(path: &Path, text: &[u8]) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    for root in chain(path, text)? {
        roots.add(root).map_err(|error| wrong(path, error))?;
    }
    Ok(roots)
}
