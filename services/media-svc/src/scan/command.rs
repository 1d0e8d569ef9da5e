//! The scanner as a command: it gets the file's path as its last argument and says what it found by its exit code, as
//! `clamdscan` and `clamscan` do: 0 harmless, 1 harmful, anything else is no answer. No shell is involved.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Scanner, Verdict};

const HARMLESS: i32 = 0;
const HARMFUL: i32 = 1;

/// See the module.
#[derive(Debug)]
pub struct Command {
    /// The program and its arguments.
    line: Vec<String>,
    time_limit: Duration,
    at_once: Semaphore,
}

impl Command {
    /// Runs `line`, a program and its arguments, for so long at most, and so often at once at most.
    #[must_use]
    pub fn new(line: Vec<String>, time_limit: Duration, at_once: usize) -> Self {
        Self { line, time_limit, at_once: Semaphore::new(at_once) }
    }

    async fn run(&self, file: &Path) -> std::io::Result<Option<ExitStatus>> {
        let (program, arguments) = self.line.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that what it has started can be ended with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut group = Group(group_of(&child));
        let ended = timeout(self.time_limit, child.wait()).await;
        if ended.is_ok() {
            group.0 = None;
        }
        drop(group);
        match ended {
            Ok(ended) => ended.map(Some),
            Err(_) => {
                child.kill().await?;
                Ok(None)
            }
        }
    }
}

#[async_trait]
impl Scanner for Command {
    async fn scan(&self, file: &Path) -> Verdict {
        // Where those before it hang, it is not to hang as well.
        let Ok(_turn) = timeout(self.time_limit, self.at_once.acquire()).await else {
            tracing::warn!("the scanner is busy: a file waits in quarantine");
            return Verdict::Unknown;
        };
        match self.run(file).await {
            Ok(Some(status)) => match status.code() {
                Some(HARMLESS) => Verdict::Harmless,
                Some(HARMFUL) => Verdict::Harmful,
                _ => {
                    tracing::warn!(%status, "the scanner did not say whether a file is harmful");
                    Verdict::Unknown
                }
            },
            Ok(None) => {
                tracing::warn!(limit = ?self.time_limit, "the scanner took too long and was ended");
                Verdict::Unknown
            }
            Err(error) => {
                tracing::error!(%error, program = self.line.first(), "the scanner cannot be run");
                Verdict::Unknown
            }
        }
    }
}

/// A group of processes that is ended when this is dropped: at the end of its time, or when nobody waits any more.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Fails only if all of it has ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn group_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests;
