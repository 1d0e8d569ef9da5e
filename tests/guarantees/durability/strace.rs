//! strace, which neither the build nor the other tests need.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Long enough for a page of the database, escaped or not.
const STRING: &str = "16384";

/// Longer than an answer needs to get out.
const SLOW_SYNC: Duration = Duration::from_millis(20);

/// What fails.
pub struct Failure {
    /// The system calls, with commas between them.
    pub calls: &'static str,
    /// What the system says, such as `EIO`.
    pub error: &'static str,
    /// Which of them, counted in the thread that makes them.
    pub when: u32,
}

/// Says so, loudly, if it is; on CI that is a failure.
pub fn is_missing() -> bool {
    let found = Command::new("strace").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_missing = !found.is_ok_and(|status| status.success());
    if is_missing {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "strace is not installed");
        // Beside the output that is captured.
        let _ = writeln!(std::io::stderr(), "SKIPPED: strace is not installed");
    }
    is_missing
}

/// Starts a program so that its writes and syncs are taken down, and what it receives. The program stays our child. Syncs are slowed down: what
/// does not wait for them is told before they are done.
pub fn tracing(output: &Path) -> Vec<OsString> {
    let calls = "trace=fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg,read,readv,recvfrom,recvmsg";
    let slow = format!("inject=fdatasync,fsync:delay_enter={}", SLOW_SYNC.as_micros());
    strace(output, &["-y", "-s", STRING, "-e", calls, "-e", &slow])
}

/// Starts a program of which one call that touches `file` fails.
pub fn failing(output: &Path, file: &Path, failure: &Failure) -> Vec<OsString> {
    let Failure { calls, error, when } = failure;
    let inject = format!("inject={calls}:error={error}:when={when}");
    let file = file.to_str().expect("a path that is text");
    strace(output, &["-e", &format!("trace={calls}"), "-P", file, "-e", &inject])
}

fn strace(output: &Path, arguments: &[&str]) -> Vec<OsString> {
    let mut all: Vec<OsString> = ["strace", "-D", "-f", "-o"].map(OsString::from).to_vec();
    all.push(output.into());
    all.extend(arguments.iter().map(OsString::from));
    all
}
