//! `cargo test` over the workspace: unit, service and whole-system tests, and the examples in the documentation; then the
//! whole-system tests once more, with the services apart.
//!
//! Some of them need an S3 server, which is installed for them; without Go to build it they are skipped.

use std::path::PathBuf;

use anyhow::Result;

use crate::check::Outcome;
use crate::install;
use crate::workspace::{Workspace, run as run_command};

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let minio = install::minio(workspace)?;
    let together = test(workspace, minio.as_ref(), &["--workspace"], "one");
    // What fails there need not fail here, too: both are told.
    let apart = test(workspace, minio.as_ref(), &["--package", "parlor-tests"], "four");
    together.and(apart)?;
    Ok(match minio {
        Some(_) => Outcome::Passed(String::new()),
        None => Outcome::Skipped("no Go to build an S3 server with: the tests on S3 have not run".to_owned()),
    })
}

fn test(workspace: &Workspace, minio: Option<&PathBuf>, what: &[&str], topology: &str) -> Result<()> {
    println!("  services in: {topology}");
    let mut test = workspace.cargo(&[&["test", "--locked", "--no-fail-fast"], what].concat());
    test.env("PARLOR_TOPOLOGY", topology);
    if let Some(minio) = minio {
        test.env("PARLOR_MINIO_BIN", minio);
    }
    run_command(&mut test)
}
