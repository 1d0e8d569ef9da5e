//! The services, one file per group of calls: decode, call the rooms, encode. No decisions.

mod chat;
mod policy;
mod reads;
mod streams;
mod writes;

pub(crate) use chat::Chat;
pub(crate) use policy::policy;
