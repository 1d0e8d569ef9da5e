//! `cargo test` over the workspace: unit, service and whole-system tests, and the examples in the documentation; then the
//! whole-system tests once more, with the services apart.
//!
//! Some of them need an S3 server, which is installed for them; without Go to build it they are skipped.

use std::path::PathBuf;

use anyhow::Result;

use crate::check::Outcome;
use crate::install;
use crate::programs::{self, Programs, SELECTION};
use crate::workspace::{Workspace, run as run_command};

/// The package of the whole-system tests.
const WHOLE_SYSTEM: &str = "tests";

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let minio = install::minio(workspace)?;
    let programs = programs::build(workspace)?;
    let test = |topology, server, which: &[&str]| -> Result<()> {
        println!("  services in: {topology}");
        let mut test = workspace.cargo(&[&["test"], &SELECTION[..], &["--no-fail-fast"], which].concat());
        test.env("PARLOR_TOPOLOGY", topology).envs(minio.iter().map(|minio| ("PARLOR_MINIO_BIN", minio)));
        test.envs(under_test(&programs, server)?);
        run_command(&mut test)
    };
    let together = test("one", "parlor-server", &[]);
    let names = programs.tests(workspace, WHOLE_SYSTEM);
    let which: Vec<_> = names.into_iter().flat_map(|name| ["--test", name]).collect();
    // What fails there need not fail here, too: both are told.
    let apart = test("four", "parlor-four", &which);
    together.and(apart)?;
    Ok(match minio {
        Some(_) => Outcome::Passed(String::new()),
        None => Outcome::Skipped("no Go to build an S3 server with: the tests on S3 have not run".to_owned()),
    })
}

/// What tells the whole-system tests which programs to test.
fn under_test(programs: &Programs, server: &str) -> Result<[(&'static str, PathBuf); 2]> {
    Ok([("PARLOR_SERVER_BIN", programs.binary(server)?), ("PARLOR_CLI_BIN", programs.binary("parlor")?)])
}
