//! A scanner for what is harmful: a command of the operator's, such as `clamdscan`, that is given each file.
//!
//! What it has not said to be harmless is in quarantine: it can be sent, and nobody gets a byte of it. It is asked again, less
//! and less often, until it says which it is. What it calls harmful is gone.

mod command;
mod config;
mod later;
mod retries;

use std::fmt;
use std::path::Path;

use async_trait::async_trait;

pub use command::Command;
pub use config::ScannerConfig;
pub use later::Later;

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

/// Says whether a file is harmful.
#[async_trait]
pub trait Scanner: fmt::Debug + Send + Sync + 'static {
    /// Looks at a file, which it must not change.
    async fn scan(&self, file: &Path) -> Verdict;
}
