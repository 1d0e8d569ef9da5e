//! chat-svc: conversations, their logs, and the client stream.
//!
//! Rooms, from the inside out: [`conversation`] (what entries do), [`log`] (how they are appended), [`receipts`] (how far
//! members are), [`preferences`] (how they want to have a conversation), [`session`] (the stream), [`typing`] (who types
//! just now), [`people`] (contacts, blocks, privacy), [`presence`] (the line to presence-svc), [`routing`] (who gets what),
//! [`directory`] (which users there are), [`media`] (files that entries name), `reading` (pages of a log), [`store`] (where it
//! is kept), [`edge`] (messages to domain and back), `rpc` (the services), [`App`] (how it is put together).

mod app;
mod config;
pub mod conversation;
pub mod directory;
pub mod edge;
pub mod log;
pub mod media;
pub mod people;
pub mod preferences;
pub mod presence;
mod reading;
pub mod receipts;
pub mod routing;
mod rpc;
pub mod session;
pub mod store;
pub mod typing;

pub use app::{App, Needs, StartError};
pub use config::{Config, RateConfig};

/// The services this crate serves to clients, by their full names.
pub const PUBLIC_SERVICES: &[&str] = &["parlor.chat.v1.ChatService", "parlor.chat.v1.PeopleService"];

/// The services this crate serves to other services, by their full names.
pub const INTERNAL_SERVICES: &[&str] = &["parlor.internal.chat.v1.ChatInternalService"];
