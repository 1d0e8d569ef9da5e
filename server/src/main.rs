//! All services in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor_server::run(&parlor_server::PARLOR_SERVER)
}
