//! The matrix, as it is written.

use std::fmt;

/// A line of it: a method, and what each caller gets.
#[derive(Clone, Debug)]
pub struct Row {
    /// Without `parlor.`: `chat.v1.ChatService/Fetch`.
    pub method: String,
    /// What of Ada's it names; "—" for nothing.
    pub names: String,
    /// By caller: `ok`, or the reason. With a star, the answer about something made up is another.
    pub cells: Vec<String>,
}

impl Row {
    pub fn names_something(&self) -> bool {
        self.names != "—"
    }
}

/// See the module.
pub struct Table {
    pub callers: Vec<String>,
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads the one table there is in `page`.
    pub fn read(page: &str) -> Self {
        let mut lines = page.lines().filter_map(|line| {
            let inner = line.strip_prefix("| ")?.strip_suffix(" |")?;
            Some(inner.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
        });
        let callers = lines.next().expect("the names of the columns").split_off(2);
        let rows = lines.filter(|cells| cells[0] != "---").map(|mut cells| {
            let rest = cells.split_off(2);
            let [method, names] = <[String; 2]>::try_from(cells).expect("two cells");
            Row { method, names, cells: rest }
        });
        Self { callers, rows: rows.collect() }
    }

    /// What `found` has otherwise.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut all = Vec::new();
        for (expected, found) in self.rows.iter().zip(&found.rows) {
            for (number, caller) in self.callers.iter().enumerate() {
                let of = |row: &Row| row.cells.get(number).cloned().unwrap_or_default();
                let (expected_word, word) = (of(expected), of(found));
                if expected_word != word {
                    all.push(format!("{}: {caller}: {word} and not {expected_word}", expected.method));
                }
            }
        }
        all
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| method | names | {} |", self.callers.join(" | "))?;
        writeln!(f, "| --- | --- {}|", "| --- ".repeat(self.callers.len()))?;
        for row in &self.rows {
            writeln!(f, "| {} | {} | {} |", row.method, row.names, row.cells.join(" | "))?;
        }
        Ok(())
    }
}
