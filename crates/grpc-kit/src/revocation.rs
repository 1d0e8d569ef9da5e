//! Sessions that have ended while access tokens of theirs may still be good.

mod follow;
mod set;

pub use follow::{Revocations, Sight};
pub use set::RevokedSet;
