//! The shell around the state: the terminal, the client library, and what effects ask for.

mod accounts;
mod drafts;
mod files;
mod lanes;
mod load;
mod perform;
mod session;
mod terminal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::picture::Protocol;
use crate::theme::Theme;
use session::End;
use terminal::Screen;

/// What a terminal client is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder of the account to begin with. Other accounts are kept in folders inside of it.
    pub folder: PathBuf,
    /// The server; none: where the account was last logged in.
    pub server: Option<String>,
    /// The server of an account that was never logged in.
    pub default_server: String,
    /// How long calls are tried again when the server is away or busy.
    pub patience: Duration,
    /// How the terminal shows pictures.
    pub pictures: Protocol,
    /// The colours until others are chosen.
    pub theme: Theme,
    /// Where a history is written, for a check against the guarantees; none: nowhere.
    pub record: Option<PathBuf>,
    /// Said at the beginning; empty for nothing.
    pub greeting: String,
}

/// Why the terminal client ended.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
    /// The account cannot be opened.
    #[error(transparent)]
    Client(#[from] parlor_client::Error),
    /// Part of this program failed. What was being written is kept.
    #[error("a part of this program failed; what was being written is kept")]
    Failed,
}

/// Runs until its user quits, or a signal ends it. The terminal is as it was afterwards, whatever happens.
///
/// # Errors
/// [`TuiError`].
pub async fn run(options: &Options) -> Result<(), TuiError> {
    let mut screen = Screen::enter()?;
    let mut folder = options.folder.clone();
    let mut from = None;
    loop {
        match session::run(&mut screen, options, &folder, from.as_deref()).await? {
            End::Quit => return Ok(()),
            End::Switch(next) => from = Some(std::mem::replace(&mut folder, next)),
        }
    }
}

/// The server of the account in `folder`.
fn server_of(options: &Options, folder: &Path, saved: Option<String>) -> String {
    let said = options.server.clone().filter(|_| folder == options.folder);
    said.or(saved).unwrap_or_else(|| options.default_server.clone()).trim_end_matches('/').to_owned()
}
