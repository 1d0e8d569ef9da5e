//! Clippy over every target, warnings denied.
//!
//! The denial is an argument of clippy, not of rustc: `RUSTFLAGS` would make every dependency be built twice.

use anyhow::Result;

use crate::check::Outcome;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let mut clippy = workspace.cargo(&["clippy", "--workspace", "--all-targets", "--locked"]);
    run_command(clippy.args(["--", "-D", "warnings"]))?;
    Ok(Outcome::Passed(String::new()))
}
