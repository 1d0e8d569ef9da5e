//! Runs the simulation of the client's core over many seeds, and keeps count of them.
//!
//! The tally is kept in `target/simulate.json`, so that a run that was stopped goes on where it was. It is begun anew
//! when the code it is about has changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::workspace::Workspace;

/// Seeds in one process: what is lost when it is stopped.
const CHUNK: u64 = 250;
/// Seeds in all, unless asked for otherwise.
pub const SEEDS: u64 = 20_000;
/// What the tests of the core read their seeds from.
const VARIABLE: &str = "PARLOR_SIMULATE";
const TEST: &str = "core::tests::from_seeds_that_are_asked_for";
/// What a seed's outcome depends on: the client and what it is made of. Folders and files.
const CODE: [&str; 7] = [
    "crates/client",
    "crates/types",
    "crates/wire",
    "proto",
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
];
/// Kinds of files that are compiled, or say how.
const KINDS: [&str; 5] = ["rs", "sql", "proto", "toml", "lock"];

/// How far it is.
#[derive(Debug, PartialEq, Eq)]
struct Tally {
    /// The code that was run.
    code: String,
    /// All seeds below this passed.
    passed: u64,
    /// How long that took.
    millis: u64,
}

/// Runs one seed alone.
pub fn one(workspace: &Workspace, seed: u64) -> Result<()> {
    build(workspace)?;
    run(workspace, seed, seed + 1).with_context(|| format!("seed {seed} fails"))?;
    println!("seed {seed} passes");
    Ok(())
}

/// Runs the seeds below `seeds` that have not passed yet.
pub fn all(workspace: &Workspace, seeds: u64) -> Result<()> {
    let code = fingerprint(workspace)?;
    let mut tally =
        read(workspace).filter(|tally| tally.code == code).unwrap_or(Tally { code, passed: 0, millis: 0 });
    println!("{} of {seeds} seeds have passed before", tally.passed);
    build(workspace)?;
    while tally.passed < seeds {
        let end = (tally.passed + CHUNK).min(seeds);
        let started = Instant::now();
        if let Err(error) = run(workspace, tally.passed, end) {
            let text = format!("{error:#}");
            let seed = failed_seed(&text).map_or_else(|| "?".to_owned(), |seed| seed.to_string());
            println!("{text}");
            bail!("seed {seed} fails; repeat it with `cargo xtask simulate --seed {seed}`");
        }
        tally.passed = end;
        tally.millis += u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        write(workspace, &tally)?;
        println!("{end} seeds passed in {:.0} s", Duration::from_millis(tally.millis).as_secs_f64());
    }
    Ok(())
}

fn build(workspace: &Workspace) -> Result<()> {
    crate::workspace::run(&mut workspace.cargo(&[
        "test",
        "--locked",
        "-p",
        "parlor-client",
        "--lib",
        "--no-run",
    ]))
}

fn run(workspace: &Workspace, first: u64, end: u64) -> Result<()> {
    let mut test = workspace.cargo(&["test", "--quiet", "--locked", "-p", "parlor-client", "--lib", "--"]);
    test.args(["--exact", TEST]).env(VARIABLE, format!("{first}..{end}")).env("RUST_BACKTRACE", "0");
    let output = test.output().context("cargo could not be started")?;
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && printed.contains("1 passed"), "{printed}");
    Ok(())
}

/// The seed that a failing test names.
fn failed_seed(printed: &str) -> Option<u64> {
    let (_, after) = printed.split_once("seed ")?;
    after.split_whitespace().next()?.parse().ok()
}

/// Names the code as it is, committed or not.
fn fingerprint(workspace: &Workspace) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let texts = workspace.texts(&KINDS)?;
    texts.iter().filter(|(path, _)| decides(path)).for_each(|file| file.hash(&mut hasher));
    Ok(format!("{:016x}", hasher.finish()))
}

/// Whether a change of this file may change what becomes of a seed.
fn decides(path: &Path) -> bool {
    CODE.iter().any(|code| path.starts_with(code))
}

fn path(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/simulate.json")
}

fn read(workspace: &Workspace) -> Option<Tally> {
    Tally::parse(&std::fs::read_to_string(path(workspace)).ok()?)
}

fn write(workspace: &Workspace, tally: &Tally) -> Result<()> {
    let path = path(workspace);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?; // cargo may build elsewhere
    }
    std::fs::write(&path, tally.print()).with_context(|| format!("{}: cannot be written", path.display()))
}

impl Tally {
    fn print(&self) -> String {
        let Self { code, passed, millis } = self;
        json!({ "code": code, "passed": passed, "millis": millis }).to_string()
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let number = |name: &str| value[name].as_u64();
        Some(Self {
            code: value["code"].as_str()?.to_owned(),
            passed: number("passed")?,
            millis: number("millis")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_that_was_written_is_read() {
        let tally = Tally { code: "abc+12".to_owned(), passed: 500, millis: 12_345 };
        assert_eq!(Tally::parse(&tally.print()), Some(tally));
        assert_eq!(Tally::parse("{}"), None);
    }

    #[test]
    fn all_that_the_client_is_made_of_decides() -> Result<()> {
        let texts = Workspace::from_env()?.texts(&KINDS)?;
        for part in CODE {
            assert!(texts.iter().any(|(path, _)| path.starts_with(part)), "nothing is found at {part}");
        }
        let mut crates = vec!["client".to_owned()];
        while let Some(name) = crates.pop() {
            let manifest = format!("crates/{name}/Cargo.toml");
            assert!(decides(Path::new(&manifest)), "{manifest}");
            let (_, text) =
                texts.iter().find(|(path, _)| *path == Path::new(&manifest)).context("a crate")?;
            let ours = text.lines().filter_map(|line| line.strip_prefix("parlor-"));
            crates.extend(
                ours.filter_map(|line| line.split_once(".workspace")).map(|(name, _)| name.to_owned()),
            );
        }
        assert!(!decides(Path::new("services/chat-svc/src/lib.rs")));
        Ok(())
    }

    #[test]
    fn the_seed_is_found_in_what_a_test_prints() {
        let printed =
            "thread 'core' panicked at mod.rs:20:\nseed 417 failed\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(failed_seed(printed), Some(417));
        assert_eq!(failed_seed("error: could not compile"), None);
    }
}
