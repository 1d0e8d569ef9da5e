//! Looking through the stores for damage, while a server runs or not.

use parlor_embedded::{CheckError, check_file};

use super::backup::require_data;
use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files;
use crate::program::Program;

/// Reads every page, index and reference of the databases that the services of `program` have in the data folder, as any
/// reader does: the server's writer waits for nothing.
///
/// # Errors
/// There is no data, or some of it is damaged or cannot be read: all that is, by name.
pub async fn check(program: &'static Program, config: &Config) -> Result<(), Failure> {
    let stores = require_data(program, &config.server.data)?;
    let looked_through = tokio::task::spawn_blocking(move || {
        let databases = stores.databases(program).into_iter().filter(|store| store.exists());
        let verdict = |store| (files::name(store).to_owned(), check_file(store));
        databases.map(verdict).collect::<Vec<(String, Result<(), CheckError>)>>()
    });
    let verdicts = looked_through.await.map_err(|error| Failure::new(Code::Internal, error))?;
    let mut faults = Vec::new();
    for (name, verdict) in verdicts {
        match verdict {
            Ok(()) => print(&format!("{name}: sound\n"))?,
            Err(error) => faults.push(format!("{name}: {error}")),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(Code::Data, faults.join("\n"))) }
}
