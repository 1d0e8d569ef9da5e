//! The table `person`.

use parlor_embedded::rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use parlor_runtime::time::{from_millis, to_millis};
use parlor_types::{Id as _, UserId};

use crate::presence::Record;
use crate::status::{Appearance, Status, StatusText};
use crate::time::Minute;

pub(super) fn record(connection: &Connection, user: UserId) -> Result<Record> {
    let sql = "SELECT appearance, text, until, last_seen FROM person WHERE user_id = ?1";
    let row = connection.prepare_cached(sql)?.query_row([user.bytes()], read).optional()?;
    Ok(row.unwrap_or_default())
}

pub(super) fn put_status(connection: &Connection, user: UserId, status: &Status) -> Result<()> {
    let sql = "INSERT INTO person (user_id, appearance, text, until) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (user_id) DO UPDATE SET appearance = ?2, text = ?3, until = ?4";
    let until = status.until.map(to_millis);
    let row = params![user.bytes(), status.appearance, status.text.as_str(), until];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn put_last_seen(connection: &Connection, user: UserId, minute: Minute) -> Result<()> {
    let sql = "INSERT INTO person (user_id, last_seen) VALUES (?1, ?2)
               ON CONFLICT (user_id) DO UPDATE SET last_seen = ?2";
    connection.prepare_cached(sql)?.execute(params![user.bytes(), minute.0]).map(drop)
}

fn read(row: &Row<'_>) -> Result<Record> {
    let status = Status {
        appearance: row.get(0)?,
        text: row.get(1)?,
        until: row.get::<_, Option<i64>>(2)?.map(from_millis),
    };
    Ok(Record { status, last_seen: row.get::<_, Option<i64>>(3)?.map(Minute) })
}

impl ToSql for Appearance {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let number: i64 = match self {
            Self::Online => 0,
            Self::Away => 1,
            Self::DoNotDisturb => 2,
            Self::Invisible => 3,
        };
        Ok(ToSqlOutput::from(number))
    }
}

impl FromSql for Appearance {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            0 => Ok(Self::Online),
            1 => Ok(Self::Away),
            2 => Ok(Self::DoNotDisturb),
            3 => Ok(Self::Invisible),
            unknown => Err(FromSqlError::OutOfRange(unknown)),
        }
    }
}

impl FromSql for StatusText {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).map_err(FromSqlError::other)
    }
}
