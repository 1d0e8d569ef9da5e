//! The table `session`.

use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, named_params, params};
use parlor_types::{DeviceId, SessionId, UserId};

use super::rows::{self, Column, Count, SESSION};
use crate::sessions::{Lifetimes, Session};
use crate::time::Moment;

pub(super) fn by_id(connection: &Connection, id: SessionId) -> Result<Option<Session>> {
    let sql = format!("SELECT {SESSION} FROM session WHERE session_id = ?1");
    connection.prepare_cached(&sql)?.query_row([Column(id)], rows::session).optional()
}

pub(super) fn open_of(connection: &Connection, user: UserId) -> Result<Vec<Session>> {
    let sql =
        format!("SELECT {SESSION} FROM session WHERE user_id = ?1 AND ended_at IS NULL ORDER BY session_id");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map([Column(user)], rows::session)?.collect()
}

pub(super) fn knows_device(connection: &Connection, user: UserId, device: DeviceId) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM session WHERE user_id = ?1 AND device_id = ?2)";
    connection.prepare_cached(sql)?.query_row(params![Column(user), Column(device)], |row| row.get(0))
}

pub(super) fn put(connection: &Connection, session: &Session) -> Result<()> {
    let sql = "INSERT INTO session (session_id, user_id, device_id, device_name, created_at, authenticated_at,
                                    refreshed_at, generation, login_generation, last_op, secret)
               VALUES (:session_id, :user_id, :device_id, :device_name, :created_at, :authenticated_at,
                       :refreshed_at, :generation, :login_generation, :last_op, :secret)
               ON CONFLICT (session_id) DO UPDATE SET
                   device_name = :device_name, authenticated_at = :authenticated_at, refreshed_at = :refreshed_at,
                   generation = :generation, login_generation = :login_generation, last_op = :last_op
               WHERE ended_at IS NULL";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":session_id": Column(session.id),
        ":user_id": Column(session.user_id),
        ":device_id": Column(session.device.id),
        ":device_name": session.device.name.as_str(),
        ":created_at": session.created_at,
        ":authenticated_at": session.authenticated_at,
        ":refreshed_at": session.refreshed_at,
        ":generation": Count(session.refresh.generation),
        ":login_generation": Count(session.refresh.login_generation),
        ":last_op": session.refresh.last_op.map(Column),
        ":secret": session.refresh.secret.0,
    })?;
    Ok(())
}

/// Whether it was open.
pub(super) fn end(connection: &Connection, user: UserId, id: SessionId, at: Moment) -> Result<bool> {
    let sql = "UPDATE session SET ended_at = ?3 WHERE session_id = ?1 AND user_id = ?2 AND ended_at IS NULL";
    connection.prepare_cached(sql)?.execute(params![Column(id), Column(user), at]).map(|ended| ended == 1)
}

pub(super) fn expired(
    connection: &Connection,
    lifetimes: Lifetimes,
    now: Moment,
    limit: usize,
) -> Result<Vec<(UserId, SessionId)>> {
    let sql = "SELECT user_id, session_id FROM session WHERE ended_at IS NULL AND refreshed_at <= :idle
               UNION
               SELECT user_id, session_id FROM session WHERE ended_at IS NULL AND authenticated_at <= :absolute
               ORDER BY session_id LIMIT :limit";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(
        named_params! {
            ":idle": now.minus(lifetimes.idle),
            ":absolute": now.minus(lifetimes.absolute),
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        },
        |row| Ok((row.get::<_, Column<UserId>>(0)?.0, row.get::<_, Column<SessionId>>(1)?.0)),
    )?;
    found.collect()
}

pub(super) fn prune(connection: &Connection, before: Moment) -> Result<()> {
    let sql = "DELETE FROM session WHERE ended_at IS NOT NULL AND ended_at < ?1";
    connection.prepare_cached(sql)?.execute([before]).map(drop)
}
