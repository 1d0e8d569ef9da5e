//! Breaks the product in the ways that docs/guarantees.md lists, one after the other, and sees each caught by its test.
//!
//! A breakage is a patch in `tests/mutants`. It is applied to a checkout of the last commit, under `target/mutants`, and the
//! test that stands beside it in the table is run there: it has to fail. What was caught is kept in
//! `target/mutants/tally.json`, so that a run that was stopped goes on where it was; it is begun anew with each commit.

mod page;
mod verdict;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

pub use self::page::{Mutant, disagreements, listed};
use self::verdict::Verdict;
use crate::workspace::{Workspace, output};

/// Seconds after which a test hangs.
const PATIENCE: &str = "180";

/// Tries `name`, or all that this commit has not been tried with.
///
/// # Errors
/// A breakage is not caught, or cannot be tried.
pub fn run(workspace: &Workspace, name: Option<&str>) -> Result<()> {
    let mutants = listed(workspace)?;
    let wanted = |mutant: &&Mutant| name.is_none_or(|name| mutant.name == name);
    let wanted: Vec<_> = mutants.iter().filter(wanted).collect();
    ensure!(!wanted.is_empty(), "no breakage is called {}", name.unwrap_or_default());
    let field = Field::prepare(workspace)?;
    let mut tally = Tally::read(&field);
    let mut missed = Vec::new();
    for mutant in &wanted {
        if name.is_none() && tally.caught.contains(&mutant.name) {
            println!("{:28} was caught before", mutant.name);
            continue;
        }
        let verdict = field.attempt(workspace, mutant)?;
        println!("{:28} {verdict}", mutant.name);
        match verdict {
            Verdict::Caught(_) => tally.add(&field, &mutant.name)?,
            Verdict::Survived => missed.push(mutant.name.as_str()),
            Verdict::Untried(why) => bail!("{}: {why}", mutant.name),
        }
    }
    ensure!(missed.is_empty(), "not caught: {}", missed.join(", "));
    println!("{} of {} caught", wanted.len(), mutants.len());
    Ok(())
}

/// Where it happens: a checkout that nobody works in.
struct Field {
    folder: PathBuf,
    commit: String,
}

impl Field {
    fn prepare(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.root.join("target/mutants");
        let commit = output(workspace.command("git").args(["rev-parse", "HEAD"]))?.trim().to_owned();
        let field = Self { folder, commit };
        if !field.checkout().join(".git").exists() {
            let to = field.checkout();
            output(
                workspace.command("git").args(["clone", "--quiet", "--shared", "--no-checkout", "."]).arg(to),
            )?;
        }
        Ok(field)
    }

    fn checkout(&self) -> PathBuf {
        self.folder.join("checkout")
    }

    fn git(&self, workspace: &Workspace) -> std::process::Command {
        let mut git = workspace.command("git");
        git.arg("-C").arg(self.checkout());
        git
    }

    /// The last commit with nothing but this breakage, and what becomes of its test.
    fn attempt(&self, workspace: &Workspace, mutant: &Mutant) -> Result<Verdict> {
        output(self.git(workspace).args(["checkout", "--quiet", "--force", "--detach", &self.commit]))?;
        let patch = self.checkout().join(mutant.patch());
        output(self.git(workspace).arg("apply").arg(patch))?;
        let at = Target::of(&self.checkout(), &mutant.file)?;
        let which = at.which.iter().map(String::as_str);
        let arguments: Vec<_> =
            ["test", "--locked", "--package", &at.package].into_iter().chain(which).collect();
        let mut build = workspace.cargo(&arguments);
        let mut run = workspace.command("timeout");
        run.args(["--kill-after=5", PATIENCE]).arg(build.get_program()).args(&arguments);
        for command in [&mut build, &mut run] {
            command.current_dir(self.checkout()).env("CARGO_TARGET_DIR", self.folder.join("build"));
            command.env_remove("CARGO_MANIFEST_DIR");
        }
        verdict::of(build.arg("--no-run"), run.args(["--", &mutant.test]), &mutant.test)
    }
}

/// Where cargo has a test.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    package: String,
    which: Vec<String>,
}

impl Target {
    /// Of a file in a checkout.
    fn of(checkout: &Path, file: &Path) -> Result<Self> {
        let mut folders = file.ancestors().skip(1);
        let home = folders.find(|folder| checkout.join(folder).join("Cargo.toml").is_file());
        let home = home.with_context(|| format!("{} is in no package", file.display()))?;
        let manifest = std::fs::read_to_string(checkout.join(home).join("Cargo.toml"))?;
        let manifest: toml::Table = manifest.parse()?;
        let package = manifest.get("package").and_then(|package| package.get("name")?.as_str());
        let package = package.with_context(|| format!("{} is in no package", file.display()))?.to_owned();
        let inner = file.strip_prefix(home)?;
        if inner.starts_with("src") {
            return Ok(Self { package, which: vec!["--lib".to_owned()] });
        }
        Ok(Self { package, which: vec!["--test".to_owned(), program(inner, &manifest)] })
    }
}

/// The test program that a file belongs to: as the manifest says, or by cargo's own layout.
fn program(inner: &Path, manifest: &toml::Table) -> String {
    let named = manifest.get("test").and_then(toml::Value::as_array).into_iter().flatten();
    let text = |test: &toml::Value, key: &str| Some(test.get(key)?.as_str()?.to_owned());
    for test in named {
        let (Some(name), Some(path)) = (text(test, "name"), text(test, "path")) else { continue };
        let path = PathBuf::from(path);
        let folder = path.parent().filter(|_| path.ends_with("main.rs"));
        if inner == path || folder.is_some_and(|folder| inner.starts_with(folder)) {
            return name;
        }
    }
    let first = inner.components().nth(1).map(|part| PathBuf::from(part.as_os_str())).unwrap_or_default();
    first.with_extension("").to_string_lossy().into_owned()
}

/// What was caught of one commit.
#[derive(Default)]
struct Tally {
    caught: Vec<String>,
}

impl Tally {
    fn path(field: &Field) -> PathBuf {
        field.folder.join("tally.json")
    }

    fn read(field: &Field) -> Self {
        let text = std::fs::read_to_string(Self::path(field)).unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if value["commit"] != field.commit.as_str() {
            return Self::default();
        }
        let names = value["caught"].as_array().into_iter().flatten();
        Self { caught: names.filter_map(|name| Some(name.as_str()?.to_owned())).collect() }
    }

    fn add(&mut self, field: &Field, name: &str) -> Result<()> {
        self.caught.push(name.to_owned());
        let text = json!({ "commit": field.commit, "caught": self.caught }).to_string();
        std::fs::write(Self::path(field), text).context("the tally cannot be written")
    }
}

/// Whether every patch fits the checkout as it is.
///
/// # Errors
/// Git cannot be asked.
pub fn misfits(workspace: &Workspace, mutants: &[Mutant]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for mutant in mutants {
        let mut git = workspace.command("git");
        let tried =
            git.args(["apply", "--check"]).arg(mutant.patch()).output().context("git cannot be started")?;
        if !tried.status.success() {
            let why = String::from_utf8_lossy(&tried.stderr).trim().replace('\n', "; ");
            faults.push(format!("{}: {why}", mutant.patch().display()));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_found_where_cargo_has_it() -> Result<()> {
        let root = Workspace::from_env()?.root;
        let of = |file: &str| Target::of(&root, Path::new(file));
        let target = |package: &str, which: &[&str]| Target {
            package: package.to_owned(),
            which: which.iter().map(|part| (*part).to_owned()).collect(),
        };
        assert_eq!(of("services/chat-svc/src/log/appender/tests.rs")?, target("chat-svc", &["--lib"]));
        assert_eq!(
            of("services/chat-svc/tests/behaviour/lanes.rs")?,
            target("chat-svc", &["--test", "behaviour"])
        );
        assert_eq!(of("tests/guarantees/restore.rs")?, target("parlor-tests", &["--test", "restore"]));
        assert_eq!(
            of("tests/guarantees/strangers/files.rs")?,
            target("parlor-tests", &["--test", "strangers"])
        );
        assert_eq!(
            of("crates/embedded/tests/group_commit.rs")?,
            target("parlor-embedded", &["--test", "group_commit"])
        );
        assert!(of("README.md").is_err());
        Ok(())
    }
}
