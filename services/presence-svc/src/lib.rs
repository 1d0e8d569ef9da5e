//! presence-svc: who is there, how they want to appear, when they were last seen, and who is told.
//!
//! Rooms, from the inside out: `registry` (which streams are open where), `status` (what people choose), `presence`
//! (what they show, and to whom), `watching` (who is told what), `hub` (all of it put together), `visibility` (who may
//! see whom), `store` (what is kept), `rpc` (the services), [`App`] (how it is put together). What it guarantees:
//! - nobody is told anything of somebody that chat-svc has not said they may see, and may not any more within a second
//!   of its word (G7);
//! - a lost stream, a lost node and a restart of this service show nobody as gone who comes back within the grace;
//! - what waits to be told is one mark for each watcher and user, however slow the watcher (G8).
//!
//! Sessions are in memory alone: nodes say them anew. Messages never wait for this service.

mod app;
mod config;
mod hub;
mod presence;
mod registry;
mod rpc;
mod status;
mod store;
mod time;
mod visibility;
mod watching;

pub use app::{App, Needs, StartError};
pub use config::{Config, Limits, RateLimit};
pub use rpc::policy::{INTERNAL as INTERNAL_SERVICES, PUBLIC as PUBLIC_SERVICES};
