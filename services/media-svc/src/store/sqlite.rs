//! The store on the embedded engine: one SQLite file.

mod account;
mod claims;
mod copy;
mod rows;
mod uploads;

use std::convert::Infallible;
use std::time::SystemTime;

use async_trait::async_trait;
use parlor_embedded::rusqlite::Result as SqlResult;
use parlor_embedded::{Db, Migration, OpenError, Options, Tx, WriteError};
use parlor_runtime::time::to_millis;
use parlor_types::{MediaId, UserId};

use super::{Begin, BeginError, Claim, ClaimError, Condemned, Error, Random, Release, Round, Store};
use crate::media::{Finished, Record};
use crate::parts::Parts;
use crate::quota::{Hour, Usage};

pub use copy::{CopyError, complete_copy, disown_copy};

/// The schema, oldest first; a release only ever adds to the end.
const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("schema.sql") }];

/// Records in SQLite.
pub struct SqliteStore {
    db: Db,
}

impl SqliteStore {
    /// Opens or makes the file. Blocks while it does.
    ///
    /// # Errors
    /// The file is in use by another process, newer than this release, or cannot be opened.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self { db: Db::open(options, MIGRATIONS)? })
    }

    /// A write that can only fail as the store does.
    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> SqlResult<T> + Send + 'static,
    ) -> Result<T, Error> {
        let write = self.db.write(move |tx| Ok(job(tx)?));
        write.await.map_err(|error: WriteError<Infallible>| error.into())
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, begin: Begin) -> Result<Record, BeginError> {
        let write = self.db.write(move |tx| uploads::begin(tx, &begin));
        write.await.map_err(|error| error.refusal().unwrap_or_else(BeginError::Store))
    }

    async fn records(&self, ids: Vec<MediaId>) -> Result<Vec<Option<Record>>, Error> {
        let read = self.db.read(move |tx| ids.iter().map(|id| rows::record(tx, *id)).collect());
        read.await.map_err(Error::from)
    }

    async fn save_parts(&self, id: MediaId, parts: Parts, expires: SystemTime) -> Result<bool, Error> {
        self.write(move |tx| uploads::save_parts(tx, id, &parts, to_millis(expires))).await
    }

    async fn finish(&self, id: MediaId, finished: Finished, due: SystemTime) -> Result<bool, Error> {
        self.write(move |tx| uploads::finish(tx, id, &finished, to_millis(due))).await
    }

    async fn drop_upload(&self, id: MediaId) -> Result<bool, Error> {
        self.write(move |tx| uploads::drop_upload(tx, id)).await
    }

    async fn expire(&self, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error> {
        self.write(move |tx| uploads::expire(tx, to_millis(now), limit)).await
    }

    async fn usage(&self, owner: UserId, now: SystemTime) -> Result<Usage, Error> {
        let read = self.db.read(move |tx| account::usage(tx, owner, Hour::of(to_millis(now))));
        read.await.map_err(Error::from)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Record>, ClaimError> {
        let write = self.db.write(move |tx| claims::claim(tx, &claim));
        write.await.map_err(|error| error.refusal().unwrap_or_else(ClaimError::Store))
    }

    async fn release(&self, release: Release) -> Result<(), Error> {
        self.write(move |tx| claims::release(tx, &release)).await
    }

    async fn condemn(&self, round: Round, now: SystemTime, limit: u32) -> Result<Vec<MediaId>, Error> {
        self.write(move |tx| claims::condemn(tx, round, to_millis(now), limit)).await
    }

    async fn condemn_own(
        &self,
        round: Round,
        id: MediaId,
        owner: UserId,
        now: SystemTime,
    ) -> Result<Condemned, Error> {
        self.write(move |tx| claims::condemn_own(tx, round, id, owner, to_millis(now))).await
    }

    async fn collect(
        &self,
        round: Round,
        unused: Vec<MediaId>,
        used: Vec<MediaId>,
        next: SystemTime,
    ) -> Result<Vec<MediaId>, Error> {
        self.write(move |tx| claims::collect(tx, round, unused, &used, to_millis(next))).await
    }

    async fn unchecked(&self, after: Option<MediaId>, limit: u32) -> Result<Vec<MediaId>, Error> {
        self.db.read(move |tx| uploads::unchecked(tx, after, limit)).await.map_err(Error::from)
    }

    async fn checked(&self, id: MediaId, harmless: bool) -> Result<bool, Error> {
        self.write(move |tx| uploads::checked(tx, id, harmless)).await
    }

    async fn random(&self, which: Random, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        match self.db.read(move |tx| account::random(tx, which)).await? {
            Some(known) => Ok(known),
            None => self.write(move |tx| account::make_random(tx, which, fresh)).await,
        }
    }

    async fn tidy(&self, now: SystemTime) -> Result<(), Error> {
        self.write(move |tx| {
            claims::tidy(tx, to_millis(now))?;
            account::tidy(tx, Hour::of(to_millis(now)))
        })
        .await
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("db", &self.db).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
