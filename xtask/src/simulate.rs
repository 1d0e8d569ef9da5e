//! Runs the simulations over many seeds, and keeps a tally of each.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::tally::Tally;
use crate::workspace::Workspace;

/// What the tests read their seeds from.
const VARIABLE: &str = "PARLOR_SIMULATE";
/// Counted: all seeds below this passed.
const PASSED: &str = "passed";
/// Counted: how long that took.
const MILLIS: &str = "millis";

/// Something that is simulated.
pub struct Simulation {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Seeds in all, unless asked for otherwise.
    pub seeds: u64,
    /// Seeds in one process: what is lost when it is stopped.
    chunk: u64,
    package: &'static str,
    /// Where the test is in the package.
    target: &'static [&'static str],
    test: &'static str,
    /// What a seed's outcome depends on. Folders and files.
    code: &'static [&'static str],
}

/// All simulations.
pub const ALL: [Simulation; 3] = [
    Simulation {
        name: "client",
        about: "the client's core against a hostile server",
        seeds: 20_000,
        chunk: 250,
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
        chunk: 250,
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
    Simulation {
        name: "turmoil",
        about: "clients and chat-svc over their real transport, on a simulated network",
        seeds: 300,
        chunk: 30,
        package: "parlor-turmoil",
        target: &["--test", "seeds"],
        test: "from_seeds_that_are_asked_for",
        code: &[
            "turmoil",
            "services/chat-svc",
            "crates/client",
            "crates/embedded",
            "crates/grpc-kit",
            "crates/history",
            "crates/runtime",
            "crates/testkit",
            "crates/types",
            "crates/wire",
            "proto",
            ".cargo/config.toml",
            "Cargo.lock",
            "Cargo.toml",
        ],
    },
];

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
        let seeds = seeds.unwrap_or(self.seeds);
        let mut tally = Tally::open(workspace, &format!("simulate-{}", self.name), self.code)?;
        println!("{}: {} of {seeds} seeds have passed before", self.name, tally.of(PASSED));
        self.build(workspace)?;
        while tally.of(PASSED) < seeds {
            let passed = tally.of(PASSED);
            let end = (passed + self.chunk).min(seeds);
            let started = Instant::now();
            if let Err(error) = self.run(workspace, passed, end) {
                let text = format!("{error:#}");
                let seed = failed_seed(&text).map_or_else(|| "?".to_owned(), |seed| seed.to_string());
                println!("{text}");
                let name = self.name;
                bail!("seed {seed} fails; repeat it with `cargo xtask simulate {name} --seed {seed}`");
            }
            tally.add(PASSED, end - passed);
            tally.add(MILLIS, u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            tally.save()?;
            let took = Duration::from_millis(tally.of(MILLIS));
            println!("{}: {end} seeds passed in {:.0} s", self.name, took.as_secs_f64());
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
}

/// The seed that a failing test names.
fn failed_seed(printed: &str) -> Option<u64> {
    let (_, after) = printed.split_once("seed ")?;
    after.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::tally::{KINDS, decides};

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
                assert!(decides(simulation.code, path), "{}: {}", simulation.name, path.display());
                let (needed, _) = text.split_once("[dev-dependencies]").unwrap_or((text, ""));
                let names =
                    needed.lines().filter_map(|line| line.split_once(".workspace")).map(|(name, _)| name);
                let ours = names.filter(|name| name.starts_with("parlor-") || name.ends_with("-svc"));
                crates.extend(ours.map(|name| name.trim_start_matches("parlor-").to_owned()));
            }
            assert!(!decides(simulation.code, Path::new("services/auth-svc/src/lib.rs")));
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
