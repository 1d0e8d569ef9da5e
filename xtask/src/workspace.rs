//! The checkout under test: where it is, which files it holds, and how programs are run in it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The checkout and the environment a check runs in.
pub struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub root: PathBuf,
    /// Where pinned tools are installed: `PARLOR_TOOLS`, or `tools/` in the checkout.
    pub tools: PathBuf,
    /// `CI=true`: a check that cannot run fails.
    pub ci: bool,
}

impl Workspace {
    /// Finds the checkout from what `cargo run` tells the program at run time, so that a program built for one
    /// checkout never examines another.
    pub fn from_env() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("xtask is a folder of the workspace")?.to_path_buf();
        let tools = env::var_os("PARLOR_TOOLS").map_or_else(|| root.join("tools"), PathBuf::from);
        Ok(Self { root, tools, ci: env::var_os("CI").is_some_and(|value| value == "true") })
    }

    /// A command that runs in the root of the checkout.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    /// The cargo this program was started by, with `args`.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args);
        command
    }

    /// Paths, relative to the root, of every file that is tracked or would be, in order. So a check says the same
    /// before and after `git add`.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let listing = output(&mut git)?;
        let paths = listing.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
        let mut files: Vec<_> = paths.filter(|path| self.root.join(path).is_file()).collect();
        files.sort();
        Ok(files)
    }

    /// The files whose extension is one of `extensions`, each with its text.
    pub fn texts(&self, extensions: &[&str]) -> Result<Vec<(PathBuf, String)>> {
        let wanted = |path: &PathBuf| {
            path.extension().and_then(OsStr::to_str).is_some_and(|found| extensions.contains(&found))
        };
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(self.root.join(&path))
                .with_context(|| format!("{}: cannot be read as text", path.display()))?;
            Ok((path, text))
        };
        self.files()?.into_iter().filter(wanted).map(read).collect()
    }
}

/// Runs `command` with its output shown; fails if it does.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    println!("  $ {line}");
    let status = command.status().with_context(|| format!("`{line}` could not be started"))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

/// Runs `command` and returns what it wrote to its standard output; fails, with what it wrote to the other, if it does.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command.output().with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something that is not UTF-8"))
}

/// The command as a person would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let args = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = run(Command::new("false").arg("--now")).expect_err("`false` fails").to_string();
        assert!(error.starts_with("`false --now` failed"), "{error}");
        let error = output(Command::new("sh").args(["-c", "echo because >&2; exit 3"])).expect_err("exit 3");
        assert!(error.to_string().ends_with("because"), "{error}");
    }

    #[test]
    fn output_is_what_the_command_wrote() {
        assert_eq!(output(Command::new("echo").arg("hello")).expect("echo succeeds"), "hello\n");
    }
}
