//! Runs the simulations over many seeds, and keeps count of them.
//!
//! A tally is kept of each in `target/`, so that a run that was stopped goes on where it was. It is begun anew when the code
//! it is about has changed.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::workspace::Workspace;

/// Seeds in one process: what is lost when it is stopped.
const CHUNK: u64 = 250;
/// What the tests read their seeds from.
const VARIABLE: &str = "PARLOR_SIMULATE";
/// Kinds of files that are compiled, or say how.
const KINDS: [&str; 5] = ["rs", "sql", "proto", "toml", "lock"];

/// Something that is simulated.
pub struct Simulation {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Seeds in all, unless asked for otherwise.
    pub seeds: u64,
    package: &'static str,
    /// Where the test is in the package.
    target: &'static [&'static str],
    test: &'static str,
    /// What a seed's outcome depends on. Folders and files.
    code: &'static [&'static str],
}

/// All simulations.
pub const ALL: [Simulation; 2] = [
    Simulation {
        name: "client",
        about: "the client's core against a hostile server",
        seeds: 20_000,
        package: "parlor-client",
        target: &["--lib"],
        test: "core::tests::from_seeds_that_are_asked_for",
        code: &[
            "crates/client",
            "crates/history",
            "crates/types",
            "crates/wire",
            "proto",
            ".cargo/config.toml",
            "Cargo.lock",
            "Cargo.toml",
        ],
    },
    Simulation {
        name: "system",
        about: "clients and chat-svc together, under faults of all that they stand on",
        seeds: 10_000,
        package: "parlor-simulation",
        target: &["--test", "seeds"],
        test: "from_seeds_that_are_asked_for",
        code: &[
            "simulation",
            "services/chat-svc",
            "crates/client",
            "crates/embedded",
            "crates/grpc-kit",
            "crates/history",
            "crates/runtime",
            "crates/types",
            "crates/wire",
            "proto",
            ".cargo/config.toml",
            "Cargo.lock",
            "Cargo.toml",
        ],
    },
];

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

impl Simulation {
    /// By its name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|simulation| simulation.name == name)
    }

    /// Runs one seed alone.
    pub fn one(&self, workspace: &Workspace, seed: u64) -> Result<()> {
        self.build(workspace)?;
        self.run(workspace, seed, seed + 1).with_context(|| format!("seed {seed} fails"))?;
        println!("seed {seed} passes");
        Ok(())
    }

    /// Runs the seeds below `seeds` that have not passed yet.
    pub fn all(&self, workspace: &Workspace, seeds: Option<u64>) -> Result<()> {
        let (seeds, code) = (seeds.unwrap_or(self.seeds), self.fingerprint(workspace)?);
        let begun = self.read(workspace).filter(|tally| tally.code == code);
        let mut tally = begun.unwrap_or(Tally { code, passed: 0, millis: 0 });
        println!("{}: {} of {seeds} seeds have passed before", self.name, tally.passed);
        self.build(workspace)?;
        while tally.passed < seeds {
            let end = (tally.passed + CHUNK).min(seeds);
            let started = Instant::now();
            if let Err(error) = self.run(workspace, tally.passed, end) {
                let text = format!("{error:#}");
                let seed = failed_seed(&text).map_or_else(|| "?".to_owned(), |seed| seed.to_string());
                println!("{text}");
                let name = self.name;
                bail!("seed {seed} fails; repeat it with `cargo xtask simulate {name} --seed {seed}`");
            }
            tally.passed = end;
            tally.millis += u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.write(workspace, &tally)?;
            println!("{}: {end} seeds passed in {:.0} s", self.name, tally.time().as_secs_f64());
        }
        Ok(())
    }

    fn cargo_test(&self, workspace: &Workspace, more: &[&str]) -> std::process::Command {
        let mut test = workspace.cargo(&["test", "--locked", "-p", self.package]);
        test.args(self.target).args(more);
        test
    }

    fn build(&self, workspace: &Workspace) -> Result<()> {
        crate::workspace::run(&mut self.cargo_test(workspace, &["--no-run"]))
    }

    fn run(&self, workspace: &Workspace, first: u64, end: u64) -> Result<()> {
        let mut test = self.cargo_test(workspace, &["--quiet", "--", "--exact", self.test]);
        test.env(VARIABLE, format!("{first}..{end}")).env("RUST_BACKTRACE", "0");
        let output = test.output().context("cargo could not be started")?;
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success() && printed.contains("1 passed"), "{printed}");
        Ok(())
    }

    /// Names the code as it is, committed or not.
    fn fingerprint(&self, workspace: &Workspace) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        let texts = workspace.texts(&KINDS)?;
        texts.iter().filter(|(path, _)| self.decides(path)).for_each(|file| file.hash(&mut hasher));
        Ok(format!("{:016x}", hasher.finish()))
    }

    /// Whether a change of this file may change what becomes of a seed.
    fn decides(&self, path: &Path) -> bool {
        self.code.iter().any(|code| path.starts_with(code))
    }

    fn path(&self, workspace: &Workspace) -> PathBuf {
        workspace.root.join(format!("target/simulate-{}.json", self.name))
    }

    fn read(&self, workspace: &Workspace) -> Option<Tally> {
        Tally::parse(&std::fs::read_to_string(self.path(workspace)).ok()?)
    }

    fn write(&self, workspace: &Workspace, tally: &Tally) -> Result<()> {
        let path = self.path(workspace);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?; // cargo may build elsewhere
        }
        std::fs::write(&path, tally.print()).with_context(|| format!("{}: cannot be written", path.display()))
    }
}

/// The seed that a failing test names.
fn failed_seed(printed: &str) -> Option<u64> {
    let (_, after) = printed.split_once("seed ")?;
    after.split_whitespace().next()?.parse().ok()
}

impl Tally {
    fn time(&self) -> Duration {
        Duration::from_millis(self.millis)
    }

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
    fn all_that_a_simulation_is_made_of_decides() -> Result<()> {
        let texts = Workspace::from_env()?.texts(&KINDS)?;
        let manifest = |of: &str| {
            let places = ["crates/", "services/", ""].map(|folder| format!("{folder}{of}/Cargo.toml"));
            texts.iter().find(|(path, _)| places.iter().any(|place| path == Path::new(place)))
        };
        for simulation in &ALL {
            for part in simulation.code {
                assert!(texts.iter().any(|(path, _)| path.starts_with(part)), "nothing is found at {part}");
            }
            let mut crates = vec![simulation.package.trim_start_matches("parlor-").to_owned()];
            while let Some(name) = crates.pop() {
                let (path, text) = manifest(&name).context("a crate")?;
                assert!(simulation.decides(path), "{}: {}", simulation.name, path.display());
                let (needed, _) = text.split_once("[dev-dependencies]").unwrap_or((text, ""));
                let names =
                    needed.lines().filter_map(|line| line.split_once(".workspace")).map(|(name, _)| name);
                let ours = names.filter(|name| name.starts_with("parlor-") || name.ends_with("-svc"));
                crates.extend(ours.map(|name| name.trim_start_matches("parlor-").to_owned()));
            }
            assert!(!simulation.decides(Path::new("services/auth-svc/src/lib.rs")));
        }
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
