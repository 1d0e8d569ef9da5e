//! What the program can be told to do. Answers go to standard output, everything else to standard error.

mod backup;
mod check;
mod dev_certs;
mod import_users;
mod restore;
mod serve;
mod service_account;

use std::io::{self, Write as _};

use parlor_runtime::config::Loaded;

use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::program::Program;

pub use backup::backup;
pub use check::check;
pub use dev_certs::dev_certs;
pub(crate) use dev_certs::parse_name;
pub use import_users::import_users;
pub use restore::restore;
pub use serve::serve;
pub use service_account::service_account;

/// Prints the configuration of `program` that is in effect, as a file that can be used as one.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print_config(program: &Program, config: &Loaded<Config>) -> Result<(), Failure> {
    let text = config
        .to_toml_without(&program.unused_sections())
        .map_err(|error| Failure::new(Code::Internal, error))?;
    print(&text)
}

/// Writes `text` to standard output, whole and at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure::new(Code::Io, format!("cannot write to standard output: {error}")))
}
