//! `parlor-server`, as a process.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use parlor_testkit::in_time;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use crate::{Binary, binary};

/// How long a server may take to start: it may share two cores with a build.
const START_WITHIN: Duration = Duration::from_secs(30);

/// What a test's server does differently. Hashing is as cheap as argon2 can be, which a debug build allows: no test here
/// measures it. Rates are out of the way: tests register and append faster than people.
const SETTINGS: &[&str] =
    &["auth.password.memory_kib=8", "auth.password.passes=1", "server.max_connections_per_address=10000"];
/// The rates; each is a burst and so many per second.
const RATES: &[&str] = &[
    "auth.limits.register",
    "auth.limits.login",
    "auth.limits.refresh",
    "auth.limits.read",
    "auth.limits.write",
    "auth.limits.change_password",
    "chat.appends_per_user",
    "chat.appends_per_member",
    "media.limits.read",
    "media.limits.write",
    "media.limits.part",
];

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// On the folder `data` (made if it is not there) and a free port.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// As [`Server::start`], with these settings besides.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_with(data: &Path, settings: &[&str]) -> Self {
        Self::start_under(&[], data, settings).await
    }

    /// As [`Server::start_with`], started by another program: its name and first arguments.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_under(launcher: &[OsString], data: &Path, settings: &[&str]) -> Self {
        let log = log_of(data);
        let server = binary(Binary::Server).into_os_string();
        let mut words = launcher.iter().chain([&server]);
        let mut command = Command::new(words.next().expect("there is at least the server"));
        command.args(words).args(["--listen", "127.0.0.1:0", "--data"]).arg(data);
        for rate in RATES {
            command.args([
                "--set",
                &format!("{rate}.burst=1000000"),
                "--set",
                &format!("{rate}.per_second=1000000"),
            ]);
        }
        for setting in SETTINGS.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        // What this test's environment says is for the test.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PARLOR_"))
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(append_to(&log)).kill_on_drop(true);
        let mut child = command.spawn().expect("the server can be run");
        let mut lines = BufReader::new(child.stdout.take().expect("it was piped")).lines();
        let first = timeout(START_WITHIN, lines.next_line()).await;
        let address = match &first {
            Ok(Ok(Some(line))) => line.strip_prefix("listening on ").and_then(|rest| rest.parse().ok()),
            _ => None,
        };
        let Some(address) = address else {
            let said = fs::read_to_string(&log).unwrap_or_default();
            panic!("the server does not start: {first:?}\n{said}");
        };
        // What else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, address }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection of its own.
    ///
    /// # Panics
    /// An address makes no URI.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address))
            .expect("an address makes a URI")
            .connect_lazy()
    }

    /// Memory it holds now, in bytes: its resident set.
    ///
    /// # Panics
    /// It has ended, or this system has no `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let pid = self.child.id().expect("it was not waited for");
        let status =
            fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs, and there is a /proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        let kib = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<u64>().ok());
        kib.expect("a number of kB") * 1024
    }

    /// SIGKILL; comes back when nothing is left of it.
    ///
    /// # Panics
    /// It is not gone in time.
    pub async fn kill(mut self) {
        in_time("the end of a killed server", self.child.kill()).await.expect("it can be killed");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// It is not gone in time.
    pub async fn end(mut self) {
        let pid = self.child.id().expect("it was not waited for").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "it can be asked");
        self.ended("the end of a server that was asked to").await;
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// It does not end in time; `what` says what was waited for.
    pub async fn ended(&mut self, what: &str) -> ExitStatus {
        in_time(what, self.child.wait()).await.expect("it is our child")
    }
}

/// Runs one command of the program to its end, such as `backup`.
///
/// # Panics
/// It fails.
pub async fn run(arguments: &[&OsStr]) {
    let mut command = Command::new(binary(Binary::Server));
    isolate(&mut command);
    let output = in_time("the command", command.args(arguments).stdin(Stdio::null()).output()).await;
    let output = output.expect("the program can be run");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// What a test's environment says is for the test.
fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARLOR_") {
            command.env_remove(name);
        }
    }
}

/// Beside the data, which is the server's alone.
fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn append_to(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a file beside the data")
}
