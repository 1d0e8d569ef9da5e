//! The programs, and which services each of them runs.
//!
//! There is one way to put services together, for any of them. `parlor-server` runs all four; the others run one each, and
//! reach the rest at addresses of the configuration. They share the command line, the configuration file, the exit codes and
//! the names in a data folder: so the same file configures all, and a folder can go from one process to four and back.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Accounts and sessions.
    Auth,
    /// Who is there.
    Presence,
    /// Files that people send.
    Media,
    /// Conversations.
    Chat,
}

/// A program.
#[derive(Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Which services it runs, in the order they start in: first those that others ask.
    pub services: &'static [Service],
    /// Where clients find it, unless the configuration says otherwise.
    pub listen: SocketAddr,
    /// Where other services find it, unless the configuration says otherwise; nowhere, if all of them are in it.
    pub internal: Option<SocketAddr>,
}

/// All four in one process.
pub const PARLOR_SERVER: Program = Program {
    name: "parlor-server",
    about: "The Parlor chat server: all services in one process, on one address, with their data in one folder.",
    services: &[Service::Auth, Service::Presence, Service::Media, Service::Chat],
    listen: loopback(7700),
    internal: None,
};

/// auth-svc apart from the others.
pub const AUTH_SVC: Program = Program {
    name: "auth-svc",
    about: "Accounts, sessions, tokens and profiles of a Parlor chat server whose services run apart.",
    services: &[Service::Auth],
    listen: loopback(7701),
    internal: Some(loopback(7711)),
};

/// chat-svc apart from the others.
pub const CHAT_SVC: Program = Program {
    name: "chat-svc",
    about: "Conversations and client streams of a Parlor chat server whose services run apart.",
    services: &[Service::Chat],
    listen: loopback(7702),
    internal: Some(loopback(7712)),
};

/// presence-svc apart from the others.
pub const PRESENCE_SVC: Program = Program {
    name: "presence-svc",
    about: "Who is there, of a Parlor chat server whose services run apart.",
    services: &[Service::Presence],
    listen: loopback(7703),
    internal: Some(loopback(7713)),
};

/// media-svc apart from the others.
pub const MEDIA_SVC: Program = Program {
    name: "media-svc",
    about: "Files that people send, of a Parlor chat server whose services run apart.",
    services: &[Service::Media],
    listen: loopback(7704),
    internal: Some(loopback(7714)),
};

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

impl Program {
    /// Whether it runs `service`.
    #[must_use]
    pub fn runs(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// Whether other services are in other processes.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.internal.is_some()
    }

    /// What its services call themselves in a data folder and in the configuration.
    pub(crate) fn parts(&self) -> Vec<&'static str> {
        self.services.iter().map(|service| service.part()).collect()
    }

    /// The sections of the configuration that it makes no use of.
    pub(crate) fn unused_sections(&self) -> Vec<&'static str> {
        let others = PARLOR_SERVER.services.iter().filter(|service| !self.runs(**service));
        let internal = (!self.is_apart()).then_some("internal");
        others.map(|service| service.part()).chain(internal).collect()
    }
}

impl Service {
    /// What it is called in a data folder and in the configuration.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Presence => "presence",
            Self::Media => "media",
            Self::Chat => "chat",
        }
    }

    /// The full names of what it serves to clients.
    pub(crate) fn public_names(self) -> &'static [&'static str] {
        match self {
            Self::Auth => auth_svc::PUBLIC_SERVICES,
            Self::Presence => presence_svc::PUBLIC_SERVICES,
            Self::Media => media_svc::PUBLIC_SERVICES,
            Self::Chat => chat_svc::PUBLIC_SERVICES,
        }
    }
}
