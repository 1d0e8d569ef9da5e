//! The table of breakages in docs/guarantees.md.
//!
//! A row is "| what is broken | G1 | `name` | `path/to/file.rs`: `test` |".

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// Where it stands.
const PAGE: &str = "docs/guarantees.md";
/// Where the patches are.
const PATCHES: &str = "tests/mutants";

/// One way to break the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// What its patch is called, without `.patch`.
    pub name: String,
    /// The file of the test that catches it, from the root of the checkout.
    pub file: PathBuf,
    /// The test.
    pub test: String,
}

impl Mutant {
    /// Its patch, from the root of the checkout.
    pub fn patch(&self) -> PathBuf {
        Path::new(PATCHES).join(format!("{}.patch", self.name))
    }
}

/// All that the page lists.
///
/// # Errors
/// The page cannot be read.
pub fn listed(workspace: &Workspace) -> Result<Vec<Mutant>> {
    let page = std::fs::read_to_string(workspace.root.join(PAGE)).context(PAGE)?;
    Ok(page.lines().filter_map(row).collect())
}

fn row(line: &str) -> Option<Mutant> {
    let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [_, guarantee, name, test] = cells[..] else { return None };
    if !guarantee.starts_with('G') {
        return None;
    }
    let code = |text: &str| Some(text.strip_prefix('`')?.strip_suffix('`')?.to_owned());
    let (file, test) = test.split_once(": ")?;
    Some(Mutant { name: code(name)?, file: code(file)?.into(), test: code(test)? })
}

/// What does not agree: patches that the page does not list, and the reverse; tests that are not there.
///
/// # Errors
/// Files cannot be listed.
pub fn disagreements(workspace: &Workspace, mutants: &[Mutant]) -> Result<Vec<String>> {
    let files = workspace.files()?;
    let is_patch =
        |path: &&PathBuf| path.starts_with(PATCHES) && path.extension().is_some_and(|end| end == "patch");
    let there: BTreeSet<_> = files.iter().filter(is_patch).cloned().collect();
    let named: BTreeSet<_> = mutants.iter().map(Mutant::patch).collect();
    let missing = named.difference(&there).map(|patch| format!("{PAGE}: {} is not there", patch.display()));
    let unlisted = there.difference(&named).map(|patch| format!("{} is not in {PAGE}", patch.display()));
    let tests = mutants.iter().filter(|mutant| {
        let text = std::fs::read_to_string(workspace.root.join(&mutant.file)).unwrap_or_default();
        !text.contains(&format!("fn {}", mutant.test))
    });
    let tests = tests.map(|mutant| format!("{PAGE}: {} has no {}", mutant.file.display(), mutant.test));
    Ok(missing.chain(unlisted).chain(tests).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_what_is_none_is_left_out() {
        let mutant = Mutant { name: "no-sync".into(), file: "a/b.rs".into(), test: "g1_x".into() };
        assert_eq!(row("| Sync is off | G1, G2 | `no-sync` | `a/b.rs`: `g1_x` |"), Some(mutant));
        assert_eq!(row("| what is broken | guarantee | patch | caught by |"), None);
        assert_eq!(row("| --- | --- | --- | --- |"), None);
        assert_eq!(row("- `a/b.rs`: `g1_x`"), None);
    }
}
