//! The child alone, as tests start it; `parlor-server` has it as a hidden subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor_preview::worker()
}
