//! Between SQLite and the types of the domain.

use parlor_types::Seq;
use prost::Message;
use rusqlite::{Row, Transaction};

use super::{Result, StoreError};

/// Carries out a statement.
pub fn run(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<()> {
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// All rows of a query.
pub fn rows<T>(
    tx: &Transaction<'_>,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// The first row of a query, if there is one.
pub fn first<T>(
    tx: &Transaction<'_>,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    found.next()?.map(read).transpose()
}

pub fn decode<M: Message + Default>(encoded: Vec<u8>) -> Result<M> {
    M::decode(&encoded[..]).map_err(|_| StoreError::Corrupt("a message that cannot be decoded"))
}

/// SQLite counts to 2^63. No log is that long; what a server may say beyond is cut to it.
pub fn to_sql(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub fn from_sql(seq: i64) -> Seq {
    Seq(u64::try_from(seq).unwrap_or_default())
}
