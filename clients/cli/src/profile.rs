//! Which account: the folder it is kept in, and the server it belongs to.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parlor_client::store::Store;
use parlor_client::{Client, Server};

use crate::args::Global;
use crate::outcome::{Failure, Outcome};

/// Where a server is on the machine one develops on.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7700";

/// How long to keep trying, in seconds, unless that is said.
const PATIENCE: u64 = 5;
/// The same for commands with files, after the last byte that came or went: whoever sends a large one will wait for a train
/// to leave its tunnel.
const PATIENCE_WITH_FILES: u64 = 120;

/// Opens the account that the options name.
pub fn open(global: &Global, with_files: bool) -> Outcome<Client> {
    let folder = folder(global)?;
    let store = Store::open(&folder).map_err(parlor_client::Error::from)?;
    let saved = store.account().map_err(parlor_client::Error::from)?.server;
    let server = global.server.clone().or(saved).unwrap_or_else(|| DEFAULT_SERVER.to_owned());
    let patience = patience(global, with_files);
    keep_authorities(global, &folder)?;
    let server = Server::new(server.trim_end_matches('/')).trusted_by(&folder)?;
    Ok(Client::with_open_store(Arc::new(store), server, patience)?)
}

/// The authorities that are named, if any, the profile keeps from then on.
pub fn keep_authorities(global: &Global, folder: &Path) -> Outcome {
    match &global.ca {
        Some(ca) => Ok(Server::keep_authorities(ca, folder)?),
        None => Ok(()),
    }
}

/// How long to keep trying.
pub fn patience(global: &Global, with_files: bool) -> Duration {
    let usual = if with_files { PATIENCE_WITH_FILES } else { PATIENCE };
    Duration::from_secs(global.wait.unwrap_or(usual))
}

/// The folder that the options name, or the usual one.
pub fn folder(global: &Global) -> Outcome<PathBuf> {
    global.profile.clone().map_or_else(default_folder, Ok)
}

/// Where a history is to be written, if anywhere.
pub fn record(global: &Global) -> Option<PathBuf> {
    global.record.clone().or_else(|| variable("PARLOR_RECORD"))
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn default_folder() -> Outcome<PathBuf> {
    let data = || variable("XDG_DATA_HOME").filter(|path| path.is_absolute());
    variable("PARLOR_PROFILE")
        .or_else(|| Some(data()?.join("parlor")))
        .or_else(|| Some(env::home_dir()?.join(".local/share/parlor")))
        .ok_or_else(|| Failure::Usage("there is no home folder: say --profile DIR".to_owned()))
}
