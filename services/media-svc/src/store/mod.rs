//! What is kept, in words of the domain: what was said of each file, how far it has come, who is about to use it, what
//! each person has. The bytes are elsewhere: in `staging` until a file is finished, in `blobs` from then on.

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod memory;
mod sqlite;

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use parlor_types::{ConversationId, MediaId, Op, UserId};

use crate::media::{Declared, Finished, Record};
use crate::parts::Parts;
use crate::quota::{Exceeded, Quota, Usage};

pub use parlor_embedded::StoreError as Error;
pub use sqlite::{CopyError, SqliteStore, complete_copy, disown_copy};

/// An upload that is to begin.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Its id, if it is new.
    pub id: MediaId,
    /// Who uploads.
    pub owner: UserId,
    /// What they call it.
    pub op: Op,
    /// What they say of it.
    pub declared: Declared,
    /// What they may.
    pub quota: Quota,
    /// Now.
    pub now: SystemTime,
    /// When it is forgotten if nothing comes.
    pub expires: SystemTime,
}

/// Why an upload has not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// More than they may.
    #[error("more than one may upload: {0:?}")]
    Exceeded(Exceeded),
    /// The op has begun another upload.
    #[error("the op has begun another upload")]
    OpReused,
}

/// Where a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An entry of a conversation, by its op.
    Entry(ConversationId, Op),
    /// The profile of a user.
    Profile(UserId),
}

/// Files that are about to be used.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who is to use them.
    pub user: UserId,
    /// Where.
    pub place: Place,
    /// Which.
    pub ids: Vec<MediaId>,
    /// Those of others that they can have all the same.
    pub readable: BTreeSet<MediaId>,
    /// How long they are kept for that.
    pub until: SystemTime,
}

/// Why nothing is claimed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// The store.
    #[error(transparent)]
    Store(#[from] Error),
    /// One is not there, not whole, or not theirs.
    #[error("no such file")]
    NotFound,
    /// A scanner found harm in one.
    #[error("refused by the scanner")]
    Refused,
}

/// Files that a place does not use any more.
#[derive(Clone, Debug)]
pub struct Release {
    /// Which place.
    pub place: Place,
    /// Which files.
    pub ids: Vec<MediaId>,
    /// Now.
    pub now: SystemTime,
    /// How long a claim of that place may still stand for a use that is only about to be stored.
    pub settles: Duration,
}

/// Random bytes that a store makes once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Random {
    /// What links are signed with.
    LinkKey,
    /// What tells it from every other store.
    StoreId,
}

/// A round of collection: what it has condemned, nobody else's has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round(pub i64);

/// What became of the wish to delete a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condemned {
    /// There is none of theirs.
    Gone,
    /// It was an upload, and is gone now.
    Dropped,
    /// Somebody is about to use it.
    Claimed,
    /// It is condemned by this round: ask who uses it, then [`Store::collect`].
    ByRound,
}

/// The store. Implementations agree on everything said here; `conformance.rs` checks it. Each write is all or nothing,
/// and durable once it has answered. Times are kept in whole milliseconds.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Begins an upload, or finds the one that this owner has begun with this op.
    async fn begin(&self, begin: Begin) -> Result<Record, BeginError>;

    /// What is known of each of `ids`, in their order.
    async fn records(&self, ids: Vec<MediaId>) -> Result<Vec<Option<Record>>, Error>;

    /// Keeps which parts of an upload are on disk for sure, and when it is forgotten. `false`: it is no upload any more.
    async fn save_parts(&self, id: MediaId, parts: Parts, expires: SystemTime) -> Result<bool, Error>;

    /// The file is there; it may be collected from `due` on. `false`: it is no upload any more, and nothing was changed.
    async fn finish(&self, id: MediaId, finished: Finished, due: SystemTime) -> Result<bool, Error>;

    /// Forgets an upload. `false`: it is none.
    async fn drop_upload(&self, id: MediaId) -> Result<bool, Error>;

    /// Forgets uploads, at most `limit`, that expired before `now`, and says which.
    async fn expire(&self, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error>;

    /// What somebody has.
    async fn usage(&self, owner: UserId, now: SystemTime) -> Result<Usage, Error>;

    /// Claims files, all or none: none of them is collected before `until`, and none stays condemned. The same claim
    /// again moves that on.
    async fn claim(&self, claim: Claim) -> Result<Vec<Record>, ClaimError>;

    /// The files may be collected as soon as no claim stands in the way.
    async fn release(&self, release: Release) -> Result<(), Error>;

    /// Condemns files that may be collected now, at most `limit`, those that could first, and says which.
    async fn condemn(&self, round: Round, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error>;

    /// The owner wishes to delete it.
    async fn condemn_own(
        &self,
        round: Round,
        id: MediaId,
        owner: UserId,
        now: SystemTime,
    ) -> Result<Condemned, Error>;

    /// Ends a round: forgets those of `unused` that are still condemned by it, and says which, each once; lets go of
    /// those of `used` until `next`.
    async fn collect(
        &self,
        round: Round,
        unused: Vec<MediaId>,
        used: Vec<MediaId>,
        next: SystemTime,
    ) -> Result<Vec<MediaId>, Error>;

    /// Finished files that a scanner has not looked at, at most `limit`, by id, after `after`.
    async fn unchecked(&self, after: Option<MediaId>, limit: u32) -> Result<Vec<MediaId>, Error>;

    /// What the scanner found; of a file that is not harmless nothing but its refusal is kept. `false`: it is not
    /// there any more, or was looked at before.
    async fn checked(&self, id: MediaId, harmless: bool) -> Result<bool, Error>;

    /// Bytes that were made once: `fresh` if they have not been. Those that were can be had while nothing can be written.
    async fn random(&self, which: Random, fresh: [u8; 32]) -> Result<[u8; 32], Error>;

    /// Forgets claims that have ended and what was begun before the last day.
    async fn tidy(&self, now: SystemTime) -> Result<(), Error>;
}
