//! How far it is, on standard error, where that is a terminal.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// On standard error.
    pub fn new() -> Self {
        Self(ProgressBar::new_spinner())
    }

    /// Nowhere.
    #[cfg(test)]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// What is being prepared.
    pub fn preparing(&self, what: impl Into<Cow<'static, str>>) {
        self.0.set_style(ProgressStyle::default_spinner());
        self.0.set_message(what);
        self.0.enable_steady_tick(TURN);
    }

    /// From here on windows are counted.
    pub fn windows(&self, name: &str, all: usize) {
        // A template that is none would be found by the first run.
        let style = ProgressStyle::with_template("{msg}  {bar:30} {pos} of {len} windows, {eta} to go");
        if let Ok(style) = style {
            self.0.set_style(style);
        }
        self.0.reset();
        self.0.set_length(all as u64);
        self.0.set_message(name.to_owned());
    }

    /// One more.
    pub fn window_done(&self) {
        self.0.inc(1);
    }

    /// Nothing is left on the screen.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
