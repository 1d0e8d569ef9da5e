//! `cargo test` over the workspace: unit, service and whole-system tests, and the examples in the documentation.

use anyhow::Result;

use crate::check::Outcome;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    run_command(&mut workspace.cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]))?;
    Ok(Outcome::Passed(String::new()))
}
