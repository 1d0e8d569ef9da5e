//! Runs checks and sums them up.
//!
//! Every check runs even after one has failed, so that one run shows everything there is to mend.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::check::{Check, Outcome};
use crate::workspace::Workspace;

/// Runs `checks` in order and prints each one's end and time; true if the run as a whole passed.
pub fn run(workspace: &Workspace, checks: &[Check]) -> bool {
    let mut rows = Vec::with_capacity(checks.len());
    for check in checks {
        println!("==> {}: {}", check.name, check.about);
        let started = Instant::now();
        let end = End::of((check.run)(workspace));
        let row = Row { name: check.name, took: started.elapsed(), end };
        if let End::Failed(why) = &row.end {
            println!("{why}");
        }
        println!("{row}\n");
        rows.push(row);
    }
    if rows.len() > 1 {
        println!("Summary ({:.1} s)", rows.iter().map(|row| row.took).sum::<Duration>().as_secs_f64());
        rows.iter().for_each(|row| println!("{row}"));
    }
    rows.iter().all(|row| row.end.is_good(workspace.ci))
}

struct Row {
    name: &'static str,
    took: Duration,
    end: End,
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, remark) = match &self.end {
            End::Passed(remark) => ("ok", remark.as_str()),
            End::Skipped(why) => ("SKIPPED", why.as_str()),
            End::Failed(why) => ("FAILED", why.lines().next().unwrap_or_default()),
        };
        let line = format!("{:<10} {word:<8} {:>7.1} s  {remark}", self.name, self.took.as_secs_f64());
        f.write_str(line.trim_end())
    }
}

enum End {
    Passed(String),
    Skipped(String),
    Failed(String),
}

impl End {
    fn of(result: Result<Outcome>) -> Self {
        match result {
            Ok(Outcome::Passed(remark)) => Self::Passed(remark),
            Ok(Outcome::Skipped(why)) => Self::Skipped(why),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }

    /// On CI a check that could not run has not passed.
    fn is_good(&self, ci: bool) -> bool {
        match self {
            Self::Passed(_) => true,
            Self::Skipped(_) => !ci,
            Self::Failed(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    const PASSES: Check =
        Check { name: "passes", about: "", run: |_| Ok(Outcome::Passed("3 files".to_owned())) };
    const SKIPS: Check =
        Check { name: "skips", about: "", run: |_| Ok(Outcome::Skipped("no python3".to_owned())) };
    const FAILS: Check = Check { name: "fails", about: "", run: |_| bail!("first\nsecond") };

    fn workspace(ci: bool) -> Workspace {
        Workspace { root: ".".into(), tools: "tools".into(), ci }
    }

    #[test]
    fn one_failure_fails_the_run() {
        assert!(run(&workspace(false), &[PASSES, PASSES]));
        assert!(!run(&workspace(false), &[FAILS, PASSES]));
    }

    #[test]
    fn a_skip_fails_the_run_on_ci_only() {
        assert!(run(&workspace(false), &[SKIPS]));
        assert!(!run(&workspace(true), &[SKIPS]));
    }

    #[test]
    fn a_row_names_the_end_and_the_first_line_of_its_reason() {
        let row = |check: Check| {
            let end = End::of((check.run)(&workspace(false)));
            Row { name: check.name, took: Duration::from_millis(1_250), end }.to_string()
        };
        assert_eq!(row(PASSES), "passes     ok           1.2 s  3 files");
        assert_eq!(row(SKIPS), "skips      SKIPPED      1.2 s  no python3");
        assert_eq!(row(FAILS), "fails      FAILED       1.2 s  first");
    }
}
