//! `cargo fmt --check` over the workspace.

use anyhow::Result;

use crate::check::Outcome;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    run_command(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed(String::new()))
}
