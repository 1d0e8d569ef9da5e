//! parlor-server: all services of Parlor in one process, on one address, with their data in one folder.
//!
//! [`Server`] is that process; [`commands`] is what the program does with it and with the folder of one that is
//! stopped. The services talk to each other over gRPC here too, through channels that do not leave the process, so
//! that nothing changes for them when they are run apart.

pub mod args;
pub mod commands;
mod config;
mod failure;
mod files;
mod manifest;
mod running;
mod services;

pub use config::{Config, Reflection, ServerConfig, load};
pub use failure::{Code, Failure};
pub use running::Server;
