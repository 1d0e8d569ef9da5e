//! What is kept of people: contacts, requests, blocks, privacy.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, UserId};

use super::{Commit, Done, ReadError};
use crate::people::{
    Acceptance, Action, Filter, Person, Privacy, PrivacyChanges, Purpose, Refused, Visibility,
};

/// Something a user does about another.
#[derive(Debug, Clone, PartialEq)]
pub struct Relate {
    /// Who.
    pub user: UserId,
    /// About whom; somebody else.
    pub other: UserId,
    /// What.
    pub action: Action,
    /// When, in whole milliseconds.
    pub at: SystemTime,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// The other, as the user has them now.
    pub person: Person,
    /// The user's side has changed.
    pub mine: bool,
    /// The other's side has changed.
    pub theirs: bool,
    /// The commit, if a side has changed.
    pub changed: Option<Commit>,
    /// Conversations of both in which each may see more of the other's marks now: a block has ended.
    pub rows: Vec<ConversationId>,
}

/// Settings after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivacyKept {
    /// As they are now.
    pub privacy: Privacy,
    /// The commit, if they were others before.
    pub changed: Option<Commit>,
    /// Conversations of the user who may see more of others' marks now.
    pub rows: Vec<ConversationId>,
}

/// A place in the changes of people and settings since some commit; 0 is the beginning, of which people with whom there
/// is nothing are left out, and settings always come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountPlace {
    /// Changes after this commit.
    pub since: Commit,
    /// Of those, all up to this commit and user have been told.
    pub told: Option<(Commit, UserId)>,
}

impl AccountPlace {
    /// Nothing of what changed after this commit has been told.
    #[must_use]
    pub fn after(since: Commit) -> Self {
        Self { since, told: None }
    }

    /// Whether somebody with whom there is nothing has to be told of: they may have been known.
    #[must_use]
    pub fn tells_of_nothing(&self) -> bool {
        self.since > Commit(0)
    }
}

/// Changes of people and settings.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountChanges {
    /// People, as they are now, those that changed first first.
    pub people: Vec<Person>,
    /// The settings, if they changed; with the last part.
    pub privacy: Option<Privacy>,
    /// Where to go on: at the rest, or after all that was committed by then.
    pub next: AccountPlace,
    /// There is a rest.
    pub more: bool,
}

/// What chat-svc keeps of people. A part of [`Store`](super::Store).
#[async_trait]
pub trait PeopleStore: Send + Sync + 'static {
    /// Applies the rules of [`Pair`](crate::people::Pair) to both sides at once.
    fn relate(&self, relate: Relate, done: Done<Result<Related, Refused>>);

    /// Changes settings.
    fn set_privacy(&self, user: UserId, changes: PrivacyChanges, done: Done<PrivacyKept>);

    /// Up to `most` people above `after`, by id.
    async fn people(
        &self,
        user: UserId,
        filter: Filter,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<Person>, ReadError>;

    /// The settings of a user: the default where they were never changed.
    async fn privacy(&self, user: UserId) -> Result<Privacy, ReadError>;

    /// What changed after `since`, at most `most` people of it.
    async fn account(
        &self,
        user: UserId,
        since: AccountPlace,
        most: usize,
    ) -> Result<AccountChanges, ReadError>;

    /// Whether each of these users lets `asking` bring them into the conversation. Present members of it are not asked.
    async fn acceptance(
        &self,
        asking: UserId,
        conversation: ConversationId,
        purpose: Purpose,
        users: Vec<UserId>,
    ) -> Result<Vec<Acceptance>, ReadError>;

    /// What the viewer may see of each of these users, in one snapshot. Of a user who does not exist that is nothing.
    async fn visibility(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Visibility>, ReadError>;
}
