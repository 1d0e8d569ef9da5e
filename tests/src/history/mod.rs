//! What happened, as seen from outside: what was asked and answered, and what was read.
//!
//! [`Recorder`] takes it down while it happens, on a clock that counts events; [`check`](History::check) holds it against
//! the rules at the end. Neither knows how a server works.

mod check;
mod recorder;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parlor_types::{ConversationId, Id as _, Op, Seq};
use parlor_wire::chat::v1::Entry;
use parlor_wire::chat::v1::content::Kind;

pub use check::{Guarantee, Violation};
pub use recorder::Recorder;

/// A moment: how many events were taken down before it.
pub type Tick = u64;

/// See the module.
#[derive(Debug, Default)]
pub struct History {
    /// Everything that was to be appended.
    pub appends: BTreeMap<Op, Append>,
    /// What readers took in, each reading in the order it was taken in.
    pub readings: Vec<Reading>,
    /// What each member held at the end.
    pub holdings: Vec<Holding>,
    /// The logs as they are at the end.
    pub logs: BTreeMap<ConversationId, Vec<Line>>,
}

/// Something that was to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// Whose: what one session sends to one conversation is a lane, and keeps its order.
    pub lane: String,
    /// Its place among the appends of its lane.
    pub place: u64,
    /// Where to.
    pub conversation: ConversationId,
    /// What it says.
    pub text: String,
    /// Nobody can have known of it before this.
    pub invoked: Tick,
    /// Every answer that it is stored: when, and where it is.
    pub acks: Vec<(Tick, Seq)>,
    /// What is owed to it at the end.
    pub fate: Fate,
    /// Attempts that had no answer.
    pub unknown: u32,
}

/// What is owed to an append at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was repeated until it was answered, or is in an outbox that has been emptied: it is there, once.
    Owed,
    /// Whoever sent it no longer knows of it: it is there once or not at all.
    Forgotten,
    /// It was refused for good: it is not there.
    Refused,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where.
    pub seq: Seq,
    /// What its sender called it.
    pub op: Op,
    /// What it says; empty for what is no message.
    pub text: String,
}

/// What somebody took in, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who, and how.
    pub reader: String,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// What.
    pub lines: Vec<Line>,
}

/// What a member held at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Who, and how.
    pub reader: String,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// What may be read: first and last; no last means all that comes.
    pub ranges: Vec<(Seq, Option<Seq>)>,
    /// What is held.
    pub held: BTreeSet<Seq>,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let text = match entry.content.as_ref().and_then(|content| content.kind.as_ref()) {
            Some(Kind::Text(text)) => text.body.clone(),
            _ => String::new(),
        };
        Self { seq: Seq(entry.seq), op: Op::parse(&entry.op).expect("an op in each entry"), text }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} ({})", self.seq, self.text, self.op)
    }
}
