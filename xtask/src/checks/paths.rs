//! What documents name is there: files and folders in links and in code, and checks as `cargo xtask NAME`.
//!
//! A document may leave out the front of a path that it speaks of all the time: `log/facade.rs` is some
//! `.../log/facade.rs`. A name with a placeholder in it (`services/<name>/`, `parlor/*/v1`) is none.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use crate::check::{CHECKS, Outcome, verdict};
use crate::workspace::Workspace;

/// A word without a slash is a file if it ends like one of ours.
const EXTENSIONS: [&str; 7] = ["rs", "proto", "md", "sh", "py", "ts", "conf"];
/// What media types begin with: `image/png` is no file.
const MEDIA_TYPES: [&str; 5] = ["application", "audio", "image", "text", "video"];
/// What `cargo xtask` knows besides checks.
const COMMANDS: [&str; 5] = ["ci", "simulate", "soak", "fuzz", "mutants"];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let there = There::new(workspace)?;
    let mut faults = Vec::new();
    let mut count = 0;
    for (path, text) in workspace.texts(&["md"])? {
        for named in named(&text) {
            count += 1;
            if !there.has(&path, &named.what) {
                faults.push(format!("{}:{}: {} is not there", path.display(), named.line, named.what));
            }
        }
    }
    verdict(&faults, format!("{count} names"))
}

/// All that can be named.
struct There {
    files: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
    /// The top of what git does not keep.
    ignored: Vec<String>,
}

impl There {
    fn new(workspace: &Workspace) -> Result<Self> {
        let files: BTreeSet<_> = workspace.files()?.into_iter().collect();
        let folders = files.iter().flat_map(|file| file.ancestors().skip(1)).map(Path::to_owned).collect();
        let ignored = std::fs::read_to_string(workspace.root.join(".gitignore"))?;
        let ignored = ignored.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect();
        Ok(Self { files, folders, ignored })
    }

    fn has(&self, document: &Path, what: &What) -> bool {
        match what {
            What::Check(name) => {
                COMMANDS.contains(&name.as_str()) || CHECKS.iter().any(|check| check.name == name)
            }
            What::Link(link) => {
                let folder = document.parent().unwrap_or(Path::new(""));
                let path = plain(&folder.join(link));
                self.files.contains(&path) || self.folders.contains(&path)
            }
            What::Code(text) => {
                let path = Path::new(text.trim_start_matches("./").trim_end_matches('/'));
                let first = path.components().next().map(|first| first.as_os_str().to_string_lossy());
                let is_ignored = first.is_some_and(|first| self.ignored.iter().any(|top| *top == first));
                is_ignored || self.files.iter().chain(&self.folders).any(|there| there.ends_with(path))
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Named {
    line: usize,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    /// The target of a link, relative to the document.
    Link(String),
    /// A path in code, relative to anything.
    Code(String),
    /// A check.
    Check(String),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(path) | Self::Code(path) => f.write_str(path),
            Self::Check(name) => write!(f, "cargo xtask {name}"),
        }
    }
}

fn named(text: &str) -> Vec<Named> {
    let mut all = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let mut add = |what| all.push(Named { line: index + 1, what });
        checks(line).for_each(|name| add(What::Check(name)));
        if !in_block {
            links(line).for_each(|link| add(What::Link(link)));
            line.split('`')
                .skip(1)
                .step_by(2)
                .filter(|code| is_path(code))
                .for_each(|code| add(What::Code(code.to_owned())));
        }
    }
    all
}

/// What comes after each `cargo xtask`, if it is a name.
fn checks(line: &str) -> impl Iterator<Item = String> {
    let rest = line.split("cargo xtask ").skip(1);
    let name = |rest: &str| rest.chars().take_while(char::is_ascii_lowercase).collect::<String>();
    rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase())).map(name)
}

/// The targets of `[text](target)` that are files.
fn links(line: &str) -> impl Iterator<Item = String> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let file = |target: &str| target.split('#').next().unwrap_or_default().to_owned();
    targets.filter(|target| !target.contains("://")).map(file).filter(|file| !file.is_empty())
}

fn is_path(code: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    // What begins with a digit is a network.
    if code.is_empty()
        || code.starts_with(|c: char| c == '/' || c.is_ascii_digit())
        || !code.chars().all(is_plain)
    {
        return false;
    }
    let has_extension =
        Path::new(code).extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found == *known));
    let is_media_type =
        code.split_once('/').is_some_and(|(kind, rest)| MEDIA_TYPES.contains(&kind) && !rest.is_empty());
    has_extension || (code.contains('/') && !is_media_type)
}

/// Without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        named(text).iter().map(|named| format!("{} {:?}", named.line, named.what)).collect()
    }

    #[test]
    fn links_paths_and_checks_are_names_and_nothing_else_is() {
        let text = "[a](../a.md#b) [c](https://c.example/d) [e](#e)\n`log/facade.rs` `app.rs` `/var/lib` `a b/c` `parlor/*/v1` `10.0.0.0/8` `image/png` `text/`\n\
                    ```sh\ncat `x/y.rs`\ncargo xtask layers\n```\n`services/<name>/` `0.5` `proto/`, `cargo xtask ci` cargo xtask  -- `cargo xtask <name>`";
        let wanted = [
            "1 Link(\"../a.md\")",
            "2 Code(\"log/facade.rs\")",
            "2 Code(\"app.rs\")",
            "2 Code(\"text/\")",
            "5 Check(\"layers\")",
            "7 Check(\"ci\")",
            "7 Code(\"proto/\")",
        ];
        assert_eq!(found(text), wanted);
    }

    #[test]
    fn the_front_of_a_path_may_be_left_out_but_not_a_part_of_a_name() {
        let files: BTreeSet<_> = [PathBuf::from("a/src/log/facade.rs"), PathBuf::from("docs/x.md")].into();
        let folders = [PathBuf::from("a/src/log"), PathBuf::from("docs")].into();
        let there = There { files, folders, ignored: vec!["tools".to_owned()] };
        let has = |what| there.has(Path::new("docs/x.md"), &what);
        let code = |text: &str| has(What::Code(text.to_owned()));
        assert!(code("log/facade.rs") && code("facade.rs") && code("src/log/") && code("tools/go/bin"));
        assert!(!code("g/facade.rs") && !code("log/other.rs") && !code("acade.rs"));
        let link = |text: &str| has(What::Link(text.to_owned()));
        assert!(
            link("x.md")
                && link("../a/src/log")
                && link("../docs")
                && !link("log/facade.rs")
                && !link("docs/x.md")
        );
        assert!(has(What::Check("ci".to_owned())) && !has(What::Check("magic".to_owned())));
    }
}
