//! The programs under test, built if they are not: so that plain `cargo test` works on a clean checkout.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A program of this workspace.
#[derive(Debug, Clone, Copy)]
pub enum Binary {
    /// `parlor-server`; with `PARLOR_TOPOLOGY=four` the four services apart.
    Server,
    /// `parlor`, the terminal client.
    Cli,
}

impl Binary {
    fn file(self) -> &'static str {
        match self {
            Self::Server if is_apart() => "parlor-four",
            Self::Server => "parlor-server",
            Self::Cli => "parlor",
        }
    }

    /// Names a program to test in its place; the clients in other languages know it too.
    fn variable(self) -> &'static str {
        match self {
            Self::Server => "PARLOR_SERVER_BIN",
            Self::Cli => "PARLOR_CLI_BIN",
        }
    }
}

/// Whether the tests are to run the services apart.
///
/// # Panics
/// `PARLOR_TOPOLOGY` is neither `one` nor `four`.
#[must_use]
pub fn is_apart() -> bool {
    match std::env::var("PARLOR_TOPOLOGY").as_deref() {
        Ok("four") => true,
        Ok("one") | Err(_) => false,
        Ok(other) => panic!("PARLOR_TOPOLOGY is {other:?}: one or four"),
    }
}

/// The folder of the programs under test.
///
/// # Panics
/// They cannot be built.
#[must_use]
pub fn programs() -> PathBuf {
    let server = binary(Binary::Server);
    server.parent().expect("a file is in a folder").to_owned()
}

/// Where the program is, as of the sources that are there now; or the one that the environment names.
///
/// # Panics
/// It cannot be built.
#[must_use]
pub fn binary(which: Binary) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(named) = std::env::var_os(which.variable()) {
        return named.into();
    }
    FOLDER.get_or_init(build).join(which.file())
}

/// Builds them into the folder that holds the running test, and answers which that is.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    // target/<profile>/deps/<test>
    let folder = test.ancestors().nth(2).expect("cargo puts tests two folders down").to_owned();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => panic!("{} is no target folder", folder.display()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .args(["build", "--quiet", "--locked", "--profile", profile])
        .args(["--package", "parlor-server", "--package", "parlor-cli", "--bins"])
        .arg("--target-dir")
        .arg(folder.parent().expect("a profile's folder lies in the target folder"))
        .status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "cargo build: {status:?}");
    folder
}
