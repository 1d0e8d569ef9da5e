//! `cargo-deny` with the rules of `deny.toml`.
//!
//! Known vulnerabilities are looked up only with `PARLOR_ADVISORIES=1`: their database is fetched from the network,
//! and a new entry in it would turn an unchanged checkout red.

use std::env;

use anyhow::Result;

use crate::check::Outcome;
use crate::install;
use crate::workspace::{Workspace, run as run_command};

const OFFLINE: &[&str] = &["bans", "licenses", "sources"];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let program = install::cargo_deny(workspace)?;
    let advisories = env::var_os("PARLOR_ADVISORIES").is_some_and(|value| value == "1");
    let mut deny = workspace.command(program);
    deny.args(["--workspace", "--locked", "check", "--hide-inclusion-graph"]).args(OFFLINE);
    if advisories {
        deny.arg("advisories");
    }
    run_command(&mut deny)?;
    Ok(Outcome::Passed(if advisories { "with advisories" } else { "without advisories" }.to_owned()))
}
