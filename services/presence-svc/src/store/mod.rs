//! What is kept, in words of the domain. Who is connected where is not kept: nodes say so anew.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod memory;
mod sqlite;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use parlor_types::UserId;

use crate::presence::Record;
use crate::status::Status;
use crate::time::Minute;

pub use parlor_embedded::StoreError as Error;
pub use sqlite::SqliteStore;

/// Told of each status after it is durable and before the call that set it answers, in the order in which they were
/// stored, also when that call's caller has gone. Quick, and does not panic.
pub type OnStatus = Arc<dyn Fn(UserId, &Status) + Send + Sync>;

/// The store. Implementations agree on everything said here; `conformance.rs` checks it.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// What is kept of each of `users`, in their order; the default for those of whom nothing is.
    async fn records(&self, users: Vec<UserId>) -> Result<Vec<Record>, Error>;

    /// Keeps what somebody has chosen, in the place of what they had; durable once this has answered.
    async fn set_status(&self, user: UserId, status: Status) -> Result<(), Error>;

    /// Keeps when people were last seen, in the place of what was there, all or nothing.
    async fn set_last_seen(&self, seen: Vec<(UserId, Minute)>) -> Result<(), Error>;
}
