//! Whether a test fails, which is what is hoped for.

use std::fmt;
use std::process::Command;

use anyhow::{Context as _, Result};

/// What `timeout` ends with when it had to end something.
const TIMED_OUT: i32 = 124;

/// What became of a breakage.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The test failed: how.
    Caught(&'static str),
    /// It passed.
    Survived,
    /// There was nothing to see: why.
    Untried(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught(how) => write!(f, "caught: the test {how}"),
            Self::Survived => f.write_str("SURVIVED"),
            Self::Untried(why) => f.write_str(why),
        }
    }
}

/// What `run` shows of `test`, when `build` has built it.
pub fn of(build: &mut Command, run: &mut Command, test: &str) -> Result<Verdict> {
    let built = build.output().context("cargo could not be started")?;
    if !built.status.success() {
        let why = String::from_utf8_lossy(&built.stderr).into_owned();
        return Ok(Verdict::Untried(format!("does not compile:\n{why}")));
    }
    let ran = run.output().context("`timeout` could not be started")?;
    if ran.status.code() == Some(TIMED_OUT) {
        return Ok(Verdict::Caught("hangs"));
    }
    Ok(judge(&String::from_utf8_lossy(&ran.stdout), test))
}

/// Of what the test program printed. One that ended without a word about its test was torn down by it.
fn judge(printed: &str, test: &str) -> Verdict {
    let of_test = |line: &&str| line.starts_with("test ") && line.contains(test);
    let ends = |what: &str| printed.lines().filter(of_test).any(|line| line.ends_with(what));
    let ran = printed.lines().any(|line| line.starts_with("running ") && line != "running 0 tests");
    let ended = printed.lines().any(|line| line.starts_with("test result:"));
    match (ran, ended) {
        (true, _) if ends("FAILED") => Verdict::Caught("fails"),
        (true, true) if ends("ok") => Verdict::Survived,
        (true, false) => Verdict::Caught("ends its process"),
        _ => Verdict::Untried(format!("no test is called {test}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_test_that_ran_and_failed_has_caught_anything() {
        let of = |printed: &str| judge(printed, "g1_x");
        assert_eq!(
            of("running 1 test\ntest a::g1_x ... FAILED\ntest result: FAILED."),
            Verdict::Caught("fails")
        );
        assert_eq!(of("running 1 test\ntest a::g1_x ... ok\ntest result: ok."), Verdict::Survived);
        assert_eq!(of("running 1 test\n"), Verdict::Caught("ends its process"));
        assert!(matches!(of("running 0 tests\ntest result: ok."), Verdict::Untried(_)));
        assert!(matches!(of(""), Verdict::Untried(_)));
    }
}
