//! The log: one verb, one path, one order (G1 to G4).
//!
//! [`Appender`] is the state machine of one conversation, without I/O: dedupe, authorise, rate, batch, resubmit.
//! [`Log`] runs the appenders over a [`Store`](crate::store::Store) and hands what is stored to the
//! [`Router`](crate::routing::Router).

mod appender;
mod claims;
mod draft;
mod entry;
mod facade;
mod facts;
mod lane;
mod members;
mod rate;
mod recent;
mod refusal;

pub use appender::{Appender, Effect, Input, Published, Rules, Ticket, Wanted};
pub use draft::Draft;
pub use entry::{Appended, Digest, Entry, OpRow};
pub use facade::{Log, LogLimits, Reply, StartLog, Turn};
pub use facts::{Facts, needs_facts};
pub use lane::{Lane, LaneState};
pub use rate::Rates;
pub use refusal::Refusal;
