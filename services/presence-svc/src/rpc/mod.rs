//! The RPCs: decode, call the rooms, encode. No decisions are made here.

mod answer;
mod attach;
mod encode;
mod fields;
mod internal;
pub mod policy;
mod public;

pub(crate) use internal::InternalRpc;
pub(crate) use public::{PublicRpc, Standing};
