//! The clients in other languages, each against a server of its own.
//!
//! A client is a folder of `tests/interop/` with a `run.sh`, which generates stubs from `proto/`, starts what it needs
//! and exits with 0 if all went well. It is given `PARLOR_SERVER_BIN`, the program to start, and `PARLOR_TOOLS`, the
//! folder for what it has to install.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::check::{Outcome, verdict};
use crate::install;
use crate::workspace::{Workspace, output, run as run_command};

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
    let server = build_server(workspace)?;
    let failed: Vec<_> = runnable
        .iter()
        .filter_map(|client| {
            let mut bash = workspace.command("bash");
            bash.arg(format!("tests/interop/{}/run.sh", client.folder));
            bash.env("PARLOR_SERVER_BIN", &server).env("PARLOR_TOOLS", &workspace.tools);
            run_command(&mut bash).err().map(|error| format!("{error:#}"))
        })
        .collect();

    let names =
        |clients: &[&Client]| clients.iter().map(|client| client.needs).collect::<Vec<_>>().join(", ");
    let outcome = verdict(&failed, names(&runnable))?;
    Ok(if missing.is_empty() { outcome } else { Outcome::Skipped(format!("no {}", names(&missing))) })
}

/// Builds the server and asks cargo where it put it.
fn build_server(workspace: &Workspace) -> Result<PathBuf> {
    let build = [
        "build",
        "--locked",
        "--package",
        "parlor-server",
        "--bin",
        "parlor-server",
        "--message-format",
        "json-render-diagnostics",
    ];
    let messages = output(&mut workspace.cargo(&build))?;
    executable(&messages).context("cargo built parlor-server and named no executable")
}

/// The program in cargo's messages, which are one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_other_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"parlor_types"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"/tmp/t/debug/parlor-server"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some("/tmp/t/debug/parlor-server".into()));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
