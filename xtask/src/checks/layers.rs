//! Who may import whom: between crates, and between the modules of a service.

mod crates;
mod modules;

use anyhow::Result;

use crate::check::{Outcome, verdict};
use crate::workspace::Workspace;

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let packages = crates::packages(workspace)?;
    let mut findings = crates::examine(&packages);
    for (path, text) in workspace.texts(&["rs"])? {
        findings.extend(modules::examine(&path, &text));
    }
    verdict(&findings, format!("{} crates", packages.len()))
}
