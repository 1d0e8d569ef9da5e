//! docs/guarantees.md names tests that exist, and some for each guarantee; and its breakages can be tried.
//!
//! A guarantee is a heading such as `## G1 durable`; below it, a test is a line such as "- `path/to/file.rs`: `name`,
//! `other_name`".

use std::fs;

use anyhow::{Context, Result};

use crate::check::{Outcome, verdict};
use crate::mutants;
use crate::workspace::Workspace;

const PAGE: &str = "docs/guarantees.md";
const GUARANTEES: [&str; 8] = ["G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let page = fs::read_to_string(workspace.root.join(PAGE)).context(PAGE)?;
    let named = named(&page);
    let mut faults = without_tests(&named);
    for test in &named {
        let text = fs::read_to_string(workspace.root.join(&test.file)).unwrap_or_default();
        if !text.contains(&test.name) {
            faults.push(format!(
                "{PAGE}: {} names {} in {}, which is not there",
                test.guarantee, test.name, test.file
            ));
        }
    }
    let mutants = mutants::listed(workspace)?;
    faults.extend(mutants::disagreements(workspace, &mutants)?);
    faults.extend(mutants::misfits(workspace, &mutants)?);
    verdict(&faults, format!("{} tests named, {} breakages listed", named.len(), mutants.len()))
}

#[derive(Debug, PartialEq, Eq)]
struct Named {
    guarantee: String,
    file: String,
    name: String,
}

fn named(page: &str) -> Vec<Named> {
    let mut guarantee = String::new();
    let mut all = Vec::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            guarantee = heading.split_whitespace().next().unwrap_or_default().to_owned();
        }
        let Some((file, names)) = line.strip_prefix("- `").and_then(|rest| rest.split_once("`:")) else {
            continue;
        };
        // Every second piece between backticks is a name.
        let names = names.split('`').skip(1).step_by(2);
        all.extend(names.map(|name| Named {
            guarantee: guarantee.clone(),
            file: file.to_owned(),
            name: name.to_owned(),
        }));
    }
    all
}

fn without_tests(named: &[Named]) -> Vec<String> {
    let missing = |guarantee: &&&str| !named.iter().any(|test| test.guarantee == **guarantee);
    GUARANTEES.iter().filter(missing).map(|guarantee| format!("{PAGE}: no test for {guarantee}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_read_with_their_guarantee() {
        let page = "# x\n\n## G1 durable\n\ntext `a`\n- `a/b.rs`: `one`, `two` (slow)\n\n## G2 once\n- `c.rs`: `three`\n";
        let read: Vec<String> = named(page)
            .iter()
            .map(|test| format!("{} {} {}", test.guarantee, test.file, test.name))
            .collect();
        assert_eq!(read, ["G1 a/b.rs one", "G1 a/b.rs two", "G2 c.rs three"]);
        let missing = without_tests(&named(page));
        assert_eq!((missing.len(), missing[0].as_str()), (6, "docs/guarantees.md: no test for G3"));
    }
}
