//! Certificates for a try: an authority of its own, one certificate for the public address and one for the services among
//! themselves. The authority's key is not kept, so nobody can make more of them.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use parlor_runtime::clock::{Clock as _, SystemClock};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::print;
use crate::failure::{Code, Failure};

/// Certificates may be read by all, keys by their owner.
const CERT_MODE: u32 = 0o644;
const KEY_MODE: u32 = 0o600;
/// Who is meant by nobody else.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes `ca.pem`, and `server` and `services` each as `.pem` and `.key`, in the folder `dir`, for this machine and `names`
/// (host names or addresses). Files that are there stay as they are.
///
/// # Errors
/// A name is none, a file is there already, or cannot be written.
pub fn dev_certs(dir: &Path, names: &[String]) -> Result<(), Failure> {
    let names: Vec<String> =
        LOCAL.iter().map(|name| (*name).to_owned()).chain(names.iter().cloned()).collect();
    let made = make(&names).map_err(|error| Failure::new(Code::Usage, format!("no certificate: {error}")))?;
    fs::create_dir_all(dir).map_err(|error| Failure::io("make", dir, &error))?;
    for (name, mode, text) in &made {
        let path = dir.join(name);
        write(&path, *mode, text).map_err(|error| Failure::io("make", &path, &error))?;
    }
    let dir = dir.display();
    print(&format!(
        "certificates in {dir}, for a try: for {}\n\
         server     --tls-cert {dir}/server.pem --tls-key {dir}/server.key\n\
         clients    parlor --ca {dir}/ca.pem --server https://localhost:7700\n\
         services   --set internal.tls_cert={dir}/services.pem --set internal.tls_key={dir}/services.key \
         --set internal.tls_ca={dir}/ca.pem\n",
        names.join(", ")
    ))
}

/// Name, mode and text of each file.
fn make(names: &[String]) -> Result<Vec<(&'static str, u32, String)>, rcgen::Error> {
    let mut authority = params(&[], "Parlor, for a try")?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let ca = authority.self_signed(&key)?.pem();
    let issuer = Issuer::new(authority, key);
    let mut files = vec![("ca.pem", CERT_MODE, ca)];
    let server = [ExtendedKeyUsagePurpose::ServerAuth];
    let services = [ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    for (cert, key, usages) in
        [("server.pem", "server.key", &server[..]), ("services.pem", "services.key", &services[..])]
    {
        let mut leaf = params(names, cert.trim_end_matches(".pem"))?;
        leaf.extended_key_usages = usages.to_vec();
        leaf.use_authority_key_identifier_extension = true;
        let pair = KeyPair::generate()?;
        files.push((cert, CERT_MODE, leaf.signed_by(&pair, &issuer)?.pem()));
        files.push((key, KEY_MODE, pair.serialize_pem()));
    }
    Ok(files)
}

/// Good from the beginning of this year to the end of the next.
fn params(names: &[String], called: &str) -> Result<CertificateParams, rcgen::Error> {
    let now = humantime::format_rfc3339_seconds(SystemClock.wall()).to_string();
    let year = now[..4].parse().expect("a date begins with its year");
    let mut params = CertificateParams::new(names)?;
    params.not_before = date_time_ymd(year, 1, 1);
    params.not_after = date_time_ymd(year + 1, 12, 31);
    params.distinguished_name.push(DnType::CommonName, called);
    Ok(params)
}

fn write(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
}

/// Whether a certificate can be for it: a name or an address.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    let is_name =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.*".contains(&byte));
    if is_name || text.parse::<IpAddr>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("is neither a host name nor an address".to_owned())
    }
}
