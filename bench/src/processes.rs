//! Servers as processes of their own, and what they take.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

/// How long one may take to start.
const START_WITHIN: Duration = Duration::from_secs(30);
/// `USER_HZ`, in which Linux tells processor time, whatever it counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Bytes that are taken in unread where that is to be little.
const WINDOW: u32 = 64 * 1024 - 1;

/// A server. Killed when dropped.
pub struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts `program`, which says `listening on ADDRESS` in its first line; what else it says goes to the file `log`.
    pub async fn start(program: &Path, arguments: &[impl AsRef<OsStr>], log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("it was piped")?).lines();
        let first =
            timeout(START_WITHIN, lines.next_line()).await.context("it takes too long to start")??;
        let first = first.with_context(|| format!("{} ended at once", program.display()))?;
        let address =
            first.strip_prefix("listening on ").context("the first line says where it listens")?.to_owned();
        // What else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(format!("http://{}", self.address))?.connect().await?)
    }

    /// A connection of its own, which takes in as little unread as HTTP/2 lets it.
    pub async fn narrow_channel(&self) -> Result<Channel> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address))?;
        let narrow = endpoint.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        Ok(narrow.connect().await?)
    }

    /// What it has taken so far.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(&self.child.id().context("it has ended")?.to_string())
    }

    /// Kills it, which loses nothing that it has acked, and waits until it has ended.
    pub async fn stop(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// What a process takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Processor time so far, in seconds, with that of its children that have ended.
    pub processor: f64,
    /// Memory: its resident set, in bytes.
    pub memory: u64,
    /// The most that has been so far.
    pub peak_memory: u64,
    /// Bytes it has had written to disks so far.
    pub written: u64,
}

impl Usage {
    /// What this process has taken so far.
    pub fn own() -> Result<Self> {
        Self::of("self")
    }

    fn of(process: &str) -> Result<Self> {
        let folder = PathBuf::from("/proc").join(process);
        let read = |name: &str| fs::read_to_string(folder.join(name));
        Self::parse(&read("stat")?, &read("status")?, &read("io")?).context("Linux tells it")
    }

    /// From files of /proc; `None` if they are of another form.
    fn parse(stat: &str, status: &str, io: &str) -> Option<Self> {
        // Its name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        // utime, stime, cutime and cstime: fields 14 to 17, of which the third is the first after the name.
        let ticks: Option<u64> =
            rest.split(' ').skip(11).take(4).map(|ticks| ticks.parse::<u64>().ok()).sum();
        let number = |text: &str, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        Some(Self {
            processor: ticks? as f64 / TICKS_PER_SECOND,
            memory: number(status, "VmRSS:")? * 1024,
            peak_memory: number(status, "VmHWM:")? * 1024,
            written: number(io, "write_bytes:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_where_linux_writes_it() {
        let stat = "12 (a) b) S 1 77 1 0 -1 4194304 8 0 0 0 100 50 25 25 20 0 1";
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let io = "rchar: 1\nwchar: 2\nwrite_bytes: 4096\ncancelled_write_bytes: 0\n";
        let usage = Usage { processor: 2.0, memory: 1 << 20, peak_memory: 2 << 20, written: 4096 };
        assert_eq!(Usage::parse(stat, status, io), Some(usage));
        assert_eq!(Usage::parse(stat, "", io), None);
    }
}
