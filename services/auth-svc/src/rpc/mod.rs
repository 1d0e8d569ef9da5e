//! The RPCs: decode, call a room, encode. No decisions are made here.

mod answer;
mod auth;
mod emails;
mod encode;
mod fields;
mod internal;
pub mod policy;
mod profiles;

use std::net::IpAddr;
use std::sync::Arc;

use parlor_runtime::clock::Clock;
use tonic::Request;

use crate::time::Now;

pub use auth::AuthRpc;
pub use emails::EmailRpc;
pub use internal::InternalRpc;
pub use profiles::ProfileRpc;

pub(crate) use encode::jwk;

/// Reads both clocks.
fn now(clock: &Arc<dyn Clock>) -> Now {
    Now { moment: clock.wall().into(), instant: clock.now() }
}

/// Where a call comes from; none inside the process.
fn address<T>(request: &Request<T>) -> Option<IpAddr> {
    request.remote_addr().map(|address| address.ip())
}
