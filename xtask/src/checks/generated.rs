//! Committed files that a program writes: each is what its program prints today.
//!
//! `cargo xtask generated` compares, `cargo xtask generated --write` rewrites.

use std::fs;

use anyhow::{Context, Result};

use crate::check::{Outcome, verdict};
use crate::programs::{self, Programs};
use crate::workspace::{Workspace, output};

/// A committed file and the example program whose standard output it is.
struct Generated {
    file: &'static str,
    example: &'static str,
    /// Which of the pages it knows.
    page: &'static str,
}

const GENERATED: &[Generated] = &[
    of_protos("docs/api.md", "api"),
    of_protos("docs/errors.md", "errors"),
    Generated { file: "docs/configuration.md", example: "server-docs", page: "configuration" },
];

const fn of_protos(file: &'static str, page: &'static str) -> Generated {
    Generated { file, example: "docs", page }
}

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let programs = programs::build(workspace)?;
    let mut stale = Vec::new();
    for row in GENERATED {
        let committed = fs::read_to_string(workspace.root.join(row.file)).unwrap_or_default();
        stale.extend(difference(row.file, &committed, &row.print(workspace, &programs)?));
    }
    verdict(&stale, GENERATED.iter().map(|row| row.file).collect::<Vec<_>>().join(", "))
}

/// Rewrites every generated file.
pub fn write(workspace: &Workspace) -> Result<()> {
    let programs = programs::build(workspace)?;
    for row in GENERATED {
        let current = row.print(workspace, &programs)?;
        fs::write(workspace.root.join(row.file), current)
            .with_context(|| format!("{}: not written", row.file))?;
        println!("wrote {}", row.file);
    }
    Ok(())
}

impl Generated {
    fn print(&self, workspace: &Workspace, programs: &Programs) -> Result<String> {
        output(workspace.command(programs.example(self.example)?).arg(self.page))
    }
}

/// Says where the two texts part, if they do.
fn difference(file: &str, committed: &str, current: &str) -> Option<String> {
    if committed == current {
        return None;
    }
    let same = committed.lines().zip(current.lines()).take_while(|(old, new)| old == new).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(end of file)").to_owned();
    let (old, new) = (line(committed), line(current));
    let number = same + 1;
    Some(format!(
        "{file} is not current: run `cargo xtask generated --write`\n  line {number} is:        {old}\n  line {number} should be: {new}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(difference("f.md", "a\nb\n", "a\nb\n"), None);
        let text = difference("f.md", "a\nb\n", "a\nc\n").expect("they differ");
        assert!(text.contains("line 2 is:        b") && text.contains("line 2 should be: c"), "{text}");
        let text = difference("f.md", "", "a\n").expect("they differ");
        assert!(text.contains("line 1 is:        (end of file)"), "{text}");
        assert!(difference("f.md", "a", "a\n").is_some(), "a lost line end at the end counts");
    }
}
