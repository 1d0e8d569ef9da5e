//! Who types or records where, just now.
//!
//! Nothing of it is stored, and nothing is kept beyond the time it is shown. [`Typists`] is the whole of it without I/O: what
//! users say goes in, and what to tell whom comes out. Who may see it is asked anew for each time it is shown.

mod seen;
mod typists;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_types::{ConversationId, UserId};

pub use typists::{Ask, Said, Typists};

/// How long others show it.
pub const SHOWN: Duration = Duration::from_secs(6);
/// Time between two times that it is shown for one user in one conversation; what comes faster is dropped.
pub const INTERVAL: Duration = Duration::from_secs(3);
/// How much earlier one may come, so that a network which bends a client's rhythm makes no gap. The next is then due that
/// much later.
const EARLY: Duration = Duration::from_millis(500);

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// They write.
    Typing,
    /// They record a voice note.
    Recording,
}

/// What is told of somebody, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub typist: UserId,
    /// What; `None` for nothing any more.
    pub activity: Option<Activity>,
    /// Until when it is news.
    pub until: Instant,
    /// Who may see it.
    pub audience: Arc<[UserId]>,
}

#[cfg(test)]
mod tests;
