//! The clients in other languages, each against a server of its own, and against one whose services run apart.
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
    let servers = build_servers(workspace)?;
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

/// Builds the server, and the services as one program that does as if it were the server; and asks cargo where it put them.
fn build_servers(workspace: &Workspace) -> Result<[PathBuf; 2]> {
    let packages = ["--package", "parlor-server", "--package", "parlor-tests"];
    let build =
        [&["build", "--locked", "--bins", "--message-format", "json-render-diagnostics"], &packages[..]];
    let messages = output(&mut workspace.cargo(&build.concat()))?;
    let built =
        |name: &str| executable(&messages, name).with_context(|| format!("cargo built no executable {name}"));
    Ok([built("parlor-server")?, built("parlor-four")?])
}

/// The program of this name in cargo's messages, which are one JSON object a line.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.find(|path| path.file_stem().is_some_and(|stem| stem == name))
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
        assert_eq!(executable(messages, "parlor-server"), Some("/tmp/t/debug/parlor-server".into()));
        assert_eq!(executable(messages, "parlor-four"), None);
    }
}
