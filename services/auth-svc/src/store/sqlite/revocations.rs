//! The table `revocation`.

use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, params};
use parlor_types::{SessionId, UserId};

use super::super::RevocationPage;
use super::rows::{self, Column, Count, REVOCATION};
use crate::sessions::Revocation;
use crate::time::Moment;

pub(super) fn append(
    connection: &Connection,
    user: UserId,
    session: SessionId,
    at: Moment,
) -> Result<Revocation> {
    let sql = format!(
        "INSERT INTO revocation (session_id, user_id, revoked_at) VALUES (?1, ?2, ?3) RETURNING {REVOCATION}"
    );
    connection.prepare_cached(&sql)?.query_row(params![Column(session), Column(user), at], rows::revocation)
}

pub(super) fn page(
    connection: &Connection,
    after: u64,
    since: Moment,
    limit: usize,
) -> Result<RevocationPage> {
    let sql = format!(
        "SELECT {REVOCATION} FROM revocation WHERE seq > ?1 AND revoked_at >= ?2 ORDER BY seq LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    // A cursor above any number SQLite has is above all of them.
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let revocations =
        statement.query_map(params![after, since, limit], rows::revocation)?.collect::<Result<_>>()?;
    Ok(RevocationPage { revocations, newest: newest(connection)? })
}

/// From SQLite's own count, which outlives the rows.
fn newest(connection: &Connection) -> Result<u64> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'revocation'";
    Ok(connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .optional()?
        .map_or(0, |Count(newest)| newest))
}

pub(super) fn prune(connection: &Connection, before: Moment) -> Result<()> {
    connection.prepare_cached("DELETE FROM revocation WHERE revoked_at < ?1")?.execute([before]).map(drop)
}
