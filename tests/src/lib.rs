//! What the whole-system tests share.
//!
//! - [`Server`]: the real program, started, killed and started again; [`Relay`]: the one address its clients know.
//! - [`fleet`]: the four services apart, behind a [`router`]. With `PARLOR_TOPOLOGY=four` they are what a [`Server`] is.
//! - [`System`]: either of them, whose processes can be killed and frozen each by itself.
//! - [`account`]: people who register and log in over the public API; [`Caller`] and [`Follower`]: what they do then.
//! - [`history`]: what was asked, answered and read, held against the guarantees at the end.
//! - [`disk`]: one that can be filled.
//! - [`methods`]: what the protocol has.
//! - [`Minio`]: an S3 server.
//! - [`uploads`]: files, up and down and into conversations.
//! - [`samples`]: files as phones make them.
//! - [`Seed`]: chance that can be had again.
//!
//! Tests are in `guarantees/`, where each failure names the guarantee that is broken, and in `behaviour/`: what people see of
//! the whole.

pub mod account;
mod binaries;
mod caller;
pub mod disk;
pub mod fleet;
mod follower;
pub mod history;
pub mod methods;
mod minio;
pub mod reading;
mod relay;
pub mod router;
pub mod samples;
mod seed;
mod server;
mod system;
pub mod uploads;

pub use binaries::{Binary, binary, is_apart, programs};
pub use caller::Caller;
pub use follower::{Answer, Follower};
pub use minio::Minio;
pub use relay::Relay;
pub use seed::{Seed, number};
pub use server::{Server, run};
pub use system::System;
