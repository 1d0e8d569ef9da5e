//! The child's side.

use std::process::ExitCode;

/// What the child runs: reads its standard input, which is the file to look at, and says on standard output what it found
/// and made. It takes no arguments and no environment, and ends by itself.
pub fn worker() -> ExitCode {
    ExitCode::FAILURE
}
