//! Tools that are not part of a Rust installation, each pinned here and installed once under `Workspace::tools`.
//!
//! A tool that is there in the pinned version is used at once, without the network.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, output, run};

const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";
const BUF: &str = "1.75.0";
const MINIO: &str = "v0.0.0-20260212201848-7aac2a2c5b7c";

/// `cargo-deny`, from the PATH when it has the pinned version there.
pub fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    from_registry(workspace, "cargo-deny", CARGO_DENY)
}

/// `cargo-fuzz`, from the PATH when it has the pinned version there.
pub fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    from_registry(workspace, "cargo-fuzz", CARGO_FUZZ)
}

fn from_registry(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let on_path = PathBuf::from(name);
    if reports(&on_path, version) {
        return Ok(on_path);
    }
    let root = workspace.tools.join("cargo");
    let installed = root.join("bin").join(name);
    if !reports(&installed, version) {
        let mut install = workspace.cargo(&["install", "--locked", "--force", name, "--version", version]);
        // It runs for a second: an optimised build takes longer than it will ever save.
        install.arg("--debug");
        // Its build shares nothing with ours: a folder of its own, gone afterwards, keeps ours small.
        run(install.arg("--root").arg(&root).env_remove("CARGO_TARGET_DIR"))?;
    }
    Ok(installed)
}

/// `buf`; `None` if there is no npm to install it with.
pub fn buf(workspace: &Workspace) -> Result<Option<PathBuf>> {
    let root = workspace.tools.join("npm");
    let installed = root.join("node_modules/.bin/buf");
    if reports(&installed, BUF) {
        return Ok(Some(installed));
    }
    if !is_runnable("npm") {
        return Ok(None);
    }
    std::fs::create_dir_all(&root).with_context(|| format!("{}: cannot be created", root.display()))?;
    let mut npm = workspace.command("npm");
    npm.args([
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
        "--prefix",
    ]);
    run(npm.arg(&root).arg(format!("@bufbuild/buf@{BUF}")))?;
    Ok(Some(installed))
}

/// `minio`, an S3 server for tests; `None` if there is no Go to build it with.
pub fn minio(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if output(Command::new("go").arg("version")).is_err() {
        return Ok(None);
    }
    let folder = workspace.tools.join("go/bin");
    let installed = folder.join("minio");
    // What it prints as its version is that of no release: only the Go that built it knows.
    let built_from = || output(Command::new("go").args(["version", "-m"]).arg(&installed));
    if !built_from().is_ok_and(|text| text.split_whitespace().any(|word| word == MINIO)) {
        let mut go = workspace.command("go");
        go.arg("install").arg(format!("github.com/minio/minio@{MINIO}"));
        run(go.env("GOBIN", &folder).env("CGO_ENABLED", "0"))?;
    }
    Ok(Some(installed))
}

/// Whether `program` exists and can be asked for its version.
pub fn is_runnable(program: &str) -> bool {
    version(Path::new(program)).is_some()
}

fn reports(program: &Path, wanted: &str) -> bool {
    version(program).is_some_and(|printed| printed.split_whitespace().any(|word| word == wanted))
}

fn version(program: &Path) -> Option<String> {
    output(Command::new(program).arg("--version")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_counts() {
        let rustc = version(Path::new("rustc")).expect("tests run where rustc is");
        let number = rustc.split_whitespace().nth(1).expect("`rustc 1.2.3 (...)`");
        assert!(reports(Path::new("rustc"), number));
        assert!(!reports(Path::new("rustc"), "0.0.1"));
        assert!(!is_runnable("no-such-program-anywhere"));
    }
}
