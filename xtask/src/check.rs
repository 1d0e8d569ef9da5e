//! What a check is, and the table of all of them.

use anyhow::{Result, bail};

use crate::checks;
use crate::workspace::Workspace;

/// One thing CI verifies.
pub struct Check {
    /// The name after `cargo xtask`.
    pub name: &'static str,
    /// One line for the list of checks.
    pub about: &'static str,
    /// Runs it. An error is a failed check and says what to change.
    pub run: fn(&Workspace) -> Result<Outcome>,
}

/// How a check that did not fail ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; the text is a remark for the summary and may be empty.
    Passed(String),
    /// A tool is missing, for the reason given. Fails the run when `CI=true`.
    Skipped(String),
}

/// All checks, cheapest first: this is the order of `cargo xtask ci`.
pub const CHECKS: &[Check] = &[
    Check { name: "size", about: "No source file is longer than 600 lines", run: checks::size::run },
    Check {
        name: "words",
        about: "No forgotten TODO, bare allow, unexplained sleep or unbounded queue",
        run: checks::words::run,
    },
    Check {
        name: "promises",
        about: "docs/guarantees.md names tests that exist",
        run: checks::promises::run,
    },
    Check {
        name: "limits",
        about: "docs/limits.md tells the truth of every limit, and names its test",
        run: checks::limits::run,
    },
    Check { name: "paths", about: "Files and checks that documents name are there", run: checks::paths::run },
    Check {
        name: "layers",
        about: "Crates and modules import only what the layout allows",
        run: checks::layers::run,
    },
    Check { name: "fmt", about: "Rust code is formatted", run: checks::fmt::run },
    Check {
        name: "proto",
        about: "The API is linted, formatted and compatible with the last release",
        run: checks::proto::run,
    },
    Check {
        name: "deny",
        about: "Licences, banned crates and sources of dependencies",
        run: checks::deny::run,
    },
    Check { name: "clippy", about: "Clippy finds nothing in any target", run: checks::clippy::run },
    Check { name: "docs", about: "The API documentation builds without a warning", run: checks::docs::run },
    Check {
        name: "generated",
        about: "Committed files that a program writes are current",
        run: checks::generated::run,
    },
    Check { name: "test", about: "Every Rust test", run: checks::test::run },
    Check {
        name: "interop",
        about: "Clients in Python and Node, against a real server",
        run: checks::interop::run,
    },
];

/// Passes with `remark` if nothing was found, else fails with every finding on a line of its own.
pub fn verdict(findings: &[String], remark: impl Into<String>) -> Result<Outcome> {
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    Ok(Outcome::Passed(remark.into()))
}
