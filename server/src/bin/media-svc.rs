//! media-svc apart from the others.

use std::process::ExitCode;

fn main() -> ExitCode {
    parlor_server::run(&parlor_server::MEDIA_SVC)
}
