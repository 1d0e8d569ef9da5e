//! Terminals, as tmux has them.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{PATIENCE, Person, text};

/// How often a screen is looked at.
const LOOK_EACH: Duration = Duration::from_millis(100);

/// A terminal that somebody sits at.
pub struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// Of 80 by 24, with `parlor` running in it, with no command at all.
    pub fn of(person: &Person) -> Self {
        Self::running(&person.command(&[]), (80, 24))
    }

    /// With this program running in it. What its environment is to be, it says itself.
    pub fn running(program: &Command, (columns, rows): (u16, u16)) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let quoted: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let size = ["-x", &columns, "-y", &rows];
        let started =
            terminal.tmux(&[&["new-session", "-d", "-s", "it"][..], &size, &[&quoted.join(" ")]].concat());
        assert!(started.status.success(), "tmux (a package of Debian's): {}", text(&started.stderr));
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let socket = self.folder.path().join("socket");
        // The locale decides what tmux takes for a character.
        let mut command = Command::new("tmux");
        command.env("LC_ALL", "C.UTF-8").env_remove("TMUX").arg("-u").arg("-S").arg(socket);
        command.args(["-f", "/dev/null"]).args(arguments).output().unwrap()
    }

    /// Writes as a person does.
    pub fn write(&self, words: &str) {
        self.tmux(&["send-keys", "-t", "it", "-l", words]);
    }

    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", "-t", "it", key]);
    }

    pub fn screen(&self) -> String {
        text(&self.tmux(&["capture-pane", "-p", "-t", "it"]).stdout).to_owned()
    }

    /// Waits until the screen is as wanted.
    pub async fn shows(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return;
            }
            assert!(Instant::now() < until, "{what} is not shown:\n{screen}");
            // waits: tmux tells nobody that a screen has changed
            tokio::time::sleep(LOOK_EACH).await;
        }
    }

    pub async fn says(&self, words: &str) {
        self.shows(words, |screen| screen.contains(words)).await;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
