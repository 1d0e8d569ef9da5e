//! `parlor`: a terminal client, for people and for scripts.
//!
//! A thin layer over `parlor-client`: arguments in, lines out, exit codes that a script can rely on (see `args`).

mod args;
mod commands;
mod entry;
mod names;
mod outcome;
mod output;
mod pictures;
mod profile;
mod progress;
mod secret;
mod text;

use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use output::Output;

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.global.json;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return outcome::Failure::from(error).report(json),
    };
    let mut out = Output::new(json);
    let result = runtime.block_on(commands::run(args, &mut out)).and_then(|()| out.flush());
    // A password being typed or a call being waited for must not keep the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}
