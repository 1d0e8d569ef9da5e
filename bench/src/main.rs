//! `bench`: how fast the server is, and what it takes for that.
//!
//! `cargo run --release -p bench -- <scenario>` runs one of [`scenarios::SCENARIOS`] against a server in a process of its own and, in
//! the same run, window by window in turns, against something that does the same with nothing of ours. What is told is
//! the ratio of the two: it says the same on a fast machine, a slow one and a busy one; plain figures do not.
#![expect(clippy::print_stdout, reason = "printing is what a command line is for")]

mod median;
mod processes;
mod registration;
mod report;
mod scenarios;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Arg, ArgMatches, Command, value_parser};

use crate::scenarios::{SCENARIOS, Scenario, media};

/// What the process that is measured against is started as.
const BARE: &str = "bare-media";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut cli = cli();
    let matches = cli.get_matches_mut();
    match matches.subcommand() {
        Some((BARE, args)) => media::bare::serve(path(args, "folder")?).await?,
        Some((name, args)) => {
            let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
            measure(scenario.context("clap knows the scenarios alone")?, args).await?;
        }
        None => cli.print_help()?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn measure(scenario: &Scenario, args: &ArgMatches) -> Result<()> {
    let windows = *args.get_one("windows").context("it has a default")?;
    let report = (scenario.run)(scenarios::Options { windows }).await?;
    println!("{}", report.table);
    if let Some(file) = args.get_one::<PathBuf>("json") {
        let text = serde_json::to_string_pretty(&report.json)?;
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn path(args: &ArgMatches, name: &str) -> Result<PathBuf> {
    args.get_one::<PathBuf>(name).cloned().context("clap asks for it")
}

/// One subcommand per scenario, so the help is the list of them.
fn cli() -> Command {
    let windows = Arg::new("windows").long("windows").value_name("N").default_value("7");
    let windows =
        windows.value_parser(value_parser!(u32).range(1..=1000)).help("Windows measured of each side");
    let json = Arg::new("json").long("json").value_name("FILE").value_parser(value_parser!(PathBuf));
    let json = json.help("Write all figures there too");
    let scenario = |scenario: &Scenario| {
        Command::new(scenario.name).about(scenario.about).args([windows.clone(), json.clone()])
    };
    let folder = Arg::new("folder").required(true).value_parser(value_parser!(PathBuf));
    Command::new("bench")
        .about("How fast the server is, against something plainer in the same run")
        .disable_help_subcommand(true)
        .subcommands(SCENARIOS.iter().map(scenario))
        .subcommand(Command::new(BARE).hide(true).arg(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        cli().debug_assert();
    }
}
