//! A program, from its arguments to its exit code.

use std::io::Write as _;
use std::process::ExitCode;

use parlor_runtime::telemetry;
use tempfile::TempDir;

use crate::args::{Args, Command, INSPECT_MEDIA};
use crate::commands;
use crate::failure::{Code, Failure};
use crate::program::Program;

/// Does what the command line of this process says, as `program`.
pub fn run(program: &'static Program) -> ExitCode {
    // Before there are threads and open files: it may have neither.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == INSPECT_MEDIA) {
        return parlor_preview::worker();
    }
    serve_or_do(program)
}

/// All that ends here, ends with the runtime: dropping it closes the stores.
#[tokio::main]
async fn serve_or_do(program: &'static Program) -> ExitCode {
    let args = match Args::of_process(program) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match obey(program, args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "{}: {failure}", program.name);
            failure.code.into()
        }
    }
}

async fn obey(program: &'static Program, args: Args) -> Result<(), Failure> {
    let Args { command, mut settings, check_config, print_config, temporary, stop_with_input } = args;
    // Deleted when it is dropped, after everything in it was closed.
    let folder = if temporary { Some(temporary_folder()?) } else { None };
    if let Some(folder) = &folder {
        settings.data = Some(folder.path().to_owned());
    }
    let config = settings.load(program)?;
    if print_config {
        return commands::print_config(program, &config);
    }
    if check_config {
        return Ok(());
    }
    let config = config.value;
    telemetry::init(&config.log)?;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => commands::serve(program, config, stop_with_input).await,
        Command::Backup { dir } => commands::backup(program, &config, &dir).await,
        Command::Check => commands::check(program, &config).await,
        Command::Restore { dir } => commands::restore(program, &dir, &config).await,
        Command::ImportUsers { file } => commands::import_users(config, &file).await,
        Command::DevCerts { dir, name } => commands::dev_certs(&dir, &name),
        Command::ServiceAccount(action) => commands::service_account(config, action).await,
    }
}

fn temporary_folder() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("parlor-")
        .tempdir()
        .map_err(|error| Failure::new(Code::Io, format!("cannot make a temporary folder: {error}")))
}

/// Help and version are no errors, though clap gives them as such.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { Code::Usage.into() } else { ExitCode::SUCCESS }
}
