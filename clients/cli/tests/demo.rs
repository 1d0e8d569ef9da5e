//! The demonstration is there at once, and nothing is left of it however it ends.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use support::PATIENCE;
use support::terminal::Terminal;
use tempfile::TempDir;

const LOOK_EACH: Duration = Duration::from_millis(100);

/// The folder that a demonstration and all that it starts have their temporary files in.
struct Traces(TempDir);

/// A demonstration that goes on.
async fn begin() -> (Terminal, Traces) {
    let (server, traces) = (support::server_program(), Traces(tempfile::tempdir().unwrap()));
    let mut program = Command::new("env");
    program.arg(format!("TMPDIR={}", traces.0.path().display()));
    // Where it looks for a server that is not beside it.
    let path = std::env::var("PATH").unwrap();
    program.arg(format!("PATH={}:{path}", server.parent().unwrap().display()));
    program.args([env!("CARGO_BIN_EXE_parlor"), "demo"]);
    let terminal = Terminal::running(&program, (120, 50));
    terminal.says("Harbour walk").await;
    (terminal, traces)
}

impl Traces {
    /// Those of its processes whose program has this name.
    fn processes(&self, name: &str) -> Vec<u32> {
        let variable = [b"TMPDIR=", self.0.path().as_os_str().as_bytes()].concat();
        let is_of_it = |pid: &u32| {
            let process = Path::new("/proc").join(pid.to_string());
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            let program = fs::read_link(process.join("exe")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == variable)
                && program.file_name().is_some_and(|program| program == OsStr::new(name))
        };
        let all = fs::read_dir("/proc").unwrap();
        all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(is_of_it).collect()
    }

    async fn are_gone(&self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let running = [self.processes("parlor"), self.processes("parlor-server")].concat();
            let files: Vec<_> = fs::read_dir(self.0.path()).unwrap().flatten().collect();
            if running.is_empty() && files.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "is left: processes {running:?}, files {files:?}");
            // waits: nobody tells when the process of another has ended
            tokio::time::sleep(LOOK_EACH).await;
        }
    }
}

#[tokio::test]
async fn three_people_talk_and_answer_and_nothing_is_left() {
    let (terminal, traces) = begin().await;
    terminal.press("Enter");
    terminal.says("Who comes along to the harbour").await;
    terminal.says("I do, if it does not rain").await;
    terminal.says("It will not: 晴天").await;
    assert_eq!(traces.processes("parlor-server").len(), 1, "what is looked for is there");
    terminal.write("I come, too");
    terminal.press("Enter");
    terminal.says("↪ You: I come, too").await;
    terminal.press("C-q");
    traces.are_gone().await;
}

#[tokio::test]
async fn nothing_is_left_where_it_is_killed() {
    let (_terminal, traces) = begin().await;
    let [parlor] = traces.processes("parlor")[..] else { panic!("one program runs") };
    assert_eq!(traces.processes("parlor-server").len(), 1);
    assert!(Command::new("kill").args(["-s", "KILL", &parlor.to_string()]).status().unwrap().success());
    traces.are_gone().await;
}

#[tokio::test]
async fn nothing_is_left_where_its_terminal_is_closed() {
    let (terminal, traces) = begin().await;
    assert_eq!(traces.processes("parlor-server").len(), 1);
    drop(terminal);
    traces.are_gone().await;
}
