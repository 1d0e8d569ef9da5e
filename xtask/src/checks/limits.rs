//! docs/limits.md says of every limit what it is, and says the truth: each key and constant it names is there with the
//! value it gives, each reason is one that clients know, each test exists; and no limit is left out.
//!
//! A limit is a key of docs/configuration.md that is a number, a size, a duration or a rate; or a constant called `MAX_…`,
//! or one of the fixed limits of the API. What limits no client stands under [`OTHERS`] instead.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::check::{Outcome, verdict};
use crate::source;
use crate::workspace::Workspace;
use page::{Page, Row, Source};

const PAGE: &str = "docs/limits.md";
const KEYS: &str = "docs/configuration.md";
const REASONS: &str = "docs/errors.md";
/// The heading of the list of what looks like a limit of clients and is none.
const OTHERS: &str = "## Numbers that limit no client";
/// Where constants are limits.
const FOLDERS: [&str; 6] = [
    "crates/embedded/src",
    "crates/grpc-kit/src",
    "crates/preview/src",
    "crates/runtime/src",
    "crates/types/src",
    "services",
];
/// Every public constant of this file is one.
const FIXED: &str = "crates/types/src/limits.rs";

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let read = |path: &str| fs::read_to_string(workspace.root.join(path)).with_context(|| path.to_owned());
    let page = Page::read(&read(PAGE)?, OTHERS);
    let keys = keys(&read(KEYS)?);
    let reasons = read(REASONS)?;
    let constants = constants(workspace)?;
    let mut faults = page.faults.clone();
    for row in &page.rows {
        let found = |file: &str, name: &str| {
            fs::read_to_string(workspace.root.join(file)).is_ok_and(|text| text.contains(name))
        };
        faults.extend(faults_of(row, &keys, &constants, &reasons, found));
    }
    faults.extend(left_out(&page, &keys, &constants));
    let faults: Vec<String> = faults.iter().map(|fault| format!("{PAGE}: {fault}")).collect();
    verdict(&faults, format!("{} limits", page.rows.len()))
}

/// The value of each constant, by file and name; and whether it has to be on the page.
type Constants = BTreeMap<(String, String), (String, bool)>;

fn constants(workspace: &Workspace) -> Result<Constants> {
    let mut all = Constants::new();
    for (path, text) in workspace.texts(&["rs"])? {
        let file = path.to_string_lossy().into_owned();
        if FOLDERS.iter().any(|folder| path.starts_with(folder)) && !is_test(&path) {
            let lines = source::lines(&text);
            let inside = source::in_test_module(&lines);
            let code = lines.iter().zip(inside).filter(|(_, inside)| !inside);
            let found = code.filter_map(|(line, _)| constant(line.code.trim()));
            all.extend(found.map(|(name, value)| {
                let is_limit = name.starts_with("MAX_") || (file == FIXED && name != "PROTOCOL");
                ((file.clone(), name.to_owned()), (value.to_owned(), is_limit))
            }));
        }
    }
    Ok(all)
}

fn is_test(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs" || part == "conformance")
}

/// The name and the value of a constant that stands on one line.
fn constant(code: &str) -> Option<(&str, &str)> {
    let (before, after) = code.split_once("const ")?;
    if !(before.is_empty() || before.starts_with("pub")) {
        return None;
    }
    let (name, after) = after.split_once(':')?;
    let (_, value) = after.split_once(" = ")?;
    Some((name, value.strip_suffix(';')?))
}

/// The default of every key that is a number of something.
fn keys(page: &str) -> BTreeMap<String, String> {
    let mut section = String::new();
    let mut keys = BTreeMap::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## `[").and_then(|rest| rest.strip_suffix("]`")) {
            section = heading.to_owned();
        }
        let cells = page::cells(line);
        let [key, default, allowed, _] = cells.as_slice() else { continue };
        let counts = ["number", "size", "duration", "burst"].iter().any(|kind| allowed.contains(kind));
        if let (Some(key), Some(default), true) =
            (page::quoted(key).next(), page::quoted(default).next(), counts)
        {
            keys.insert(format!("{section}.{key}"), default.to_owned());
        }
    }
    keys
}

/// What a row says that is not so.
fn faults_of(
    row: &Row,
    keys: &BTreeMap<String, String>,
    constants: &Constants,
    reasons: &str,
    test_is_there: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut faults = Vec::new();
    if row.sources.len() != row.values.len() {
        faults.push(format!("{}: as many values as names are needed", row.what));
    }
    for (source, value) in row.sources.iter().zip(&row.values) {
        let there = match source {
            Source::Key(key) => keys.get(key),
            Source::Constant(file, name) => {
                constants.get(&(file.clone(), name.clone())).map(|(value, _)| value)
            }
        };
        match there {
            None => faults.push(format!("{}: there is no {source}", row.what)),
            Some(there) if there != value => {
                faults.push(format!("{}: {source} is `{there}` and not `{value}`", row.what));
            }
            Some(_) => {}
        }
    }
    for reason in &row.reasons {
        if !reasons.contains(&format!("| `{reason}` |")) {
            faults.push(format!("{}: {reason} is no reason of {REASONS}", row.what));
        }
    }
    if row.tests.is_empty() {
        faults.push(format!("{}: no test", row.what));
    }
    for (file, name) in &row.tests {
        if !test_is_there(file, name) {
            faults.push(format!("{}: {name} is not in {file}", row.what));
        }
    }
    faults
}

/// Limits that the page says nothing of, and what stands on it twice.
fn left_out(page: &Page, keys: &BTreeMap<String, String>, constants: &Constants) -> Vec<String> {
    let mut told = BTreeSet::new();
    let mut faults = Vec::new();
    for source in page.rows.iter().flat_map(|row| &row.sources).chain(&page.others) {
        if !told.insert(source) {
            faults.push(format!("{source} is there twice"));
        }
    }
    let is_there = |source: &Source| match source {
        Source::Key(key) => keys.contains_key(key),
        Source::Constant(file, name) => constants.contains_key(&(file.clone(), name.clone())),
    };
    faults.extend(
        page.others.iter().filter(|other| !is_there(other)).map(|other| format!("there is no {other}")),
    );
    let limits = constants.iter().filter(|(_, (_, is_limit))| *is_limit);
    let wanted = keys.keys().map(|key| Source::Key(key.clone()));
    let wanted = wanted.chain(limits.map(|((file, name), _)| Source::Constant(file.clone(), name.clone())));
    faults.extend(
        wanted.filter(|source| !told.contains(source)).map(|source| format!("nothing is said of {source}")),
    );
    faults
}

#[cfg(test)]
mod tests;
