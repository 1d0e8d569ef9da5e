//! What services that run apart need of each other: addresses and a credential.

use std::net::SocketAddr;

use http::Uri;
use parlor_runtime::config::{Problems, Secret, Validate};
use parlor_types::{Id as _, UserId};
use serde::{Deserialize, Serialize};

use crate::failure::{Code, Failure};
use crate::program::{AUTH_SVC, CHAT_SVC, MEDIA_SVC, PRESENCE_SVC, Program, Service};

/// How services that run apart reach each other. Without use where all run in one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InternalConfig {
    /// Where this one listens for the others; port 0 takes any that is free. Not for clients: keep it inside.
    pub listen: SocketAddr,
    /// Where auth-svc listens for the others, such as `http://10.0.0.7:7711`.
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
        for (key, address) in
            [("auth", &self.auth), ("presence", &self.presence), ("media", &self.media), ("chat", &self.chat)]
        {
            let is_address = address.parse::<Uri>().is_ok_and(|uri| {
                uri.scheme_str() == Some("http")
                    && uri.host().is_some()
                    && uri.path() == "/"
                    && uri.query().is_none()
            });
            if !is_address {
                problems.add(key, format!("is {address:?}, wanted is an address like http://10.0.0.7:7711"));
            }
        }
        if !self.account.is_empty() && UserId::parse(&self.account).is_none() {
            problems.add("account", "is not the id of a service account, which is a UUID");
        }
    }
}
