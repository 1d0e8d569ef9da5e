//! The vocabulary that everything else is written in: ids, sequence numbers, validated names, default limits.
//!
//! No I/O, no async, no wire format. Whatever holds one of these types has been validated.

mod ids;
pub mod limits;
mod names;

pub use ids::{ConversationId, DeviceId, Id, MediaId, NodeId, Op, Seq, SessionId, StreamId, UserId};
pub use names::{DisplayName, InvalidName, Username, has_control};
