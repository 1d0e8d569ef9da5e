//! The API as a contract: `buf` lints and formats it and compares it with the last release, and what clients call
//! never depends on what only services call.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::check::{Outcome, verdict};
use crate::install;
use crate::workspace::{Workspace, run as run_command};

/// The compiled API of the last release, committed when a release is made.
const RELEASED: &str = "proto/released.binpb";
/// Packages under this folder are for services alone.
const INTERNAL: &str = "parlor/internal/";

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let leaks: Vec<_> =
        workspace.texts(&["proto"])?.iter().flat_map(|(path, text)| leaks(path, text)).collect();
    verdict(&leaks, "")?;

    let Some(buf) = install::buf(workspace)? else {
        return Ok(Outcome::Skipped("no npm to install buf with".to_owned()));
    };
    let buf = |args: &[&str]| run_command(workspace.command(&buf).args(args));
    buf(&["lint", "proto"])?;
    buf(&["format", "--diff", "--exit-code", "proto"])?;
    if !workspace.root.join(RELEASED).is_file() {
        return Ok(Outcome::Passed("no released image yet, so nothing to be compatible with".to_owned()));
    }
    buf(&["breaking", "proto", "--against", RELEASED])?;
    Ok(Outcome::Passed("compatible with the last release".to_owned()))
}

/// Imports of internal packages in a file that clients compile.
fn leaks(path: &Path, text: &str) -> Vec<String> {
    if path.starts_with(PathBuf::from("proto").join(INTERNAL)) {
        return Vec::new();
    }
    let import =
        |line: &str| line.trim_start().starts_with("import ") && line.contains(&format!("\"{INTERNAL}"));
    let lines = text.lines().enumerate().filter(|(_, line)| import(line));
    lines
        .map(|(index, line)| {
            let (path, number) = (path.display(), index + 1);
            format!(
                "{path}:{number}: {}: what clients compile must not depend on an internal package",
                line.trim()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMPORT: &str = "syntax = \"proto3\";\nimport \"parlor/internal/auth/v1/auth.proto\";\n";

    #[test]
    fn a_public_file_may_not_import_an_internal_one() {
        let found = leaks(Path::new("proto/parlor/auth/v1/auth.proto"), IMPORT);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("proto/parlor/auth/v1/auth.proto:2: import"), "{}", found[0]);
    }

    #[test]
    fn an_internal_file_may_and_a_comment_is_no_import() {
        assert!(leaks(Path::new("proto/parlor/internal/chat/v1/chat.proto"), IMPORT).is_empty());
        let comment = "// import \"parlor/internal/auth/v1/auth.proto\";\n";
        assert!(leaks(Path::new("proto/parlor/auth/v1/auth.proto"), comment).is_empty());
    }
}
