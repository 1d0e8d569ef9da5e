//! The clients in other languages, each against a server of its own, and against one whose services run apart.
//!
//! A client is a folder of `tests/interop/` with a `run.sh`, which generates stubs from `proto/`, starts what it needs
//! and exits with 0 if all went well. It is given `PARLOR_SERVER_BIN`, the program to start, and `PARLOR_TOOLS`, the
//! folder for what it has to install.

use anyhow::Result;

use crate::check::{Outcome, verdict};
use crate::install;
use crate::programs;
use crate::workspace::{Workspace, run as run_command};

struct Client {
    /// The folder in `tests/interop/`.
    folder: &'static str,
    /// Without this program on the PATH the client cannot run.
    needs: &'static str,
}

const CLIENTS: &[Client] =
    &[Client { folder: "python", needs: "python3" }, Client { folder: "node", needs: "node" }];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let (runnable, missing): (Vec<_>, Vec<_>) =
        CLIENTS.iter().partition(|client| install::is_runnable(client.needs));
    for client in &missing {
        println!(
            "SKIPPED: tests/interop/{} needs `{}`, which is not on the PATH",
            client.folder, client.needs
        );
    }
    let programs = programs::build(workspace)?;
    let servers = [programs.binary("parlor-server")?, programs.binary("parlor-four")?];
    let pairs = servers.iter().flat_map(|server| runnable.iter().map(move |client| (server, client)));
    let failed: Vec<_> = pairs
        .filter_map(|(server, client)| {
            let mut bash = workspace.command("bash");
            bash.arg(format!("tests/interop/{}/run.sh", client.folder));
            bash.env("PARLOR_SERVER_BIN", server).env("PARLOR_TOOLS", &workspace.tools);
            run_command(&mut bash).err().map(|error| format!("{}: {error:#}", server.display()))
        })
        .collect();

    let names =
        |clients: &[&Client]| clients.iter().map(|client| client.needs).collect::<Vec<_>>().join(", ");
    let outcome = verdict(&failed, names(&runnable))?;
    Ok(if missing.is_empty() { outcome } else { Outcome::Skipped(format!("no {}", names(&missing))) })
}
