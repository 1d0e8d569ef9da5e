//! Servers as processes of their own, and what they take.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};

/// How long one may take to start.
const START_WITHIN: Duration = Duration::from_secs(30);
/// `USER_HZ`, in which Linux tells processor time, whatever it counts in.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server. Killed when dropped.
pub struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts `program`, which says `listening on ADDRESS` in its first line; what else it says goes to the file `log`.
    pub async fn start(program: &Path, arguments: &[impl AsRef<OsStr>], log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let mut lines = BufReader::new(child.stdout.take().context("it was piped")?).lines();
        let first =
            timeout(START_WITHIN, lines.next_line()).await.context("it takes too long to start")??;
        let first = first.with_context(|| format!("{} ended at once", program.display()))?;
        let address =
            first.strip_prefix("listening on ").context("the first line says where it listens")?.to_owned();
        // What else it says must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// A connection of its own.
    pub async fn channel(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(format!("http://{}", self.address))?.connect().await?)
    }

    /// The most memory it has held so far: its resident set, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("Linux tells it")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// Processor time it has used so far, in seconds, with that of its children that have ended.
    pub fn processor_time(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // Its name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(") ").context("Linux tells it")?;
        // utime, stime, cutime and cstime: fields 14 to 17, of which the third is the first after the name.
        let ticks = rest.split(' ').skip(11).take(4).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / TICKS_PER_SECOND)
    }

    fn pid(&self) -> Result<u32> {
        self.child.id().context("it has ended")
    }
}

/// `parlor-server`, built as this program is, from the sources that are there now; or the one that `PARLOR_SERVER_BIN` names.
pub async fn parlor_server() -> Result<PathBuf> {
    if let Some(named) = env::var_os("PARLOR_SERVER_BIN") {
        return Ok(named.into());
    }
    let own = env::current_exe()?;
    let folder = own.parent().context("a program lies in a folder")?;
    let target = folder.parent().context("a profile's folder lies in the target folder")?;
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => anyhow::bail!("{} is no target folder", folder.display()),
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    cargo.args(["build", "--quiet", "--locked", "--package", "parlor-server", "--profile", profile]);
    let status = cargo.arg("--target-dir").arg(target).status().await?;
    ensure!(status.success(), "cargo build: {status}");
    Ok(folder.join("parlor-server"))
}
