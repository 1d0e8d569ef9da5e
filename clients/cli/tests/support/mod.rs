//! A server and command lines that talk to it, each in a folder of its own.
#![allow(dead_code, reason = "each test uses a part")]

pub mod terminal;

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Whatever takes longer does not happen.
pub const PATIENCE: Duration = Duration::from_secs(60);
pub const PASSWORD: &str = "correct horse battery staple";

/// parlor-server in its own process.
pub struct Server {
    data: TempDir,
    address: String,
    child: Child,
}

impl Server {
    pub fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (child, address) = run_server(data.path(), "127.0.0.1:0");
        Self { data, address, child }
    }

    /// Copies all data while it runs.
    pub fn back_up(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        manage(&["backup", folder.path().to_str().unwrap()], self.data.path());
        folder
    }

    /// Puts a backup in the place of what it has; it must be killed.
    pub fn restore(&mut self, backup: &TempDir) {
        self.data = tempfile::tempdir().unwrap();
        manage(&["restore", backup.path().to_str().unwrap()], self.data.path());
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// SIGKILL: nothing is written that was not before.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// At the same address, with the same data.
    pub fn start_again(&mut self) {
        self.child = run_server(self.data.path(), &self.address).0;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `PARLOR_SERVER_BIN`, or what cargo put beside `parlor`.
pub fn server_program() -> PathBuf {
    if let Some(program) = std::env::var_os("PARLOR_SERVER_BIN") {
        return program.into();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_parlor")).with_file_name("parlor-server");
    if !program.exists() {
        let built =
            Command::new(env!("CARGO")).args(["build", "--package", "parlor-server"]).status().unwrap();
        assert!(built.success(), "parlor-server cannot be built");
    }
    program
}

fn manage(arguments: &[&str], data: &Path) {
    let output = Command::new(server_program()).args(arguments).arg("--data").arg(data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
}

fn run_server(data: &Path, listen: &str) -> (Child, String) {
    let mut child = Command::new(server_program())
        .args(["--listen", listen, "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = lines_of(child.stdout.take().unwrap());
    let first = lines.recv_timeout(PATIENCE).expect("the server says where it listens");
    let address =
        first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{first:?}")).trim().to_owned();
    std::thread::spawn(move || lines.into_iter().for_each(drop));
    (child, address)
}

/// Lines as they come, read by a thread of their own.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(10_000);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Somebody at a terminal.
pub struct Person {
    pub folder: TempDir,
    url: String,
}

impl Person {
    pub fn new(server: &Server) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: server.url() }
    }

    /// The same person with a copy of the folder as it is now.
    pub fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        Self { folder, url: self.url.clone() }
    }

    /// What the messages of a conversation say.
    pub fn messages(&self, with: &str) -> Vec<String> {
        let entries = self.json(&["history", "--to", with, "--all"]);
        entries.iter().filter_map(|entry| entry["text"].as_str()).map(str::to_owned).collect()
    }

    /// With an account.
    pub fn registered(server: &Server, name: &str) -> Self {
        let person = Self::new(server);
        let output = person.run_with(&["register", name, "--password-stdin"], PASSWORD);
        assert!(output.status.success(), "{}", text(&output.stderr));
        person
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
        command.arg("--profile").arg(self.folder.path()).args(["--server", &self.url]).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The objects printed by a command that succeeds.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Its exit code, and the reason on standard error.
    pub fn fails(&self, arguments: &[&str], stdin: &str) -> (i32, String) {
        let output = self.run_with(&[arguments, &["--json"]].concat(), stdin);
        let last = text(&output.stderr).lines().last().unwrap_or_default().to_owned();
        let error: Value = serde_json::from_str(&last).unwrap_or_default();
        (output.status.code().unwrap(), error["error"].as_str().unwrap_or_default().to_owned())
    }

    pub fn tail(&self, arguments: &[&str]) -> Tail {
        self.follow("tail", arguments)
    }

    /// A command that prints until it is interrupted.
    pub fn follow(&self, name: &str, arguments: &[&str]) -> Tail {
        let mut command = self.command(&[&[name, "--json"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let entries = lines_of(child.stdout.take().unwrap());
        let notices = lines_of(child.stderr.take().unwrap());
        Tail { child, entries, notices }
    }
}

/// A running `parlor tail`, or another command that goes on.
pub struct Tail {
    pub child: Child,
    entries: Receiver<String>,
    notices: Receiver<String>,
}

impl Tail {
    /// The next entry printed.
    pub fn entry(&self) -> Value {
        let line = self.entries.recv_timeout(PATIENCE).expect("an entry is printed");
        serde_json::from_str(&line).unwrap()
    }

    /// The texts of the next messages.
    pub fn texts(&self, count: usize) -> Vec<String> {
        let messages = std::iter::repeat_with(|| self.entry()).filter(|entry| entry["kind"] == "text");
        messages.take(count).map(|entry| entry["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Nothing more has been printed.
    pub fn is_silent(&self) -> bool {
        self.entries.try_recv().is_err()
    }

    /// Waits for a notice of this name; answers those before it.
    pub fn notice(&self, name: &str) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        let mut before = Vec::new();
        loop {
            let line = match self.notices.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no notice {name:?} after {before:?}")
                }
            };
            let notice: Value = serde_json::from_str(&line).unwrap();
            if notice["notice"] == name {
                return before;
            }
            before.push(line);
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Waits until something is so.
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "never came: {what}");
        #[expect(clippy::disallowed_methods, reason = "what another process does cannot be awaited")]
        // waits: between two looks
        std::thread::sleep(Duration::from_millis(20));
    }
}
