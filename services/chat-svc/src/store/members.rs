//! What each member has of a conversation besides its log: how far they are, and how they want to have it.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, Seq, UserId, limits};

use super::{Commit, Done, ReadError};
use crate::conversation::Member;
use crate::preferences::{Badge, PreferenceChanges, Preferences};
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

/// Who has received and read an entry, as far as a reader may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Members since before the entry, besides its sender.
    By {
        /// How many have received it.
        received: usize,
        /// How many have read it.
        read: usize,
        /// Each of them, in a conversation that lists its members.
        members: Vec<(UserId, TimedMarks)>,
    },
    /// The entry is above the head.
    Ahead,
    /// The reader may not read that entry.
    Unreadable,
    /// The reader is no member.
    NotFound,
}

impl Reached {
    /// Counts those who have got as far as `seq`, of all members as the reader may know them.
    pub(super) fn count(mut members: Vec<Listed>, sender: UserId, seq: Seq) -> Self {
        let lists = lists(members.len());
        members.retain(|listed| listed.user != sender && listed.member.joined <= seq);
        let count =
            |got: fn(Marks) -> Seq| members.iter().filter(|listed| got(listed.marks.marks) >= seq).count();
        let (received, read) = (count(|marks| marks.received), count(|marks| marks.read));
        let members = members.into_iter().filter(|_| lists).map(|listed| (listed.user, listed.marks));
        Self::By { received, read, members: members.collect() }
    }

    /// So many more, in a conversation that does not list its members.
    pub(super) fn and(self, more_received: usize, more_read: usize) -> Self {
        match self {
            Self::By { received, read, .. } => {
                Self::By { received: received + more_received, read: read + more_read, members: Vec::new() }
            }
            none => none,
        }
    }
}

/// Changes of preferences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreferences {
    /// Whose.
    pub user: UserId,
    /// Where.
    pub conversation: ConversationId,
    /// What changes.
    pub changes: PreferenceChanges,
    /// When, in whole milliseconds.
    pub at: SystemTime,
}

impl NewPreferences {
    /// The entry that a new draft answers, 0 for none.
    pub(super) fn reply_to(&self) -> Seq {
        let draft = self.changes.draft.as_ref().and_then(Option::as_ref);
        draft.and_then(|draft| draft.reply_to).unwrap_or_default()
    }
}

/// What became of changes of preferences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preferred {
    /// All preferences as they are now, and the commit, if they were others before.
    Now(Preferences, Option<Commit>),
    /// The draft answers an entry above what the user may read.
    Ahead,
    /// As many conversations are pinned as may be.
    TooManyPinned,
    /// The conversation is not there for the user.
    NotFound,
}

/// Whether a conversation with so many members lists them, and tells each of the others' marks.
#[must_use]
pub fn lists(members: usize) -> bool {
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

    /// Who has got as far as an entry, as `reader` may know it.
    async fn reached(
        &self,
        reader: UserId,
        conversation: ConversationId,
        seq: Seq,
    ) -> Result<Reached, ReadError>;

    /// Changes preferences.
    fn prefer(&self, new: NewPreferences, done: Done<Preferred>);

    /// What is unread in all conversations of the user together.
    async fn badge(&self, user: UserId, now: SystemTime) -> Result<Badge, ReadError>;
}
