//! A small disk of a server's own, which can be filled without harm to others.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// On it from the beginning, if asked for: what can be removed to make room.
const BALLAST: &str = "ballast";

/// A disk of `size`, as mount has it, in place of `folder`, of which `ballast` bytes are taken. Starts a program on it: nobody
/// else sees it, and it ends with the program.
#[must_use]
pub fn small(folder: &Path, size: &str, ballast: u64) -> Vec<OsString> {
    let mount = format!("mount -t tmpfs -o size={size} tmpfs \"$0\"");
    let fill = format!("head -c {ballast} /dev/zero > \"$0/{BALLAST}\"");
    let script = if ballast == 0 { mount } else { format!("{mount} && {fill}") };
    let mut words: Vec<OsString> =
        ["unshare", "--map-root-user", "--mount", "sh", "-c"].map(OsString::from).to_vec();
    words.extend([format!("{script} && exec \"$@\"").into(), folder.into()]);
    words
}

/// Where the ballast is of the disk in place of `folder`, that the process `pid` was started on.
#[must_use]
pub fn ballast(pid: u32, folder: &Path) -> PathBuf {
    let inside = folder.strip_prefix("/").expect("an absolute path");
    Path::new("/proc").join(pid.to_string()).join("root").join(inside).join(BALLAST)
}

/// Whether this system gives us no such disk; on CI it has to.
///
/// # Panics
/// On CI.
#[must_use]
pub fn is_impossible(folder: &Path) -> bool {
    let words = small(folder, "1m", 0);
    let tried = Command::new(&words[0]).args(&words[1..]).arg("true").stderr(Stdio::null()).status();
    let is_impossible = !tried.is_ok_and(|status| status.success());
    if is_impossible {
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        assert!(!is_ci, "no disk can be mounted in a namespace of its own");
        // Beside the output that is captured.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no disk can be mounted in a namespace of its own");
    }
    is_impossible
}
