//! What services that run apart need of each other: addresses and a credential.

use std::net::SocketAddr;
use std::path::PathBuf;

use http::Uri;
use parlor_runtime::config::{Problems, Secret, Validate};
use parlor_types::{Id as _, UserId};
use serde::{Deserialize, Serialize};

use super::tls::{check_files, check_plaintext};
use crate::failure::{Code, Failure};
use crate::program::{AUTH_SVC, CHAT_SVC, MEDIA_SVC, PRESENCE_SVC, Program, Service};

/// How services that run apart reach each other. Without use where all run in one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InternalConfig {
    /// Where this one listens for the others; port 0 takes any that is free. Not for clients: keep it inside. The default is
    /// that of auth-svc: chat-svc, presence-svc and media-svc have 7712 to 7714.
    pub listen: SocketAddr,
    /// The certificate that this service shows the others, in PEM; empty for clear text. With it every service wants to see
    /// one. When a file changes, new connections use the new one.
    pub tls_cert: PathBuf,
    /// Its private key in PEM.
    pub tls_key: PathBuf,
    /// The authority that has signed the certificates of all services, in PEM.
    pub tls_ca: PathBuf,
    /// Listen in clear text where others can reach it: because all of the network is trusted.
    pub allow_plaintext: bool,
    /// Where auth-svc listens for the others, such as `https://10.0.0.7:7711`; `http` without TLS.
    pub auth: String,
    /// Where presence-svc does.
    pub presence: String,
    /// Where media-svc does.
    pub media: String,
    /// Where chat-svc does.
    pub chat: String,
    /// The id of the service account that this service calls the others with: `auth-svc service-account create NAME
    /// --internal` makes one. auth-svc needs none.
    pub account: String,
    /// Its secret.
    pub secret: Secret,
}

impl Default for InternalConfig {
    fn default() -> Self {
        let usual = |program: &Program| program.internal.expect("it runs apart");
        let address = |program| format!("http://{}", usual(program));
        Self {
            listen: usual(&AUTH_SVC),
            tls_cert: PathBuf::new(),
            tls_key: PathBuf::new(),
            tls_ca: PathBuf::new(),
            allow_plaintext: false,
            auth: address(&AUTH_SVC),
            presence: address(&PRESENCE_SVC),
            media: address(&MEDIA_SVC),
            chat: address(&CHAT_SVC),
            account: String::new(),
            secret: Secret::from(String::new()),
        }
    }
}

impl InternalConfig {
    /// Where `service` listens for the others.
    pub(crate) fn address(&self, service: Service) -> &str {
        match service {
            Service::Auth => &self.auth,
            Service::Presence => &self.presence,
            Service::Media => &self.media,
            Service::Chat => &self.chat,
        }
    }

    /// The account to call others with.
    ///
    /// # Errors
    /// There is none, and `program` needs one.
    pub(crate) fn credential(&self, program: &Program) -> Result<(UserId, Secret), Failure> {
        let account = UserId::parse(&self.account).filter(|_| !self.secret.expose().is_empty());
        account.map(|account| (account, self.secret.clone())).ok_or_else(|| {
            let message = format!(
                "{} calls other services, and has no account for it: make one with `auth-svc service-account create NAME \
                 --internal`, and set internal.account and internal.secret",
                program.name
            );
            Failure::new(Code::Usage, message)
        })
    }
}

impl Validate for InternalConfig {
    fn check(&self, problems: &mut Problems) {
        let files = [("tls_cert", &*self.tls_cert), ("tls_key", &*self.tls_key), ("tls_ca", &*self.tls_ca)];
        check_files(problems, &files);
        check_plaintext(problems, self.listen.ip(), &self.tls_cert, self.allow_plaintext);
        let usual = Self::default();
        let scheme = if self.tls_cert.as_os_str().is_empty() { "http" } else { "https" };
        for service in [Service::Auth, Service::Presence, Service::Media, Service::Chat] {
            let address = self.address(service);
            let is_address = address.parse::<Uri>().is_ok_and(|uri| {
                uri.scheme_str() == Some(scheme)
                    && uri.host().is_some()
                    && uri.path() == "/"
                    && uri.query().is_none()
            });
            // The usual ones are where the others are in either case.
            if !is_address && address != usual.address(service) {
                let message = format!("is {address:?}, wanted is an address like {scheme}://10.0.0.7:7711");
                problems.add(service.part(), message);
            }
        }
        if !self.account.is_empty() && UserId::parse(&self.account).is_none() {
            problems.add("account", "is not the id of a service account, which is a UUID");
        }
    }
}
