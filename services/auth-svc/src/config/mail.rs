//! How mail is sent.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use parlor_runtime::config::{Problems, Secret, Validate, choice, duration};
use serde::{Deserialize, Serialize};

use crate::mail::{SmtpLogin, SmtpSecurity, SmtpServer};

/// How mail is sent: without it no e-mail address can be proved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// How it leaves: `none` is not at all.
    #[serde(deserialize_with = "choice::deserialize")]
    pub transport: MailTransport,
    /// Whom it is from, such as `Parlor <parlor@example.org>`. The domain is also what the mail server is greeted with.
    pub from: String,
    /// With `folder`: where the files go.
    pub folder: PathBuf,
    /// Mails that may wait to be sent; beyond, callers are told to come back later.
    pub waiting: usize,
    /// With `smtp`: the mail server.
    pub smtp: SmtpConfig,
}

/// How mail leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// Not at all: SetEmail answers MAIL_UNAVAILABLE.
    None,
    /// Through a mail server.
    Smtp,
    /// Into a folder, as `.eml` files: for development.
    Folder,
}

/// The mail server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name, which its certificate must have. Trusted are the authorities that the system trusts, or those of the
    /// file that the environment variable `SSL_CERT_FILE` names.
    pub host: String,
    /// Its port; 0 is the usual one: 465, 587 or 25, as `security` is.
    pub port: u16,
    /// How the connection is secured.
    #[serde(deserialize_with = "choice::deserialize")]
    pub security: SmtpSecurity,
    /// The name to log in with; none is not at all.
    pub username: Option<String>,
    /// The password to log in with.
    pub password: Option<Secret>,
    /// How long one step of the dialogue may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            transport: MailTransport::None,
            from: String::new(),
            folder: PathBuf::new(),
            waiting: 256,
            smtp: SmtpConfig::default(),
        }
    }
}

impl Default for SmtpConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 0,
            security: SmtpSecurity::Starttls,
            username: None,
            password: None,
            timeout: Duration::from_secs(20),
        }
    }
}

impl MailConfig {
    /// Whom mail is from.
    ///
    /// # Errors
    /// The rule it breaks.
    pub(crate) fn mailbox(&self) -> Result<Mailbox, &'static str> {
        let mailbox: Option<Mailbox> = self.from.parse().ok();
        mailbox.ok_or("must be an e-mail address, such as \"Parlor <parlor@example.org>\"")
    }
}

impl SmtpConfig {
    pub(crate) fn server(&self) -> SmtpServer {
        let login = self.username.clone().zip(self.password.clone());
        SmtpServer {
            host: self.host.clone(),
            port: Some(self.port).filter(|port| *port > 0),
            security: self.security,
            login: login.map(|(username, password)| SmtpLogin { username, password }),
            timeout: self.timeout,
        }
    }
}

impl Validate for MailConfig {
    fn check(&self, problems: &mut Problems) {
        problems.range("waiting", &self.waiting, 1..=100_000);
        problems.within("smtp", &self.smtp);
        if self.transport == MailTransport::None {
            return;
        }
        if let Err(rule) = self.mailbox() {
            problems.add("from", format!("is {:?}, {rule}", self.from));
        }
        if self.transport == MailTransport::Folder && self.folder.as_os_str().is_empty() {
            problems.add("folder", "must be given with transport \"folder\"");
        }
        if self.transport == MailTransport::Smtp && self.smtp.host.is_empty() {
            problems.add("smtp.host", "must be given with transport \"smtp\"");
        }
    }
}

impl Validate for SmtpConfig {
    fn check(&self, problems: &mut Problems) {
        problems.range("timeout", &self.timeout, Duration::from_secs(1)..=Duration::from_secs(300));
        if self.username.is_some() != self.password.is_some() {
            problems.add("username", "and password must be given both or not at all");
        } else if self.username.is_some() && self.security == SmtpSecurity::None {
            problems.add("security", "must not be \"none\" with a password, which could be read on the way");
        }
    }
}

impl PartialEq for SmtpConfig {
    fn eq(&self, other: &Self) -> bool {
        let Self { host, port, security, username, password, timeout } = self;
        let exposed = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        (host, port, security, username, timeout)
            == (&other.host, &other.port, &other.security, &other.username, &other.timeout)
            && exposed(password) == exposed(&other.password)
    }
}

#[cfg(test)]
mod tests {
    use parlor_runtime::config::{Sources, load};

    use crate::Config;

    fn problems(set: &[&str]) -> Vec<String> {
        let set = set.iter().map(|flag| (*flag).to_owned()).collect();
        match load::<Config>(&Sources { set, ..Sources::default() }) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.key.clone()).collect(),
        }
    }

    #[test]
    fn what_a_transport_needs_must_be_there() {
        let from = "mail.from=Parlor <parlor@example.org>";
        assert_eq!(problems(&["mail.transport=none"]), [""; 0]);
        assert_eq!(problems(&["mail.transport=folder"]), ["mail.folder", "mail.from"]);
        assert_eq!(problems(&["mail.transport=folder", "mail.folder=mails", from]), [""; 0]);
        assert_eq!(problems(&["mail.transport=smtp"]), ["mail.from", "mail.smtp.host"]);
        let smtp = ["mail.transport=smtp", "mail.smtp.host=mail.example.org", from];
        assert_eq!(problems(&smtp), [""; 0]);
        assert_eq!(problems(&["mail.transport=pigeon"]), ["mail.transport"]);
        assert_eq!(
            problems(&["mail.waiting=0", "mail.smtp.timeout=0s"]),
            ["mail.smtp.timeout", "mail.waiting"]
        );
    }

    #[test]
    fn a_password_is_neither_sent_in_the_clear_nor_shown() {
        let login = ["mail.smtp.username=parlor", "mail.smtp.password=wolkenkratzer"];
        assert_eq!(problems(&login), [""; 0]);
        assert_eq!(problems(&login[..1]), ["mail.smtp.username"]);
        assert_eq!(problems(&login[1..]), ["mail.smtp.username"]);
        assert_eq!(problems(&[login[0], login[1], "mail.smtp.security=none"]), ["mail.smtp.security"]);
        let sources = Sources { set: login.map(str::to_owned).to_vec(), ..Sources::default() };
        let loaded = load::<Config>(&sources).unwrap();
        let text = format!("{}{:?}", loaded.to_toml().unwrap(), loaded.value);
        assert!(text.contains("password = \"[redacted]\"") && !text.contains("wolkenkratzer"), "{text}");
    }
}
