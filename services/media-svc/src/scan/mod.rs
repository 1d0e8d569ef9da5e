//! A scanner for what is harmful: a command of the operator's, such as `clamdscan`, that is given each file.
//!
//! What it has not said to be harmless is in quarantine: it can be sent, and nobody gets a byte of it. It is asked again, less
//! and less often, until it says which it is. What it calls harmful is gone.

mod absent;
mod command;
mod config;
mod later;
mod retries;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

pub use absent::release;
pub use command::Command;
pub use config::ScannerConfig;
pub use later::Later;

/// How long a scanner may take at the start.
const PROBE: Duration = Duration::from_secs(10);
/// What nobody takes for harmful.
const HARMLESS: &[u8] = b"This is a file without harm.\n";

/// What a scanner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is no harm in it.
    Harmless,
    /// There is.
    Harmful,
    /// It did not say.
    Unknown,
}

/// Whether a scanner can tell a harmless file from a harmful one: one that cannot, such as a script that always fails, would
/// have all files deleted. `file` is made for it and deleted. One that says nothing, or for which there is no room to make a file, is
/// no harm: files wait in quarantine.
pub async fn is_sane(scanner: &dyn Scanner, file: &Path) -> bool {
    let verdict = match tokio::fs::write(file, HARMLESS).await {
        Ok(()) => timeout(PROBE, scanner.scan(file)).await.unwrap_or(Verdict::Unknown),
        Err(error) => {
            tracing::warn!(%error, "the scanner cannot be tried");
            Verdict::Unknown
        }
    };
    // It is not there if it could not be made; the next start writes over what is left.
    let _ = tokio::fs::remove_file(file).await;
    if verdict == Verdict::Unknown {
        tracing::warn!("the scanner does not say that a harmless file is one: files will stay in quarantine");
    }
    verdict != Verdict::Harmful
}

/// Says whether a file is harmful.
#[async_trait]
pub trait Scanner: fmt::Debug + Send + Sync + 'static {
    /// Looks at a file, which it must not change.
    async fn scan(&self, file: &Path) -> Verdict;
}
