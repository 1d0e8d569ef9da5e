//! What is set for this terminal, kept beside the account.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::theme::Theme;

/// The file in the folder of an account.
const FILE: &str = "terminal.toml";

/// How the terminal is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Which colours.
    pub theme: Theme,
    /// Whether the mouse is used. Without it the terminal's own selection works.
    pub mouse: bool,
    /// Whether pictures are shown between the messages.
    pub pictures: bool,
    /// Whether it rings when a message comes that is not muted.
    pub bell: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { theme: Theme::Dark, mouse: true, pictures: true, bell: false }
    }
}

impl Settings {
    /// Those kept in `folder`; what cannot be read is as in `otherwise`.
    #[must_use]
    pub fn load(folder: &Path, otherwise: Self) -> Self {
        let text = std::fs::read_to_string(folder.join(FILE)).ok();
        text.and_then(|text| toml::from_str(&text).ok()).unwrap_or(otherwise)
    }

    /// Keeps them.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, folder: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        std::fs::write(folder.join(FILE), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_and_wrong_ones_do_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { theme: Theme::Light, mouse: false, ..Settings::default() };
        settings.keep(folder.path()).unwrap();
        assert_eq!(Settings::load(folder.path(), Settings::default()), settings);
        std::fs::write(folder.path().join(FILE), "theme = \"plaid\"").unwrap();
        assert_eq!(Settings::load(folder.path(), Settings::default()), Settings::default());
    }
}
