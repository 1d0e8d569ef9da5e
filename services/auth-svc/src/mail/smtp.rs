//! Mail over SMTP, through the mail server of whoever runs this one: one connection for each mail, there are few.

use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use parlor_runtime::config::Secret;
use serde::{Deserialize, Serialize};

use super::message::render;
use super::{Mail, Mailer, SendError};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Where mail is handed over.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port; none is the usual one.
    pub port: Option<u16>,
    /// How the connection is secured.
    pub security: SmtpSecurity,
    /// How to log in, if it asks for that.
    pub login: Option<SmtpLogin>,
    /// How long a step of the dialogue may take.
    pub timeout: Duration,
}

/// How the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// By STARTTLS, usually on port 587; a server that does not offer it gets no mail.
    Starttls,
    /// By TLS from the first byte on, usually on port 465.
    Tls,
    /// Not at all, usually on port 25: codes can be read on the way. Without a log-in only.
    None,
}

/// How to log in.
#[derive(Clone, Debug)]
pub struct SmtpLogin {
    /// The name.
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Sends mail by SMTP.
#[derive(Debug)]
pub struct SmtpMailer {
    from: Mailbox,
    transport: Transport,
}

impl SmtpMailer {
    /// By way of `server`. Nothing is connected yet.
    ///
    /// # Errors
    /// The name of the server is none a certificate could have; the text says so.
    pub fn new(from: Mailbox, server: SmtpServer) -> Result<Self, String> {
        let builder = match server.security {
            SmtpSecurity::Tls => Transport::relay(&server.host),
            SmtpSecurity::Starttls => Transport::starttls_relay(&server.host),
            SmtpSecurity::None => Ok(Transport::builder_dangerous(server.host.as_str())),
        };
        let mut builder = builder.map_err(|error| error.to_string())?;
        if let Some(port) = server.port {
            builder = builder.port(port);
        }
        if let Some(login) = server.login {
            builder =
                builder.credentials(Credentials::new(login.username, login.password.expose().to_owned()));
        }
        let hello = ClientId::Domain(from.email.domain().to_owned());
        let transport = builder.hello_name(hello).timeout(Some(server.timeout)).build();
        Ok(Self { from, transport })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let rendered = render(&self.from, mail)?;
        self.transport.send(rendered.message).await.map(drop).map_err(|error| describe(&error))
    }
}

/// Words of our own where those of the mail server could repeat the address.
fn describe(error: &smtp::Error) -> SendError {
    match error.status() {
        Some(code) if error.is_permanent() => SendError::Refused(format!("the mail server answered {code}")),
        Some(code) => SendError::Failed(format!("the mail server answered {code}")),
        None if error.is_response() => {
            SendError::Failed("the mail server answered something else".to_owned())
        }
        None => SendError::Failed(error.to_string()),
    }
}
