//! The API documentation builds, and none of its links leads nowhere.

use anyhow::Result;

use crate::check::Outcome;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let mut doc = workspace.cargo(&["doc", "--no-deps", "--workspace", "--locked"]);
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed(String::new()))
}
