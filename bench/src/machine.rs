//! Where it was measured, and what else the machine did.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// What a reader needs to know to compare figures.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// When.
    pub time: String,
    /// Of which sources; "+" if they were changed since.
    pub commit: String,
    /// Processors, which the servers and this program share.
    pub processors: usize,
    /// What kind.
    pub processor: String,
    /// Release of Linux.
    pub kernel: String,
    /// Of one minute, at the beginning.
    pub load_average: String,
}

impl Machine {
    /// This one, now.
    pub fn now() -> Result<Self> {
        let cpus = fs::read_to_string("/proc/cpuinfo")?;
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let load = fs::read_to_string("/proc/loadavg")?;
        Ok(Self {
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            commit: commit().unwrap_or_else(|| "unknown".to_owned()),
            processors: std::thread::available_parallelism()?.get(),
            processor: model.map_or("unknown", |(_, model)| model).to_owned(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            load_average: load.split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { time, commit, processors, processor, kernel, load_average } = self;
        write!(f, "{time}, commit {commit}, {processors} x {processor}, Linux {kernel}, load {load_average}")
    }
}

/// Not there where the sources are no checkout.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output = Command::new("git").args(arguments).current_dir(folder).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { format!("{head}+") } else { head })
}

/// Processor time so far, in ticks.
#[derive(Debug, Clone, Copy)]
pub struct BusyTime {
    /// All there was.
    all: u64,
    /// What was used, by whomever; also by other machines on the same processor.
    busy: u64,
    /// What this program and the servers it started used: its process group.
    own: u64,
}

impl BusyTime {
    /// Until now.
    pub fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let (all, busy) = of_machine(&stat).context("Linux tells it")?;
        let group = rustix::process::getpgrp().as_raw_nonzero().get();
        let mut own = 0;
        for entry in fs::read_dir("/proc")? {
            // A process may end while one looks.
            let stat = fs::read_to_string(entry?.path().join("stat"));
            own += stat.ok().and_then(|stat| of_process(&stat, group)).unwrap_or(0);
        }
        Ok(Self { all, busy, own })
    }

    /// The share of all processor time since `before` that others used.
    pub fn elsewhere_since(self, before: Self) -> f64 {
        let busy = self.busy.saturating_sub(before.busy);
        let others = busy.saturating_sub(self.own.saturating_sub(before.own));
        others as f64 / (self.all.saturating_sub(before.all)).max(1) as f64
    }
}

/// All and busy ticks.
fn of_machine(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice.
    let ticks: Vec<u64> = line.split_whitespace().take(8).map_while(|ticks| ticks.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    Some((all, all - ticks.get(3)? - ticks.get(4)?))
}

/// Its ticks and those of its children that have ended, if it is of this process group.
fn of_process(stat: &str, group: i32) -> Option<u64> {
    // Its name, in parentheses, may hold anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(2);
    if fields.next()? != group.to_string() {
        return None;
    }
    // utime, stime, cutime and cstime: fields 14 to 17, of which the fifth is the process group.
    fields.skip(8).take(4).map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_busy_and_what_is_stolen_is() {
        let stat = "cpu  10 2 3 100 50 1 4 7 10 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(of_machine(stat), Some((177, 27)));
    }

    #[test]
    fn processes_of_other_groups_do_not_count() {
        let stat = "12 (a) b) S 1 77 1 0 -1 4194304 8 0 0 0 5 6 7 8 20 0 1";
        assert_eq!(of_process(stat, 77), Some(26));
        assert_eq!(of_process(stat, 7), None);
    }

    #[test]
    fn what_others_use_is_what_is_busy_and_not_ours() {
        let before = BusyTime { all: 100, busy: 50, own: 10 };
        let after = BusyTime { all: 300, busy: 200, own: 60 };
        assert!((after.elsewhere_since(before) - 0.5).abs() < 1e-9);
        assert!(BusyTime::now().unwrap().elsewhere_since(BusyTime::now().unwrap()) <= 1.0);
    }
}
