//! `parlor-server`, as a process; or, with `PARLOR_TOPOLOGY=four`, the four services behind one address.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use parlor_testkit::{PATIENCE, eventually, in_time};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

use crate::{Binary, binary, is_apart};

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
        Self::start_as(launcher, &[], data, settings).await
    }

    /// As [`Server::start`], the process that keeps conversations started by another program: its name and first arguments.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_chat_under(launcher: &[OsString], data: &Path) -> Self {
        if !is_apart() {
            return Self::start_under(launcher, data, &[]).await;
        }
        let words = launcher.join(OsStr::new("\n"));
        Self::start_as(&[], &["--launch-chat-svc".into(), words], data, &[]).await
    }

    /// As [`Server::start`], on a folder with which it may be impossible.
    ///
    /// # Errors
    /// It does not start; what it said.
    pub async fn try_start(data: &Path) -> Result<Self, String> {
        Self::try_start_as(&[], &[], data, &[]).await
    }

    async fn start_as(launcher: &[OsString], arguments: &[OsString], data: &Path, settings: &[&str]) -> Self {
        let started = Self::try_start_as(launcher, arguments, data, settings).await;
        started.unwrap_or_else(|why| panic!("the server does not start: {why}"))
    }

    async fn try_start_as(
        launcher: &[OsString],
        arguments: &[OsString],
        data: &Path,
        settings: &[&str],
    ) -> Result<Self, String> {
        let log = log_of(data);
        let server = binary(Binary::Server).into_os_string();
        let mut words = launcher.iter().chain([&server]);
        let mut command = Command::new(words.next().expect("there is at least the server"));
        command.args(words).args(["--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments);
        command.args(self::arguments(settings));
        isolate(&mut command);
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
            return Err(format!("{first:?}\n{said}"));
        };
        // What else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
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

    /// Memory it holds now, in bytes: its resident set, or those of the services.
    ///
    /// # Panics
    /// It has ended, or this system has no `/proc`.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        let own = self.pid();
        let services = children(own);
        if is_apart() { services.into_iter().map(resident_bytes).sum() } else { resident_bytes(own) }
    }

    /// Files in `folder` that it, or its services, have open, also those that are deleted.
    ///
    /// # Panics
    /// It has ended, or this system has no `/proc`.
    #[must_use]
    pub fn open_files(&self, folder: &Path) -> usize {
        let processes = [self.pid()].into_iter().chain(self.services());
        processes.map(|pid| open_files(pid, folder)).sum()
    }

    /// SIGKILL; comes back when nothing is left of it.
    ///
    /// # Panics
    /// It is not gone in time.
    pub async fn kill(mut self) {
        let services = self.services();
        in_time("the end of a killed server", self.child.kill()).await.expect("it can be killed");
        gone(&services).await;
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// It is not gone in time.
    pub async fn end(mut self) {
        signal("TERM", self.child.id()).await;
        self.ended("the end of a server that was asked to").await;
    }

    /// Its process, which whoever started it under another program shares with that.
    ///
    /// # Panics
    /// It has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// SIGSTOP: from now on it does nothing, and its connections stay.
    ///
    /// # Panics
    /// It has ended.
    pub async fn freeze(&self) {
        signal("STOP", self.child.id()).await;
    }

    /// SIGCONT: it goes on as if no time had passed.
    ///
    /// # Panics
    /// It has ended.
    pub async fn thaw(&self) {
        signal("CONT", self.child.id()).await;
    }

    /// The processes of the services, where they are not in the one.
    fn services(&self) -> Vec<u32> {
        if is_apart() { self.child.id().map(children).unwrap_or_default() } else { Vec::new() }
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// It does not end in time; `what` says what was waited for.
    pub async fn ended(&mut self, what: &str) -> ExitStatus {
        let services = self.services();
        let status = in_time(what, self.child.wait()).await.expect("it is our child");
        gone(&services).await;
        status
    }
}

/// Sends a signal to each of these.
pub(crate) async fn signal(name: &str, pids: impl IntoIterator<Item = u32>) {
    let pids = pids.into_iter().map(|pid| pid.to_string());
    let sent = Command::new("kill").arg(format!("-{name}")).args(pids).status().await;
    assert!(sent.is_ok_and(|status| status.success()), "SIG{name} can be sent to a process that is there");
}

/// The processes that `pid` started.
fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

/// They are ended by the system when the one that started them is.
async fn gone(pids: &[u32]) {
    let is_there = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:") && !line.contains("zombie"))
    };
    eventually("the end of the services", PATIENCE, async || !pids.iter().any(is_there)).await;
}

fn open_files(pid: u32, folder: &Path) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs, and there is a /proc");
    let paths = open.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    paths.filter(|path| path.starts_with(folder)).count()
}

fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs, and there is a /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
    let kib = line.trim().strip_suffix(" kB").and_then(|number| number.parse::<u64>().ok());
    kib.expect("a number of kB") * 1024
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

/// The settings of a test's server, and these.
pub(crate) fn arguments(settings: &[&str]) -> Vec<OsString> {
    let rates =
        RATES.iter().flat_map(|rate| [format!("{rate}.burst=1000000"), format!("{rate}.per_second=1000000")]);
    let all = rates.chain(SETTINGS.iter().chain(settings).map(|setting| (*setting).to_owned()));
    all.flat_map(|setting| ["--set".into(), setting.into()]).collect()
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
