//! Who writes down what a stream says: whoever began last. What one before it still has in hand is older, and stays out.

use super::mutation::apply;
use super::{Result, Store, StoreError, log};
use crate::core::{Mutation, Saved};

/// The right to write, until somebody else begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease(i64);

impl Store {
    /// Begins to write down what a stream says, with all that a core begins with. Whoever did before, in this process or in
    /// another, is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(&self) -> Result<(Lease, Saved)> {
        self.write(|tx| {
            let sql = "UPDATE sync SET lease = lease + 1 RETURNING lease";
            let lease = tx.query_row(sql, [], |row| row.get(0))?;
            Ok((Lease(lease), log::saved(tx)?))
        })
    }

    /// As [`Store::apply`], for whoever began last.
    ///
    /// # Errors
    /// [`StoreError::TakenOver`] if somebody else has begun since, or another [`StoreError`]; nothing is changed then.
    pub fn apply_as(&self, lease: Lease, mutations: &[Mutation]) -> Result<()> {
        if mutations.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let last: i64 = tx.query_row("SELECT lease FROM sync", [], |row| row.get(0))?;
            if Lease(last) != lease {
                return Err(StoreError::TakenOver);
            }
            mutations.iter().try_for_each(|mutation| apply(tx, mutation))
        })
    }
}
