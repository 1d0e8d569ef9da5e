//! docs/limits.md as it is written: tables of limits, and the list of what is none.
//!
//! A row is "| what | where | value | beyond it | fails | test |". *Where* is a key such as `chat.page_bytes`, or a file and
//! constants in it; *test* is a file and tests in it, as often as need be.

use std::fmt;

/// Where a number is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A key of the configuration, with its sections.
    Key(String),
    /// A file, and the constant in it.
    Constant(String, String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Constant(file, name) => write!(f, "{name} in {file}"),
        }
    }
}

/// A limit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// In words.
    pub what: String,
    /// Where it is set.
    pub sources: Vec<Source>,
    /// What each of these is.
    pub values: Vec<String>,
    /// Reasons that clients are told when it is reached.
    pub reasons: Vec<String>,
    /// File and name of each test.
    pub tests: Vec<(String, String)>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Page {
    /// The limits.
    pub rows: Vec<Row>,
    /// What is none.
    pub others: Vec<Source>,
    /// Lines that cannot be read.
    pub faults: Vec<String>,
}

impl Page {
    /// Reads `text`; below the heading `others` stands what is no limit.
    pub fn read(text: &str, others: &str) -> Self {
        let mut page = Self::default();
        let mut is_other = false;
        for line in text.lines() {
            if line.starts_with("## ") {
                is_other = line == others;
            }
            if is_other && line.starts_with("- ") {
                page.others.extend(sources(line));
            } else if line.starts_with("| ") && !line.starts_with("| what |") && !line.starts_with("| --- |")
            {
                match row(line) {
                    Ok(row) => page.rows.push(row),
                    Err(fault) => page.faults.push(format!("{fault}: {line}")),
                }
            }
        }
        page
    }
}

fn row(line: &str) -> Result<Row, &'static str> {
    let cells = cells(line);
    let [what, place, value, beyond, fails, test] = cells.as_slice() else {
        return Err("six cells are needed");
    };
    if !["open", "closed", "—"].iter().any(|word| fails.starts_with(word)) {
        return Err("it fails open, closed, or not at all (—)");
    }
    let is_reason =
        |word: &&str| word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    Ok(Row {
        what: (*what).to_owned(),
        sources: sources(place),
        values: quoted(value).map(str::to_owned).collect(),
        reasons: quoted(beyond).filter(is_reason).map(str::to_owned).collect(),
        tests: in_files(test).collect(),
    })
}

/// The cells of a line of a table; none of another line.
pub fn cells(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix("| ").and_then(|rest| rest.strip_suffix(" |"));
    inner.map(|inner| inner.split(" | ").map(str::trim).collect()).unwrap_or_default()
}

/// What stands between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Keys, and constants with the file before them.
fn sources(text: &str) -> Vec<Source> {
    let mut file = None;
    let mut all = Vec::new();
    for word in quoted(text) {
        match &file {
            _ if word.ends_with(".rs") => file = Some(word.to_owned()),
            Some(file) if !word.contains('.') => all.push(Source::Constant(file.clone(), word.to_owned())),
            _ => all.push(Source::Key(word.to_owned())),
        }
    }
    all
}

/// Names, each with the file before it.
fn in_files(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut file = String::new();
    quoted(text).filter_map(move |word| {
        if word.ends_with(".rs") {
            word.clone_into(&mut file);
            return None;
        }
        Some((file.clone(), word.to_owned()))
    })
}
