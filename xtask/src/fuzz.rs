//! Looks for bytes that break a target of `parlor-hostile`, with libFuzzer and for as long as one likes.
//!
//! A tally is kept of the runs of each target. What a search has found worth trying stays in `target/`, so that the next goes on
//! from there; of that, what is small and reaches something new is kept in `hostile/corpus` by `--keep`. It wants nightly Rust, so
//! it is no part of CI: the corpus is.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::install;
use crate::tally::Tally;
use crate::workspace::{Workspace, output, run};

/// Runs of each target in all, unless asked for otherwise.
pub const RUNS: u64 = 600_000;
/// Runs in one process: what is lost when it is stopped. Memory that runs leave behind adds up in it.
const CHUNK: u64 = 50_000;
/// Seconds that one run may take.
const SECONDS: u64 = 10;
/// MiB that a process may grow to.
const MEBIBYTES: u64 = 1024;
/// Bytes of what is kept.
const KEPT_BYTES: u64 = 512;
/// The one program of `fuzz/`.
const PROGRAM: &str = "hostile";
/// Where it reads the name of its target.
const TARGET: &str = "PARLOR_FUZZ";
/// Where it reads where to write seeds.
const SEEDS: &str = "PARLOR_FUZZ_SEEDS";
/// What the outcome of a run depends on.
const CODE: [&str; 8] =
    ["hostile", "fuzz", "crates", "services", "server", "proto", ".cargo/config.toml", "Cargo.lock"];
/// How libFuzzer says how much it did.
const EXECUTED: &str = "stat::number_of_executed_units:";

/// What to do with the targets, or the one of this name.
pub struct Fuzz<'a> {
    /// Only this one.
    pub only: Option<&'a str>,
    /// Runs of each in all.
    pub runs: u64,
    /// Put what is small and worth it into the kept corpus, instead of searching.
    pub keep: bool,
}

/// A target as the program lists it.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    max_len: u64,
}

impl Fuzz<'_> {
    /// Searches, or keeps.
    ///
    /// # Errors
    /// Some bytes break a target, or the program cannot be built.
    pub fn run(&self, workspace: &Workspace) -> Result<()> {
        let program = Program::build(workspace)?;
        let targets = program.targets()?;
        let wanted: Vec<_> =
            targets.iter().filter(|target| self.only.is_none_or(|only| only == target.name)).collect();
        ensure!(!wanted.is_empty(), "no target has that name; there are {}", names(&targets));
        let mut tally = Tally::open(workspace, "fuzz", &CODE)?;
        for target in wanted {
            if self.keep {
                program.keep(target)?;
            } else {
                program.search(target, self.runs, &mut tally)?;
            }
        }
        println!("{} runs in all of this state of the code", tally.all().map(|(_, runs)| runs).sum::<u64>());
        Ok(())
    }
}

/// The program of `fuzz/`, built.
struct Program<'a> {
    workspace: &'a Workspace,
    path: PathBuf,
}

impl<'a> Program<'a> {
    fn build(workspace: &'a Workspace) -> Result<Self> {
        let cargo_fuzz = install::cargo_fuzz(workspace)?;
        let target = workspace.root.join("target/fuzz");
        let mut build = workspace.command(cargo_fuzz);
        // Nothing of ours is unsafe: a sanitizer would only make it slower.
        build.args(["build", "--sanitizer", "none", "--fuzz-dir", "fuzz", "--target-dir"]);
        run(build.arg(&target).arg(PROGRAM).env("RUSTUP_TOOLCHAIN", "nightly"))
            .context("wants nightly Rust: `rustup toolchain install nightly`")?;
        let host = output(Command::new("rustc").arg("-vV"))?;
        let host =
            host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names its host")?;
        Ok(Self { workspace, path: target.join(host).join("release").join(PROGRAM) })
    }

    /// What there is; writes the seeds of each.
    fn targets(&self) -> Result<Vec<Target>> {
        let mut list = self.workspace.command(&self.path);
        listed(&output(list.env(SEEDS, self.found()))?)
    }

    /// Where searches put what they find worth trying.
    fn found(&self) -> PathBuf {
        self.workspace.root.join("target/fuzz-corpus")
    }

    fn kept(&self, target: &Target) -> PathBuf {
        self.workspace.root.join("hostile/corpus").join(&target.name)
    }

    fn command(&self, target: &Target) -> Command {
        let mut command = self.workspace.command(&self.path);
        command.env(TARGET, &target.name).env("RUST_BACKTRACE", "0");
        command.arg(format!("-timeout={SECONDS}")).arg(format!("-rss_limit_mb={MEBIBYTES}"));
        command
    }

    fn search(&self, target: &Target, runs: u64, tally: &mut Tally) -> Result<()> {
        let name = &target.name;
        let broken = self.workspace.root.join("target/fuzz-broken").join(name);
        std::fs::create_dir_all(&broken)?;
        std::fs::create_dir_all(self.kept(target))?;
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(broken.join(""));
        while tally.of(name) < runs {
            let count = CHUNK.min(runs - tally.of(name));
            let mut search = self.command(target);
            search.arg(self.found().join(name)).arg(self.kept(target)).arg(&prefix);
            search.args([format!("-runs={count}"), format!("-max_len={}", target.max_len)]);
            search.arg("-print_final_stats=1");
            let ended = search.output().context("the program could not be started")?;
            let said = String::from_utf8_lossy(&ended.stderr);
            if !ended.status.success() {
                let last: Vec<_> = said.lines().rev().take(30).collect();
                let last = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                bail!(
                    "{last}\n{name} breaks: the bytes are in {}; in hostile/corpus/{name} the tests repeat them",
                    broken.display()
                );
            }
            tally.add(name, executed(&said).context("libFuzzer says how much it did")?);
            tally.save()?;
            println!("{name}: {} runs", tally.of(name));
        }
        Ok(())
    }

    /// Makes the kept corpus anew, of what is small in it and in what was found.
    fn keep(&self, target: &Target) -> Result<()> {
        let (kept, name) = (self.kept(target), &target.name);
        let before = self.workspace.root.join("target/fuzz-kept").join(name);
        std::fs::create_dir_all(&kept)?;
        if before.exists() {
            std::fs::remove_dir_all(&before)?;
        }
        std::fs::create_dir_all(&before)?;
        for entry in std::fs::read_dir(&kept)? {
            let path = entry?.path();
            std::fs::copy(&path, before.join(path.file_name().unwrap_or_default()))?;
            std::fs::remove_file(path)?;
        }
        let mut merge = self.command(target);
        merge.arg("-merge=1").arg(format!("-max_len={KEPT_BYTES}"));
        run(merge.arg(&kept).arg(&before).arg(self.found().join(name)))
    }
}

fn names(targets: &[Target]) -> String {
    targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn listed(text: &str) -> Result<Vec<Target>> {
    let target = |line: &str| {
        let (name, max_len) = line.split_once(' ').context("a line is a name and a number")?;
        Ok(Target { name: name.to_owned(), max_len: max_len.parse()? })
    };
    text.lines().map(target).collect()
}

/// How many runs there were.
fn executed(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix(EXECUTED))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_and_libfuzzer_say_is_understood() {
        let session = Target { name: "session".to_owned(), max_len: 4096 };
        assert_eq!(listed("session 4096\n").expect("one line"), [session]);
        assert!(listed("session\n").is_err());
        let said = "Done 7 runs\nstat::number_of_executed_units: 7\nstat::peak_rss_mb: 40\n";
        assert_eq!((executed(said), executed("Done")), (Some(7), None));
    }

    #[test]
    fn all_that_decides_is_there() -> Result<()> {
        let files = Workspace::from_env()?.files()?;
        for part in CODE {
            assert!(files.iter().any(|path| path.starts_with(part)), "nothing is found at {part}");
        }
        Ok(())
    }
}
