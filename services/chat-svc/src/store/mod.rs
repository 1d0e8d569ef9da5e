//! What chat-svc keeps, in the words of the domain. One trait, one conformance suite, several backends.

pub(crate) mod code;
#[cfg(test)]
mod conformance;
mod media;
mod members;
mod memory;
mod paging;
mod people;
mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use parlor_types::{ConversationId, MediaId, Op, Seq, UserId};

use crate::conversation::{Change, Kind, Media, Ranges, Settings, State, Target};
use crate::log::{Digest, Entry, OpRow};
use crate::preferences::Preferences;
use crate::receipts::TimedMarks;

pub use media::MediaRefs;
pub use members::{
    Listed, Marked, Members, NewMarks, NewPreferences, Preferred, Raised, Reached, Receipts, lists,
};
pub use memory::MemoryStore;
pub use people::{AccountChanges, AccountPlace, PeopleStore, PrivacyKept, Relate, Related};
pub use sqlite::{SqliteStore, new_generation};

/// Which life of the store this is; made anew when a backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation(pub uuid::Uuid);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// A position in the history of the whole store: all that was committed up to a number. Cursors are made of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commit(pub u64);

/// A time as precise as every store keeps it: what is told of it is the same live and later. What lies before
/// 1970 becomes 1970.
#[must_use]
pub fn whole_millis(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// An entry about to be stored, and all it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The entry.
    pub entry: Entry,
    /// Of the request that led to it.
    pub digest: Digest,
    /// What it changes beside the log.
    pub changes: Vec<Change>,
}

impl NewEntry {
    /// What dedupe keeps of it.
    #[must_use]
    pub fn row(&self) -> OpRow {
        OpRow {
            seq: self.entry.seq,
            number: self.entry.number,
            time: self.entry.time,
            sender: self.entry.sender,
            op: self.entry.op,
            digest: self.digest,
        }
    }
}

/// Consecutive entries of one conversation. If the first has seq 1 its content is `Created`.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The conversation.
    pub conversation: ConversationId,
    /// The head they follow; 0 for a new conversation.
    pub after: Seq,
    /// The entries, at least one.
    pub entries: Vec<NewEntry>,
}

/// What there is to say of a batch that is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its commit.
    pub commit: Commit,
    /// Entries whose content is kept from somebody, and from whom: members who had blocked their sender.
    pub withheld: Vec<(Seq, Vec<UserId>)>,
    /// Edits and deletes whose content is kept from somebody who may not read the message they change, and from whom.
    pub not_members: Vec<(Seq, Vec<UserId>)>,
    /// Members whose row changed by it in another way than by its entries: to whom it brought the conversation back, whose
    /// last message it changed, or whom a changed message no longer mentions, or does now.
    pub returned: Vec<UserId>,
    /// Files that deleted messages named and name no more, by the op of the message.
    pub released: Vec<(Op, Vec<MediaId>)>,
}

impl Stored {
    /// From whom the content of this entry is kept.
    #[must_use]
    pub fn take_withheld(&mut self, entry: Seq) -> Vec<UserId> {
        take(&mut self.withheld, entry)
    }

    /// Who may not read the message that this entry changes.
    #[must_use]
    pub fn take_not_members(&mut self, entry: Seq) -> Vec<UserId> {
        take(&mut self.not_members, entry)
    }
}

fn take(from: &mut [(Seq, Vec<UserId>)], entry: Seq) -> Vec<UserId> {
    let found = from.iter_mut().find(|(seq, _)| *seq == entry);
    found.map(|(_, users)| std::mem::take(users)).unwrap_or_default()
}

/// Why a batch is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendError {
    /// The head is not `after`. Certain: nothing was stored.
    Conflict,
    /// No room. Certain.
    Full,
    /// Too much work waits. Certain.
    Busy,
    /// The store could not: it refused this write, of which nothing was stored, or it has stopped for good, and whether
    /// this was stored shows when it starts again.
    Unavailable,
    /// It may or may not be stored: submit the identical batch again.
    Uncertain,
}

/// A read that could not be done; it may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store cannot be read")]
pub struct ReadError;

/// Told once, when the write is durable or certainly not. Called in the order of commits, on the store's own thread, so
/// it has to be quick.
pub type Done<T> = Box<dyn FnOnce(Result<T, AppendError>) + Send>;

/// A conversation as the appender needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The state at the head.
    pub state: State,
    /// Every op above this seq is in `rows`.
    pub before: Seq,
    /// The ops, consecutive, up to the head.
    pub rows: Vec<OpRow>,
}

/// A row of somebody's chat list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The conversation.
    pub id: ConversationId,
    /// Direct or group.
    pub kind: Kind,
    /// Name, as of the reader's last readable entry.
    pub name: String,
    /// Settings, as of the same.
    pub settings: Settings,
    /// Picture of a group, as of the same.
    pub avatar: Option<Media>,
    /// Present members, where there are few enough to be listed; empty for an ex-member.
    pub members: Vec<Listed>,
    /// How many; 0 for an ex-member.
    pub member_count: usize,
    /// Highest readable entry.
    pub head: Seq,
    /// Messages up to it.
    pub number: u64,
    /// Newest readable message.
    pub last_message: Option<Entry>,
    /// The reader's marks.
    pub marks: TimedMarks,
    /// Messages above the read mark.
    pub unread: u64,
    /// Those of them that mention the reader.
    pub unread_mentions: u64,
    /// How the reader wants to have it.
    pub preferences: Preferences,
    /// What they may read.
    pub ranges: Ranges,
    /// When it was created.
    pub created: SystemTime,
    /// When its highest readable entry was stored.
    pub active: SystemTime,
}

/// A conversation whose row changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub id: ConversationId,
    /// The commit of its last entry that the reader may read.
    pub activity: Commit,
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Lowest first.
    Ascending,
    /// Highest first.
    Descending,
}

/// A part of a log to read.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Lowest entry wanted.
    pub from: Seq,
    /// Highest entry wanted.
    pub to: Seq,
    /// Which way.
    pub order: Order,
    /// Go on beyond a part that the reader may not read, or stop there.
    pub across_gaps: bool,
    /// Entries at most.
    pub max_entries: usize,
    /// Bytes of content after which no more entries are added.
    pub max_bytes: usize,
}

/// What may be read of a slice.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The entries, in the order asked for.
    pub entries: Vec<Entry>,
    /// Where the rest of the slice begins, if there is any.
    pub next: Option<Seq>,
    /// Highest readable entry of the conversation.
    pub head: Seq,
}

/// What chat-svc keeps. Reads see every write whose [`Done`] was called before them.
#[async_trait]
pub trait Store: Members + PeopleStore + MediaRefs {
    /// Which life of the store this is.
    fn generation(&self) -> Generation;

    /// Stores all of the batch with its changes, or nothing. The sender of a message has read it. Present members who have
    /// blocked the sender of a message get it without its content, then and for ever; to the
    /// others it brings back what they have hidden or archived.
    ///
    /// In the same step an edit changes the message it is about, and a delete clears that message and every edit of it: their
    /// content, mentions, labels and digests. Who has blocked the sender gets an edit without its content, and from then on
    /// the message too.
    fn append(&self, batch: Arc<Batch>, done: Done<Stored>);

    /// The state, with the ops above `after` but at most the dedupe span of them.
    async fn load(&self, conversation: ConversationId, after: Seq) -> Result<Option<Snapshot>, ReadError>;

    /// Messages as users who want to change them may know them, in the order asked for: `None` where there is no such
    /// message, where the user may not read it, and where it was deleted.
    async fn targets(
        &self,
        conversation: ConversationId,
        wanted: Vec<(UserId, Seq)>,
    ) -> Result<Vec<Option<Target>>, ReadError>;

    /// The first entry's op row.
    async fn first(&self, conversation: ConversationId) -> Result<Option<OpRow>, ReadError>;

    /// Conversations whose row changed for the user after `since`, last active first (by id where that is the same), and the
    /// commit up to which that is complete.
    async fn changed(&self, user: UserId, since: Commit) -> Result<(Commit, Vec<Changed>), ReadError>;

    /// Rows of the user's chat list; conversations that are not there for the user are left out.
    async fn rows(&self, user: UserId, conversations: Vec<ConversationId>) -> Result<Vec<Row>, ReadError>;

    /// A page of what the user may read; `None` if the conversation is not there for the user. Membership and entries
    /// are read in one snapshot.
    async fn read(
        &self,
        user: UserId,
        conversation: ConversationId,
        slice: Slice,
    ) -> Result<Option<Page>, ReadError>;

    /// To whom the user's typing in a conversation is shown: its present members but the user, without those who blocked the
    /// user or whom the user blocked; nobody in one of more than
    /// [`MAX_LISTED_MEMBERS`](parlor_types::limits::MAX_LISTED_MEMBERS). `None` if the user is not a member now.
    async fn audience(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Option<Vec<UserId>>, ReadError>;

    /// The first entry stored at or after a time: head + 1 if there is none.
    async fn seq_at(&self, conversation: ConversationId, time: SystemTime) -> Result<Seq, ReadError>;

    /// In how many conversations each of these users is a member.
    async fn memberships(&self, users: Vec<UserId>) -> Result<Vec<usize>, ReadError>;
}

/// How many op rows a load brings at least, if there are as many: most retries find theirs among them.
pub(crate) const TAIL: u64 = 256;

/// Above which seq a load begins: what was asked for or the tail, but never more than the span.
pub(crate) fn load_after(head: Seq, asked: Seq) -> Seq {
    let tail = head.0.saturating_sub(TAIL);
    let span = head.0.saturating_sub(parlor_types::limits::MAX_DEDUPE_SPAN);
    Seq(asked.0.min(tail).max(span))
}
