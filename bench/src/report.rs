//! What a scenario found out, for people and for programs.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

/// See the module.
pub struct Report {
    /// All of it.
    pub json: Value,
    /// What people want to know.
    pub table: String,
}

impl Report {
    /// Of everything that was measured, and the rows that are shown.
    pub fn new(measured: &impl Serialize, table: &Table) -> Result<Self> {
        Ok(Self { json: serde_json::to_value(measured)?, table: table.to_string() })
    }
}

/// Rows of equally many cells, the first of them the head.
pub struct Table(pub Vec<Vec<String>>);

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column| self.0.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
        for row in &self.0 {
            let mut line = String::new();
            for (column, cell) in (0..columns).zip(row) {
                let width = width(column);
                // Names to the left, numbers to the right.
                if column == 0 { write!(line, "{cell:<width$}")? } else { write!(line, "  {cell:>width$}")? }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = Table(vec![row(["", "ours", "bare"]), row(["MiB/s", "99", "100.5"])]);
        assert_eq!(table.to_string(), "       ours   bare\nMiB/s    99  100.5\n");
    }
}
