//! Two people at full screens, in terminals of their own, while the server is killed.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use support::{PATIENCE, Person, Server, text};
use tempfile::TempDir;

/// How often a screen is looked at.
const LOOK_EACH: Duration = Duration::from_millis(100);

/// A terminal of 80 by 24 that somebody sits at.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// With `parlor` running in it, with no command at all.
    fn of(person: &Person) -> Self {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let program = person.command(&[]);
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let quoted: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let started =
            terminal.tmux(&["new-session", "-d", "-x", "80", "-y", "24", "-s", "it", &quoted.join(" ")]);
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
    fn write(&self, words: &str) {
        self.tmux(&["send-keys", "-t", "it", "-l", words]);
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", "-t", "it", key]);
    }

    fn screen(&self) -> String {
        text(&self.tmux(&["capture-pane", "-p", "-t", "it"]).stdout).to_owned()
    }

    /// Waits until the screen is as wanted.
    async fn shows(&self, what: &str, is_so: impl Fn(&str) -> bool) {
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

    async fn says(&self, words: &str) {
        self.shows(words, |screen| screen.contains(words)).await;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// The line of a message, with its time and ticks.
fn line<'a>(screen: &'a str, words: &str) -> &'a str {
    screen.lines().find(|line| line.contains(words)).unwrap_or_default()
}

#[test]
fn two_people_talk_while_the_server_is_killed() {
    tokio::runtime::Runtime::new().unwrap().block_on(two_people());
}

async fn two_people() {
    let mut server = Server::start();
    let (ada, ben) = (Person::registered(&server, "ada"), Person::registered(&server, "ben"));
    ada.json(&["send", "--to", "@ben", "begin"]);
    let (hers, his) = (Terminal::of(&ada), Terminal::of(&ben));
    for terminal in [&hers, &his] {
        terminal.says("begin").await;
        terminal.press("Enter");
        terminal.says("Today").await;
        terminal.says("● connected").await;
    }

    hers.write("can you hear me :ear:");
    hers.press("Enter");
    his.says("can you hear me 👂").await;
    hers.shows("both ticks", |screen| line(screen, "  can you hear me").trim_end().ends_with("✓✓")).await;

    server.kill();
    his.says("offline, connecting in").await;
    his.write("yes, and you?");
    his.press("Enter");
    his.says("1 unsent").await;
    his.write("half a thought");
    his.says("› half a thought").await;
    server.start_again();
    hers.says("  yes, and you?").await;
    his.shows("connected", |screen| screen.contains("● connected") && !screen.contains("unsent")).await;
    let heard: Vec<_> = ada.messages("@ben").into_iter().filter(|said| said == "yes, and you?").collect();
    assert_eq!(heard.len(), 1, "G2: sent once");

    drop(his); // his terminal is closed on him
    let again = Terminal::of(&ben);
    again.says("Draft: half a").await; // as much as the list has room for
    again.press("Enter");
    again.says("› half a thought").await;
}
