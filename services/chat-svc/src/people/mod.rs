//! What users are to each other: contacts, requests, blocks, and who may see or do what.
//!
//! [`Pair`] holds the rules of contacts and blocks, [`Visibility`] and [`Acceptance`] those of being seen and brought in; all
//! of them pure. [`People`] carries changes into the store and to the streams they concern. Finding people and their
//! profiles is auth-svc's.

mod acceptance;
mod desk;
mod moment;
mod pair;
mod privacy;
mod visibility;

use std::time::SystemTime;

use parlor_types::UserId;

pub use acceptance::{Acceptance, Purpose};
pub use desk::{ChangeError, People, StartPeople, VisibilityWatcher};
pub use moment::{By, changed_at};
pub use pair::{Action, Counted, Pair, Refused, Relation, Room, Side};
pub use privacy::{Audience, Privacy, PrivacyChanges};
pub use visibility::{Tie, Visibility};

/// Another user, as one user has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The other.
    pub user: UserId,
    /// What they are to the one.
    pub side: Side,
    /// When that last changed, as [`changed_at`] tells it; `None` if it never did.
    pub changed_at: Option<SystemTime>,
}

/// Which people to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All with whom there is something.
    All,
    /// Contacts.
    Contacts,
    /// Requests, sent and received.
    Requests,
    /// Blocked users.
    Blocked,
}

impl Filter {
    /// Whether somebody who is this to the one who lists is among them.
    #[must_use]
    pub fn takes(self, side: &Side) -> bool {
        match self {
            Self::All => !side.is_nothing(),
            Self::Contacts => side.relation == Relation::Contact,
            Self::Requests => matches!(side.relation, Relation::Requested | Relation::Received),
            Self::Blocked => side.blocked,
        }
    }
}
