//! The tables `account`, `begun` and `secret`.

use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, params};
use parlor_types::{Id as _, UserId};

use super::rows::size;
use crate::quota::{Hour, Usage};
use crate::store::Random;

pub(super) fn usage(connection: &Connection, owner: UserId, now: Hour) -> Result<Usage> {
    let sql = "SELECT stored_bytes, unfinished FROM account WHERE owner = ?1";
    let kept =
        connection.prepare_cached(sql)?.query_row([owner.bytes()], |row| Ok((row.get(0)?, row.get(1)?)));
    let (stored, unfinished): (i64, u32) = kept.optional()?.unwrap_or_default();
    let sql = "SELECT coalesce(sum(uploads), 0), coalesce(sum(bytes), 0), min(hour) FROM begun
               WHERE owner = ?1 AND hour >= ?2";
    connection.prepare_cached(sql)?.query_row(params![owner.bytes(), now.day_begins().0], |row| {
        Ok(Usage {
            stored_bytes: u64::try_from(stored).unwrap_or_default(),
            unfinished,
            uploads_today: row.get(0)?,
            bytes_today: row.get::<_, i64>(1)?.unsigned_abs(),
            first_hour: row.get::<_, Option<i64>>(2)?.map(Hour),
        })
    })
}

/// An upload of this many bytes has begun.
pub(super) fn begun(connection: &Connection, owner: UserId, now: Hour, bytes: u64) -> Result<()> {
    let sql = "INSERT INTO begun (owner, hour, uploads, bytes) VALUES (?1, ?2, 1, ?3)
               ON CONFLICT (owner, hour) DO UPDATE SET uploads = uploads + 1, bytes = bytes + ?3";
    connection.prepare_cached(sql)?.execute(params![owner.bytes(), now.0, size(bytes)])?;
    change(connection, owner, size(bytes), 1)
}

/// What somebody keeps has changed by so many bytes and unfinished uploads.
pub(super) fn change(connection: &Connection, owner: UserId, bytes: i64, unfinished: i64) -> Result<()> {
    let sql = "INSERT INTO account (owner, stored_bytes, unfinished) VALUES (?1, ?2, ?3)
               ON CONFLICT (owner) DO UPDATE SET stored_bytes = stored_bytes + ?2, unfinished = unfinished + ?3";
    connection.prepare_cached(sql)?.execute(params![owner.bytes(), bytes, unfinished])?;
    let sql = "DELETE FROM account WHERE owner = ?1 AND stored_bytes = 0 AND unfinished = 0";
    connection.prepare_cached(sql)?.execute([owner.bytes()]).map(drop)
}

/// The row of `secret` that has it.
pub(super) const fn name(which: Random) -> &'static str {
    match which {
        Random::LinkKey => "link",
        Random::StoreId => "store",
    }
}

pub(super) fn random(connection: &Connection, which: Random) -> Result<Option<[u8; 32]>> {
    let sql = "SELECT value FROM secret WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([name(which)], |row| row.get(0)).optional()
}

pub(super) fn make_random(connection: &Connection, which: Random, fresh: [u8; 32]) -> Result<[u8; 32]> {
    let sql = "INSERT INTO secret (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![name(which), fresh])?;
    Ok(random(connection, which)?.unwrap_or(fresh))
}

pub(super) fn tidy(connection: &Connection, now: Hour) -> Result<()> {
    let sql = "DELETE FROM begun WHERE hour < ?1";
    connection.prepare_cached(sql)?.execute([now.day_begins().0]).map(drop)
}
