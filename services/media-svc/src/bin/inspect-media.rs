//! The child process in which media-svc looks at files. Nobody starts it by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor_preview::worker()
}
