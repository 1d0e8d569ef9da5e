//! No source file is longer than one sitting.

use std::path::PathBuf;

use anyhow::Result;

use crate::check::{Outcome, verdict};
use crate::workspace::Workspace;

/// Lines of a source file, tests included. There is no list of exceptions.
const MAX_LINES: usize = 600;
const EXTENSIONS: &[&str] = &["rs", "proto", "ts", "js", "mjs", "py", "sh"];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let texts = workspace.texts(EXTENSIONS)?;
    let mut lengths: Vec<_> = texts.into_iter().map(|(path, text)| (text.lines().count(), path)).collect();
    lengths.sort();
    verdict(&too_long(&lengths), summary(&lengths))
}

fn too_long(lengths: &[(usize, PathBuf)]) -> Vec<String> {
    let long = lengths.iter().rev().take_while(|(lines, _)| *lines > MAX_LINES);
    long.map(|(lines, path)| {
        format!("{}: {lines} lines, the limit is {MAX_LINES}; split it by idea", path.display())
    })
    .collect()
}

/// Median and longest of `lengths`, which are sorted.
fn summary(lengths: &[(usize, PathBuf)]) -> String {
    let Some((longest, path)) = lengths.last() else { return "no files".to_owned() };
    let (median, _) = lengths[lengths.len() / 2];
    format!("{} files, median {median} lines, longest {longest} ({})", lengths.len(), path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed_and_one_line_more_is_not() {
        let lengths = [(10, "a.rs".into()), (MAX_LINES, "b.rs".into()), (MAX_LINES + 1, "c.rs".into())];
        assert_eq!(too_long(&lengths), ["c.rs: 601 lines, the limit is 600; split it by idea"]);
        assert_eq!(summary(&lengths), "3 files, median 600 lines, longest 601 (c.rs)");
    }
}
