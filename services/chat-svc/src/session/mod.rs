//! A client's stream.
//!
//! [`Session`] is the protocol without I/O: frames and events in, frames and effects out; the same for the
//! bidirectional stream and for Subscribe with Push. [`Stream`] holds one, carries out its effects and is what routers
//! deliver to. Every outbound kind is bounded (G8), see [`outbox`].

mod account;
mod attention;
mod ephemeral;
mod farewell;
mod frames;
mod limits;
mod line;
mod machine;
pub mod outbox;
mod preferences;
mod presence;
mod pushes;
mod receipts;
mod stream;
mod typing;
mod work;

pub use farewell::Farewell;
pub use limits::StreamLimits;
pub use machine::{Effect, Identity, Pull, Session};
pub(crate) use preferences::RATE as PREFERENCES_RATE;
pub use pushes::{PushError, Pushes};
pub use stream::{Deps, Standing, Stream};

use bytes::Bytes;
use parlor_types::{ConversationId, Seq};

/// A stored entry, encoded, on its way to a stream.
#[derive(Debug, Clone)]
pub struct Live {
    /// Its conversation.
    pub conversation: ConversationId,
    /// Its place.
    pub seq: Seq,
    /// The message it changes.
    pub target: Option<Seq>,
    /// It takes that message away.
    pub deletes: bool,
    /// The Event frame.
    pub frame: Bytes,
}

#[cfg(test)]
mod tests;
