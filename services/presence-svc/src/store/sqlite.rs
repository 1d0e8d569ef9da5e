//! The store on the embedded engine: one SQLite file.

mod rows;

use std::convert::Infallible;

use async_trait::async_trait;
use parlor_embedded::{Db, Migration, OpenError, Options, WriteError};
use parlor_types::UserId;
use tokio::sync::oneshot;

use super::{Error, OnStatus, Store};
use crate::presence::Record;
use crate::status::Status;
use crate::time::Minute;

/// The schema, oldest first; a release only ever adds to the end.
const MIGRATIONS: &[Migration] = &[Migration { version: 1, sql: include_str!("schema.sql") }];

/// Records in SQLite.
pub struct SqliteStore {
    db: Db,
    on_status: OnStatus,
}

impl SqliteStore {
    /// Opens or makes the file. Blocks while it does.
    ///
    /// # Errors
    /// The file is in use by another process, newer than this release, or cannot be opened.
    pub fn open(options: Options, on_status: OnStatus) -> Result<Self, OpenError> {
        Ok(Self { db: Db::open(options, MIGRATIONS)?, on_status })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn records(&self, users: Vec<UserId>) -> Result<Vec<Record>, Error> {
        let read = self.db.read(move |tx| users.iter().map(|user| rows::record(tx, *user)).collect());
        read.await.map_err(Error::from)
    }

    async fn set_status(&self, user: UserId, status: Status) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let (on_status, stored) = (OnStatus::clone(&self.on_status), status.clone());
        let done = move |result: Result<(), WriteError<Infallible>>| {
            if result.is_ok() {
                on_status(user, &stored);
            }
            drop(answer.send(result));
        };
        self.db.submit(move |tx| Ok(rows::put_status(tx, user, &status)?), done)?;
        answered.await.map_err(|_| Error::Stopped)?.map_err(Error::from)
    }

    async fn set_last_seen(&self, seen: Vec<(UserId, Minute)>) -> Result<(), Error> {
        let write = self.db.write(move |tx| {
            seen.iter().try_for_each(|(user, minute)| Ok(rows::put_last_seen(tx, *user, *minute)?))
        });
        write.await.map_err(|error: WriteError<Infallible>| error.into())
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("db", &self.db).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
