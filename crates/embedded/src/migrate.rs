//! Forward-only schema changes, counted in `PRAGMA user_version`.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::OpenError;
use crate::tx::COMMIT_TABLE;

/// One step of a schema. Released steps are never edited; a change is a new step.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// 1 for the first step, one more for each next.
    pub version: u32,
    /// Statements, run in one transaction. Deferred foreign keys are not supported: they would fail at the commit,
    /// and with it the neighbours of the job that broke them.
    pub sql: &'static str,
}

/// Brings the file to the newest version.
pub(crate) fn apply(connection: &mut Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    for (expected, migration) in (1..).zip(migrations) {
        if migration.version != expected {
            return Err(OpenError::MigrationOrder { found: migration.version, expected });
        }
    }
    let known = migrations.last().map_or(0, |migration| migration.version);
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > known {
        return Err(OpenError::TooNew { found, known });
    }
    connection.execute_batch(COMMIT_TABLE)?;
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        step(connection, migration)
            .map_err(|source| OpenError::Migration { version: migration.version, source })?;
    }
    Ok(())
}

fn step(connection: &mut Connection, migration: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(migration.sql)?;
    transaction.pragma_update(None, "user_version", migration.version)?;
    transaction.commit()
}
