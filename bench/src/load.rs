//! The load: people on streams, one connection each, who say something and hear the others.
//!
//! They keep the rules of a client (have, fetch, ack, received), and are otherwise as light as can be: generator and
//! servers share the processors of one machine. The same people talk to `parlor-server` and to what it is compared to.

mod core;
mod member;
mod meters;
mod schedule;

pub use core::encoded;
pub use member::{Joining, Member, Saved};
pub use meters::{Latencies, Meters};
pub use schedule::{Schedule, offer_on};
