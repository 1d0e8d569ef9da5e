//! The programs of Parlor's server: `parlor-server`, all services in one process, on one address, with their data in one
//! folder; and `auth-svc`, `chat-svc`, `presence-svc` and `media-svc`, one of them each.
//!
//! [`Server`] is such a process; [`commands`] is what a program does with it and with the folder of one that is
//! stopped. The services talk to each other over gRPC in one process too, through channels that do not leave it, so
//! that nothing changes for them when they are run apart.

pub mod args;
pub mod commands;
mod config;
mod failure;
mod files;
mod manifest;
mod program;
mod run;
mod running;
mod services;

pub use config::{Config, InternalConfig, Reflection, ServerConfig, load};
pub use failure::{Code, Failure};
pub use program::{AUTH_SVC, CHAT_SVC, MEDIA_SVC, PARLOR_SERVER, PRESENCE_SVC, Program, Service};
pub use run::run;
pub use running::Server;
