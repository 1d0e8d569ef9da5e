//! How far a long run is, kept in `target/`: so that one that was stopped goes on where it was. It is begun anew when the code
//! it is about has changed.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::workspace::Workspace;

/// Kinds of files that are compiled, or say how.
pub const KINDS: [&str; 5] = ["rs", "sql", "proto", "toml", "lock"];
/// What the code is called among the counts.
const CODE: &str = "code";

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub struct Tally {
    path: PathBuf,
    /// The code that was run.
    code: String,
    counts: BTreeMap<String, u64>,
}

impl Tally {
    /// The one called `name`, as it was left, if that was with the code that is there now: in these folders and files.
    ///
    /// # Errors
    /// The code cannot be read.
    pub fn open(workspace: &Workspace, name: &str, code: &[&str]) -> Result<Self> {
        let path = workspace.root.join(format!("target/{name}.json"));
        let code = fingerprint(workspace, code)?;
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let counts = parse(&text).filter(|(of, _)| *of == code).map(|(_, counts)| counts);
        Ok(Self { path, code, counts: counts.unwrap_or_default() })
    }

    /// How many of these there were.
    pub fn of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// There were so many more.
    pub fn add(&mut self, what: &str, more: u64) {
        *self.counts.entry(what.to_owned()).or_default() += more;
    }

    /// Everything that was counted, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(what, count)| (what.as_str(), *count))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?; // cargo may build elsewhere
        }
        std::fs::write(&self.path, self.print())
            .with_context(|| format!("{}: cannot be written", self.path.display()))
    }

    fn print(&self) -> String {
        let mut object = Map::from_iter(self.all().map(|(what, count)| (what.to_owned(), count.into())));
        object.insert(CODE.to_owned(), self.code.as_str().into());
        Value::Object(object).to_string()
    }
}

fn parse(text: &str) -> Option<(String, BTreeMap<String, u64>)> {
    let mut object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let code = object.remove(CODE)?.as_str()?.to_owned();
    let counts = object.into_iter().map(|(what, count)| Some((what, count.as_u64()?)));
    Some((code, counts.collect::<Option<_>>()?))
}

/// Names the code as it is, committed or not.
fn fingerprint(workspace: &Workspace, code: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let texts = workspace.texts(&KINDS)?;
    texts.iter().filter(|(path, _)| decides(code, path)).for_each(|file| file.hash(&mut hasher));
    Ok(format!("{:016x}", hasher.finish()))
}

/// Whether a file is among this code.
pub fn decides(code: &[&str], path: &Path) -> bool {
    code.iter().any(|part| path.starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_that_was_written_is_read() {
        let (path, code) = (PathBuf::new(), "abc+12".to_owned());
        let mut tally = Tally { path, code: code.clone(), counts: BTreeMap::new() };
        tally.add("passed", 400);
        tally.add("passed", 100);
        tally.add("millis", 12_345);
        assert_eq!((tally.of("passed"), tally.of("failed")), (500, 0));
        assert_eq!(parse(&tally.print()), Some((code, tally.counts)));
        assert_eq!(parse("{}"), None);
    }

    #[test]
    fn it_is_of_one_state_of_the_code() -> Result<()> {
        let workspace = Workspace::from_env()?;
        let of = |code: &[&str]| fingerprint(&workspace, code);
        assert_eq!(of(&["xtask/src"])?, of(&["xtask/src"])?);
        assert_ne!(of(&["xtask/src"])?, of(&["xtask/Cargo.toml"])?);
        Ok(())
    }
}
