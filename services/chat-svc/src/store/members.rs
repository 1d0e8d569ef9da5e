//! What each member has of a conversation besides its log: how far they are.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, UserId, limits};

use super::{Commit, Done, ReadError};
use crate::conversation::Member;
use crate::receipts::{Marks, TimedMarks};

/// Marks to raise; a mark below what is stored changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewMarks {
    /// Whose.
    pub user: UserId,
    /// Where.
    pub conversation: ConversationId,
    /// To where.
    pub marks: Marks,
    /// When, in whole milliseconds.
    pub at: SystemTime,
}

/// What became of marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// The user's own marks as they are now, and what rose, if anything did.
    Now(TimedMarks, Option<Raised>),
    /// Above what the user may read.
    Ahead,
    /// The conversation is not there for the user.
    NotFound,
}

/// Marks rose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// With this commit.
    pub commit: Commit,
    /// Whose view of the user changed: other members, in a conversation that lists them.
    pub others: Vec<UserId>,
}

/// A present member in a row of the chat list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub user: UserId,
    /// As what.
    pub member: Member,
    /// How far they are, as far as the reader of the row may know.
    pub marks: TimedMarks,
}

/// How far members of one conversation are, as far as a reader may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipts {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its members, or those asked for.
    pub members: Vec<(UserId, TimedMarks)>,
}

/// Whether a conversation with so many members lists them, and tells each of the others' marks.
pub(super) fn lists(members: usize) -> bool {
    members <= limits::MAX_LISTED_MEMBERS
}

/// The part of the [`Store`](super::Store) that is about members.
#[async_trait]
pub trait Members {
    /// Raises marks; one answer each, in order.
    fn mark(&self, marks: Vec<NewMarks>, done: Done<Vec<Marked>>);

    /// How far these members of these conversations are, as `reader` may know it. Who is no member is left out; so is a
    /// conversation that the reader is no member of, or that does not list its members.
    async fn receipts(
        &self,
        reader: UserId,
        wanted: Vec<(ConversationId, Vec<UserId>)>,
    ) -> Result<Vec<Receipts>, ReadError>;
}
