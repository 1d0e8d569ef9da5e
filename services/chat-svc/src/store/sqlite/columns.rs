//! Domain values as SQLite columns and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_types::{Id, Seq};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::conversation::{HistoryVisibility, Kind, Role};
use crate::people::{Audience, Relation};
use crate::store::code;

/// Reads a column, or says which one does not hold what it should.
pub(super) fn id<T: Id>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    row.get::<_, [u8; 16]>(column).map(T::from_bytes)
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

pub(super) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<Seq> {
    number(row, column).map(Seq)
}

pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<SystemTime> {
    number(row, column).map(|millis| UNIX_EPOCH + Duration::from_millis(millis))
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<SystemTime>> {
    let known: Option<i64> = row.get(column)?;
    known.map(|_| time(row, column)).transpose()
}

pub(super) fn kind(row: &Row<'_>, column: usize) -> rusqlite::Result<Kind> {
    code::to_kind(row.get(column)?).ok_or_else(|| unknown(column))
}

pub(super) fn role(row: &Row<'_>, column: usize) -> rusqlite::Result<Role> {
    code::to_role(row.get(column)?).ok_or_else(|| unknown(column))
}

pub(super) fn history(row: &Row<'_>, column: usize) -> rusqlite::Result<HistoryVisibility> {
    code::to_history(row.get(column)?).ok_or_else(|| unknown(column))
}

pub(super) fn relation(row: &Row<'_>, column: usize) -> rusqlite::Result<Relation> {
    code::to_relation(row.get(column)?).ok_or_else(|| unknown(column))
}

pub(super) fn audience(row: &Row<'_>, column: usize) -> rusqlite::Result<Audience> {
    code::to_audience(row.get(column)?).ok_or_else(|| unknown(column))
}

/// A value that this release does not know.
pub(super) fn unknown(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, "unknown code".into())
}

pub(super) fn from_seq(seq: Seq) -> i64 {
    from_number(seq.0)
}

pub(super) fn from_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_time(time: SystemTime) -> i64 {
    let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}

pub(super) fn from_optional_time(time: Option<SystemTime>) -> Option<i64> {
    time.map(from_time)
}
