//! Kills, freezes and cuts off real processes under load, round after round, by turns in one process and in four; and keeps a
//! tally.
//!
//! A round is one run of `tests/guarantees/crash`, which ends with everything well again and every history checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::programs::{self, Programs};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Kills in all, unless asked for otherwise.
pub const KILLS: u64 = 1000;
/// Kills in one round: what is lost when it is stopped. A round has to end before its access tokens do.
const ROUND: u64 = 30;
/// Seconds that a process is frozen at most.
const FREEZE_SECONDS: u64 = 20;
/// The test, and its one case.
const TEST: &str = "crash";
/// What a round's outcome depends on. Folders and files.
const CODE: [&str; 10] = [
    "crates",
    "services",
    "server",
    "proto",
    "tests/src",
    "tests/guarantees/crash",
    "tests/Cargo.toml",
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
];
/// Counted.
const ROUNDS: &str = "rounds";
const SECONDS: &str = "seconds";
/// Where the last round that failed left what it printed.
const FAILED: &str = "target/soak-failed.log";

/// Rounds until there were so many kills.
///
/// # Errors
/// A round fails.
pub fn run(workspace: &Workspace, kills: Option<u64>) -> Result<()> {
    let wanted = kills.unwrap_or(KILLS);
    let mut tally = Tally::open(workspace, "soak", &CODE)?;
    println!("{} of {wanted} kills before", kills_of(&tally));
    let programs = programs::build_for(workspace, TEST)?;
    while kills_of(&tally) < wanted {
        let topology = if tally.of(ROUNDS).is_multiple_of(2) { "one" } else { "four" };
        let kills = ROUND.min(wanted - kills_of(&tally));
        let started = Instant::now();
        let printed = Round { topology, kills, seed: seed() }.run(workspace, &programs)?;
        for (what, count) in counts(&printed).context("the test does not say what it did")? {
            tally.add(&format!("{topology}.{what}"), count);
        }
        tally.add(ROUNDS, 1);
        tally.add(SECONDS, started.elapsed().as_secs());
        tally.save()?;
        println!("{}", told(&tally));
    }
    Ok(())
}

struct Round {
    topology: &'static str,
    kills: u64,
    seed: u64,
}

impl Round {
    /// Answers what it printed.
    fn run(&self, workspace: &Workspace, programs: &Programs) -> Result<String> {
        let mut test = workspace.command(programs.test(TEST)?);
        test.current_dir(workspace.root.join("tests")).arg("--nocapture");
        let server = if self.topology == "four" { "parlor-four" } else { "parlor-server" };
        test.env("PARLOR_SERVER_BIN", programs.binary(server)?);
        test.envs(self.variables());
        let output = test.output().context("the test could not be started")?;
        let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Ok(printed.into_owned());
        }
        let log: PathBuf = workspace.root.join(FAILED);
        fs::write(&log, printed.as_bytes()).with_context(|| log.display().to_string())?;
        let variables = self.variables().map(|(name, value)| format!("{name}={value}")).join(" ");
        let why = printed.lines().find(|line| line.contains("panicked")).unwrap_or("it ended otherwise");
        let log = Path::new(FAILED).display();
        bail!(
            "a round fails: {why}\n{log} has the rest; alike: {variables} cargo test -p parlor-tests --test {TEST}"
        )
    }

    fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("PARLOR_TOPOLOGY", self.topology.to_owned()),
            ("PARLOR_KILLS", self.kills.to_string()),
            ("PARLOR_FREEZE_SECONDS", FREEZE_SECONDS.to_string()),
            ("PARLOR_SEED", self.seed.to_string()),
        ]
    }
}

/// Another one each time.
fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ (u64::from(since.subsec_nanos()) << 32)
}

/// What a round says that it did.
fn counts(printed: &str) -> Option<Vec<(&str, u64)>> {
    let line = printed.lines().find_map(|line| line.split_once("tally: "))?.1;
    let words = line.split(';').next()?.split_whitespace();
    words
        .map(|word| word.split_once('=').and_then(|(what, count)| Some((what, count.parse().ok()?))))
        .collect()
}

/// All but what a kill is not.
fn kills_of(tally: &Tally) -> u64 {
    let is_kill = |what: &str| {
        let of = what.split_once('.').map(|(_, of)| of);
        of.is_some_and(|of| !matches!(of, "freezes" | "networks"))
    };
    tally.all().filter(|(what, _)| is_kill(what)).map(|(_, count)| count).sum()
}

fn told(tally: &Tally) -> String {
    let counts: Vec<_> = tally.all().map(|(what, count)| format!("{what}={count}")).collect();
    format!("{} kills: {}", kills_of(tally), counts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_round_did_is_read() {
        let printed =
            "running 1 test\ntest it ... tally: auth=1 all=22 freezes=3 networks=9; Found { acked: 7 }\nok";
        assert_eq!(counts(printed), Some(vec![("auth", 1), ("all", 22), ("freezes", 3), ("networks", 9)]));
        assert_eq!(counts("tally: auth=x;"), None);
        assert_eq!(counts("nothing"), None);
    }

    #[test]
    fn all_that_is_compiled_into_it_counts() -> Result<()> {
        let files = Workspace::from_env()?.files()?;
        for part in CODE {
            assert!(files.iter().any(|path| path.starts_with(part)), "nothing is found at {part}");
        }
        Ok(())
    }
}
