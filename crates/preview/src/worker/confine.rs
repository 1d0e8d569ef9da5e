//! What the child gives up before it looks at the first byte.
//!
//! Everywhere: opening anything (no free file descriptor), writing files, core dumps, memory beyond 512 MiB and CPU time beyond
//! some seconds. On Linux also every system call but those that compute, read and write what is open; a process that tries
//! another is killed. A kernel without seccomp refuses the last, and then the child refuses to work. macOS has nothing of the
//! kind that needs no unsafe code, and does not hold to the limit of memory.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Address space, in bytes.
const MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// CPU time, in seconds; without optimisation twice as much.
const CPU_SECONDS: u64 = if cfg!(debug_assertions) { 10 } else { 5 };

pub fn confine() -> io::Result<()> {
    confine_for(CPU_SECONDS)
}

fn confine_for(cpu_seconds: u64) -> io::Result<()> {
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, 0)?;
    limit(Resource::Cpu, cpu_seconds)?;
    let memory = limit(Resource::As, MEMORY_BYTES);
    if cfg!(target_os = "linux") {
        memory?;
    }
    system_calls()
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) }).map_err(io::Error::from)
}

#[cfg(target_os = "linux")]
fn system_calls() -> io::Result<()> {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule, TargetArch,
    };

    /// Memory, what is open, signals to itself, the end.
    const ALLOWED: &[libc::c_long] = &[
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_close,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_fstat,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_lseek,
        libc::SYS_madvise,
        libc::SYS_mmap,
        libc::SYS_mprotect,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_read,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        libc::SYS_tgkill,
        libc::SYS_write,
        libc::SYS_writev,
    ];
    rustix::thread::set_no_new_privs(true)?;
    let mut rules: BTreeMap<_, _> = ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
    // Debug builds of the standard library ask whether what they close is open.
    let is_query = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, libc::F_GETFD as u64)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(io::Error::other)?;
    rules.insert(libc::SYS_fcntl, vec![is_query]);
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)
        .map_err(io::Error::other)?;
    let program = BpfProgram::try_from(filter).map_err(io::Error::other)?;
    seccompiler::apply_filter(&program).map_err(io::Error::other)
}

#[cfg(not(target_os = "linux"))]
fn system_calls() -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
