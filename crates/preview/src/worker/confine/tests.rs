//! What a confined process tries in vain: each test starts this test program again, confined, and sees how it ends.

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::confine_for;

/// Names what the confined process is to try.
const TRY: &str = "PARLOR_TRY_CONFINED";
/// What it ends with if it could not, and lived to say so.
const IN_VAIN: i32 = 42;
const DONE: i32 = 43;
/// CPU time that it gets.
const SECONDS: u64 = 1;

/// Runs in the process that is started again; in all others it does nothing.
#[test]
fn confined() {
    let Ok(what) = std::env::var(TRY) else { return };
    confine_for(SECONDS).expect("it can be confined here");
    let done = match what.as_str() {
        "read a file" => std::fs::read("/etc/passwd").is_ok(),
        "write a file" => std::fs::write("/tmp/parlor-confined", "x").is_ok(),
        "connect" => std::net::TcpStream::connect("127.0.0.1:1").is_ok(),
        "listen" => std::net::UdpSocket::bind("127.0.0.1:0").is_ok(),
        "start a program" => Command::new("/bin/true").status().is_ok(),
        "start a thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        "send a signal" => rustix::process::kill_process(
            rustix::process::getppid().expect("it has a parent"),
            rustix::process::Signal::CONT,
        )
        .is_ok(),
        "raise a limit" => super::limit(super::Resource::Cpu, 1000).is_ok(),
        "take memory" => {
            let mut bytes: Vec<u8> = Vec::new();
            bytes.try_reserve(600 * 1024 * 1024).is_ok()
        }
        // Filled in one go, well within the time that it has.
        "take less memory" => black_box(vec![1_u8; 200 * 1024 * 1024])[1] == 1,
        "compute for ever" => loop {
            black_box(0);
        },
        other => panic!("nobody knows how to {other}"),
    };
    std::process::exit(if done { DONE } else { IN_VAIN });
}

fn attempt(what: &str) -> ExitStatus {
    Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", "worker::confine::tests::confined", "--nocapture"])
        .env(TRY, what)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it can be started")
}

#[test]
fn whoever_reaches_out_is_killed() {
    for what in [
        "read a file",
        "write a file",
        "connect",
        "listen",
        "start a program",
        "start a thread",
        "send a signal",
        "raise a limit",
    ] {
        let status = attempt(what);
        assert_eq!(status.signal(), Some(libc::SIGSYS), "{what}: {status}");
    }
}

#[test]
fn memory_ends_where_it_should() {
    assert_eq!(attempt("take memory").code(), Some(IN_VAIN));
    assert_eq!(attempt("take less memory").code(), Some(DONE));
}

#[test]
fn time_ends_where_it_should() {
    let began = Instant::now();
    let status = attempt("compute for ever");
    assert!(
        status.signal().is_some_and(|signal| [libc::SIGKILL, libc::SIGXCPU].contains(&signal)),
        "{status}"
    );
    assert!(began.elapsed() >= Duration::from_secs(SECONDS), "it had less time than it may");
}
