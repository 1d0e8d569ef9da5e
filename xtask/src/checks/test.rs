//! `cargo test` over the workspace: unit, service and whole-system tests, and the examples in the documentation; then the
//! whole-system tests once more, with the services apart.
//!
//! Some of them need an S3 server, which is installed for them; without Go to build it they are skipped.

use std::process::Command;

use anyhow::Result;

use crate::check::Outcome;
use crate::install;
use crate::programs::{self, SELECTION};
use crate::workspace::{Workspace, run as run_command};

/// The package of the whole-system tests.
const WHOLE_SYSTEM: &str = "tests";

/// The seed of the random cases of proptest: this check judges a change, so it tries the same ones each time. A plain
/// `cargo test` tries new ones.
const SEED: (&str, &str) = ("PROPTEST_RNG_SEED", "5489");

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let minio = install::minio(workspace)?;
    let programs = programs::build(workspace)?;
    let under_test = |test: &mut Command, topology, server| -> Result<()> {
        test.env("PARLOR_TOPOLOGY", topology)
            .env(SEED.0, SEED.1)
            .envs(minio.iter().map(|minio| ("PARLOR_MINIO_BIN", minio)));
        test.env("PARLOR_SERVER_BIN", programs.binary(server)?)
            .env("PARLOR_CLI_BIN", programs.binary("parlor")?);
        println!("  services in: {topology}");
        run_command(test)
    };
    let mut all = workspace.cargo(&[&["test"], &SELECTION[..], &["--no-fail-fast"]].concat());
    let together = under_test(&mut all, "one", "parlor-server");
    // What fails there need not fail here, too: both are told.
    let folder = workspace.root.join(WHOLE_SYSTEM);
    let apart = programs.tests(&folder).into_iter().map(|test| {
        let mut test = workspace.command(test);
        under_test(test.current_dir(&folder), "four", "parlor-four")
    });
    let apart = apart.fold(Ok(()), Result::and);
    together.and(apart)?;
    Ok(match minio {
        Some(_) => Outcome::Passed(String::new()),
        None => Outcome::Skipped("no Go to build an S3 server with: the tests on S3 have not run".to_owned()),
    })
}
