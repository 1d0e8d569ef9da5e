//! `cargo test` over the workspace: unit, service and whole-system tests, and the examples in the documentation.
//!
//! Some of them need an S3 server, which is installed for them; without Go to build it they are skipped.

use anyhow::Result;

use crate::check::Outcome;
use crate::install;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let minio = install::minio(workspace)?;
    let mut test = workspace.cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if let Some(minio) = &minio {
        test.env("PARLOR_MINIO_BIN", minio);
    }
    run_command(&mut test)?;
    Ok(match minio {
        Some(_) => Outcome::Passed(String::new()),
        None => Outcome::Skipped("no Go to build an S3 server with: the tests on S3 have not run".to_owned()),
    })
}
