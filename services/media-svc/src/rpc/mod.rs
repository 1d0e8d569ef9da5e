//! The RPCs: decode, call the rooms, encode. No decisions are made here.

mod answer;
mod downloads;
mod encode;
mod fields;
mod internal;
pub mod policy;
mod public;
mod uploads;

pub(crate) use downloads::OutRpc;
pub(crate) use internal::InternalRpc;
pub(crate) use public::PublicRpc;
