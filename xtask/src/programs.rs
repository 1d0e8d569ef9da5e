//! Everything there is to run: the programs, the examples and the tests of the whole workspace, built once.
//!
//! Every check asks cargo for the same selection of packages. Another selection would resolve other features, and build
//! most of the workspace again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::workspace::{Workspace, output};

/// What comes after `cargo test` so that it runs what [`build`] has built. With `--test` it would build anew.
pub const SELECTION: [&str; 2] = ["--workspace", "--locked"];

/// What cargo has built.
pub struct Programs(Vec<Program>);

struct Program {
    kind: String,
    name: String,
    /// The folder of its package's manifest.
    package: PathBuf,
    file: PathBuf,
}

/// Builds all that is not current.
///
/// # Errors
/// Something does not compile.
pub fn build(workspace: &Workspace) -> Result<Programs> {
    println!("  building every program, example and test");
    let arguments = ["--no-run", "--message-format", "json-render-diagnostics"];
    let mut cargo = workspace.cargo(&[&["test"], &SELECTION[..], &arguments].concat());
    // It takes minutes: who waits sees how far it is.
    Ok(Programs::told(&output(cargo.stderr(Stdio::inherit()))?))
}

/// Builds the programs, and of the tests those called `test`: of the same selection of packages as [`build`], but less.
///
/// # Errors
/// Something does not compile.
pub fn build_for(workspace: &Workspace, test: &str) -> Result<Programs> {
    println!("  building every program, and the test {test}");
    // For the tests of their own package cargo builds the programs themselves, not only their unit tests.
    let arguments = ["--bins", "--test", test, "--test", "program", "--no-run"];
    let format = ["--message-format", "json-render-diagnostics"];
    let mut cargo = workspace.cargo(&[&["test"], &SELECTION[..], &arguments, &format].concat());
    Ok(Programs::told(&output(cargo.stderr(Stdio::inherit()))?))
}

impl Programs {
    /// Of cargo's messages, which are one JSON object a line.
    fn told(messages: &str) -> Self {
        Self(messages.lines().filter_map(|line| Program::told(&serde_json::from_str(line).ok()?)).collect())
    }

    /// Where the program `name` is.
    ///
    /// # Errors
    /// Cargo has built none of this name.
    pub fn binary(&self, name: &str) -> Result<PathBuf> {
        self.find("bin", name)
    }

    /// Where the example `name` is.
    ///
    /// # Errors
    /// Cargo has built none of this name.
    pub fn example(&self, name: &str) -> Result<PathBuf> {
        self.find("example", name)
    }

    /// The test programs of the package in this folder, which is where cargo would run them.
    pub fn tests(&self, folder: &Path) -> Vec<&Path> {
        let found = self.0.iter().filter(|program| program.kind == "test" && program.package == folder);
        found.map(|program| program.file.as_path()).collect()
    }

    /// Where the test program `name` is.
    ///
    /// # Errors
    /// Cargo has built none of this name.
    pub fn test(&self, name: &str) -> Result<PathBuf> {
        self.find("test", name)
    }

    fn find(&self, kind: &str, name: &str) -> Result<PathBuf> {
        let found = self.0.iter().find(|program| program.kind == kind && program.name == name);
        let file = found.map(|program| program.file.clone());
        file.with_context(|| format!("cargo built no {kind} named {name}"))
    }
}

impl Program {
    fn told(message: &Value) -> Option<Self> {
        let kind = message["target"]["kind"][0].as_str()?;
        // The unit tests of a program bear its name, too.
        if kind == "bin" && message["profile"]["test"] == true {
            return None;
        }
        Some(Self {
            kind: kind.to_owned(),
            name: message["target"]["name"].as_str()?.to_owned(),
            package: PathBuf::from(message["manifest_path"].as_str()?).parent()?.to_owned(),
            file: message["executable"].as_str()?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"
{"reason":"compiler-artifact","manifest_path":"/w/crates/types/Cargo.toml","target":{"kind":["lib"],"name":"parlor_types"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/server/Cargo.toml","target":{"kind":["bin"],"name":"parlor-server"},"profile":{"test":true},"executable":"/t/deps/parlor_server-1"}
{"reason":"compiler-artifact","manifest_path":"/w/server/Cargo.toml","target":{"kind":["bin"],"name":"parlor-server"},"profile":{"test":false},"executable":"/t/parlor-server"}
{"reason":"compiler-artifact","manifest_path":"/w/tests/Cargo.toml","target":{"kind":["test"],"name":"crash"},"profile":{"test":true},"executable":"/t/deps/crash-1"}
{"reason":"compiler-artifact","manifest_path":"/w/server/Cargo.toml","target":{"kind":["test"],"name":"start"},"profile":{"test":true},"executable":"/t/deps/start-1"}
{"reason":"build-finished","success":true}"#;

    #[test]
    fn a_program_is_found_and_its_unit_tests_are_not_taken_for_it() {
        let programs = Programs::told(MESSAGES);
        assert_eq!(
            programs.binary("parlor-server").expect("it was built"),
            PathBuf::from("/t/parlor-server")
        );
        assert!(programs.binary("parlor-four").is_err());
        assert!(programs.example("parlor-server").is_err());
    }

    #[test]
    fn the_tests_of_one_package_are_found() {
        let programs = Programs::told(MESSAGES);
        assert_eq!(programs.tests(Path::new("/w/tests")), [Path::new("/t/deps/crash-1")]);
    }
}
