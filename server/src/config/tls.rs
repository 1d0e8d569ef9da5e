//! Which files make TLS, and where none is needed.

use std::net::IpAddr;
use std::path::Path;

use parlor_grpc_kit::{ClientTls, ServerTls, TlsFiles};
use parlor_runtime::config::Problems;

use super::{InternalConfig, ServerConfig};
use crate::failure::{Code, Failure};

impl ServerConfig {
    /// TLS of the public address, if it has files for it.
    ///
    /// # Errors
    /// They cannot be used.
    pub(crate) fn tls(&self) -> Result<Option<ServerTls>, Failure> {
        if self.tls_cert.as_os_str().is_empty() {
            return Ok(None);
        }
        let files = TlsFiles { cert: self.tls_cert.clone(), key: self.tls_key.clone(), ca: None };
        ServerTls::load(files).map(Some).map_err(|error| Failure::new(Code::Usage, format!("TLS: {error}")))
    }
}

impl InternalConfig {
    /// TLS of both sides between services, if there are files for it: each shows its certificate, and wants to see one.
    ///
    /// # Errors
    /// They cannot be used.
    pub(crate) fn tls(&self) -> Result<Option<(ServerTls, ClientTls)>, Failure> {
        if self.tls_cert.as_os_str().is_empty() {
            return Ok(None);
        }
        let files = TlsFiles {
            cert: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            ca: Some(self.tls_ca.clone()),
        };
        let both = ServerTls::load(files.clone()).and_then(|server| Ok((server, ClientTls::load(files)?)));
        both.map(Some).map_err(|error| Failure::new(Code::Usage, format!("TLS between services: {error}")))
    }
}

/// Files of which all are named, or none.
pub(super) fn check_files(problems: &mut Problems, files: &[(&str, &Path)]) {
    let is_named = |path: &Path| !path.as_os_str().is_empty();
    if files.iter().any(|(_, path)| is_named(path)) {
        for (key, _) in files.iter().filter(|(_, path)| !is_named(path)) {
            problems.add(*key, "is not set, and the other files of TLS are");
        }
    }
}

/// Clear text is for this machine alone, unless an operator says otherwise.
pub(super) fn check_plaintext(problems: &mut Problems, listen: IpAddr, cert: &Path, allowed: bool) {
    if !listen.is_loopback() && cert.as_os_str().is_empty() && !allowed {
        let message = format!(
            "is {listen}, which others can reach, and there is no TLS: set tls_cert and tls_key; or, where something \
             else ends TLS or the network is trusted, allow_plaintext = true"
        );
        problems.add("listen", message);
    }
}
