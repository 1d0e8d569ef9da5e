//! The program. What it does is in the library.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use parlor_runtime::telemetry;
use parlor_server::Failure;
use parlor_server::args::{Args, Command, INSPECT_MEDIA};
use parlor_server::commands;

fn main() -> ExitCode {
    // Before there are threads and open files: it may have neither.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == INSPECT_MEDIA) {
        return parlor_preview::worker();
    }
    serve_or_do()
}

/// All that ends here, ends with the runtime: dropping it closes the stores.
#[tokio::main]
async fn serve_or_do() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to tell if standard error is gone.
            let _ = writeln!(std::io::stderr(), "parlor-server: {failure}");
            failure.code.into()
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let Args { command, settings, check_config, print_config } = args;
    let config = settings.load()?;
    if print_config {
        return commands::print_config(&config);
    }
    if check_config {
        return Ok(());
    }
    let config = config.value;
    telemetry::init(&config.log)?;
    match command.unwrap_or(Command::Serve) {
        Command::Serve => commands::serve(config).await,
        Command::Backup { dir } => commands::backup(&config, &dir).await,
        Command::Restore { dir } => commands::restore(&dir, &config).await,
        Command::ImportUsers { file } => commands::import_users(config, &file).await,
        Command::ServiceAccount(action) => commands::service_account(config, action).await,
    }
}

/// Help and version are no errors, though clap gives them as such.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() { parlor_server::Code::Usage.into() } else { ExitCode::SUCCESS }
}
