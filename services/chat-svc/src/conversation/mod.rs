//! What a conversation is: kind, name, settings, members, and what its entries do to them.
//!
//! A conversation is a replicated state machine: its [`State`] is the fold of its log. [`State::propose`] says what an
//! append would become, [`State::apply`] makes it so and lists what changes for the store.

mod changes;
mod content;
mod fold;
mod media;
mod readable;
mod rules;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use parlor_types::{Seq, UserId};

pub use changes::{Target, TextKind};
pub use content::{Content, Settings, Withheld};
pub use fold::Change;
pub use media::{AlbumItem, Description, Location, Media, Purpose, Video, WrongPurpose};
pub use readable::{Piece, Range, Ranges};
pub use rules::Forbidden;

/// Direct or group; fixed at creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Between two people, or with oneself.
    Direct,
    /// Any number of people who come and go.
    Group,
}

/// What a member may do; each role may do all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Write, leave.
    Member,
    /// Add, remove members, rename, change settings and picture.
    Admin,
    /// Change roles, remove admins.
    Owner,
}

/// What those who join later may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryVisibility {
    /// From the entry that added them on.
    #[default]
    FromJoin,
    /// From the first entry on.
    All,
}

/// A present member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// What they may do.
    pub role: Role,
    /// The entry that made them a member.
    pub joined: Seq,
}

/// A conversation as its log up to `head` made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Direct or group.
    pub kind: Kind,
    /// Name of a group; empty for direct.
    pub name: String,
    /// Settings.
    pub settings: Settings,
    /// Present members.
    pub members: BTreeMap<UserId, Member>,
    /// The last entry.
    pub head: Seq,
    /// Messages up to it.
    pub number: u64,
    /// When it was appended; entries never go back in time.
    pub time: SystemTime,
    /// The members, shared by all deliveries until they change.
    audience: Arc<[UserId]>,
}

impl State {
    /// The state a store has kept.
    #[must_use]
    pub fn restored(
        kind: Kind,
        name: String,
        settings: Settings,
        members: BTreeMap<UserId, Member>,
        head: Seq,
        number: u64,
        time: SystemTime,
    ) -> Self {
        let audience = members.keys().copied().collect();
        Self { kind, name, settings, members, head, number, time, audience }
    }

    /// Everybody who is a member now.
    #[must_use]
    pub fn audience(&self) -> Arc<[UserId]> {
        Arc::clone(&self.audience)
    }
}
