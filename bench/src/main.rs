//! `bench`: how fast the server is, and what it takes for that.
//!
//! `cargo run --release -p bench -- <scenario>` runs one of [`scenarios::SCENARIOS`], or `all`, against a server in a process
//! of its own and, in the same run, window by window in turns, against servers that do the same with nothing of ours. What
//! is told is the ratio: it says the same on a fast machine, a slow one and a busy one; plain figures do not.
//! docs/bench.md says what each figure means.
#![expect(clippy::print_stdout, reason = "printing is what a command line is for")]

mod accounts;
mod bare;
mod comparison;
mod floors;
mod load;
mod machine;
mod parlor;
mod processes;
mod progress;
mod report;
mod scenarios;
mod spread;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::bare::Keep;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::scenarios::history::{self, How};
use crate::scenarios::{Options, SCENARIOS, Scenario};

/// Every scenario in turn.
const ALL: &str = "all";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut cli = cli();
    let matches = cli.get_matches_mut();
    match matches.subcommand() {
        Some((bare::stream::COMMAND, args)) => {
            let keep = *args.get_one::<Keep>("keep").context("clap asks for it")?;
            bare::stream::serve(keep, &path(args, "folder")?).await?;
        }
        Some((bare::media::COMMAND, args)) => bare::media::serve(path(args, "folder")?).await?,
        Some((history::COMMAND, args)) => {
            let how = *args.get_one::<How>("how").context("clap asks for it")?;
            println!("{}", history::take_in(how, &path(args, "file")?)?);
        }
        Some((ALL, args)) => measure(&SCENARIOS.iter().collect::<Vec<_>>(), args).await?,
        Some((name, args)) => {
            let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name);
            measure(&[scenario.context("clap knows the scenarios alone")?], args).await?;
        }
        None => cli.print_help()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What is measured is told as it comes; the file is written after each, so that what there is stays if one fails.
async fn measure(scenarios: &[&Scenario], args: &ArgMatches) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "what processes take is read from /proc: Linux alone has it");
    let machine = Machine::now()?;
    println!("{machine}\n");
    let options = options(args)?;
    let mut reports = Vec::new();
    for scenario in scenarios {
        let report = tokio::select! {
            report = (scenario.run)(options.clone()) => report.context(scenario.name),
            signal = stopped() => Err(signal),
        };
        options.progress.clear();
        let report = report?;
        println!("{report}");
        reports.push(json!({ "scenario": scenario.name, "report": report.json()? }));
        if let Some(file) = args.get_one::<PathBuf>("json") {
            let told = json!({
                "machine": machine,
                "windows": options.windows,
                "window_seconds": options.window.as_secs_f64(),
                "scenarios": reports,
            });
            let text = serde_json::to_string_pretty(&told)?;
            std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(())
}

/// Comes with a signal to stop: what runs is dropped then, and with it the servers and their folder.
async fn stopped() -> anyhow::Error {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return anyhow!("signals cannot be had");
    };
    tokio::select! {
        _ = interrupt.recv() => anyhow!("interrupted"),
        _ = terminate.recv() => anyhow!("asked to end"),
    }
}

fn options(args: &ArgMatches) -> Result<Options> {
    let missing = "it has a default";
    let rates = args.get_many::<u32>("rate").context(missing)?;
    Ok(Options {
        windows: *args.get_one("windows").context(missing)?,
        window: Duration::from_secs(*args.get_one("seconds").context(missing)?),
        rates: rates.map(|rate| f64::from(*rate)).collect(),
        streams: *args.get_one::<u32>("streams").context(missing)? as usize,
        progress: Progress::new(),
    })
}

fn path(args: &ArgMatches, name: &str) -> Result<PathBuf> {
    args.get_one::<PathBuf>(name).cloned().context("clap asks for it")
}

/// One subcommand per scenario, so the help is the list of them.
fn cli() -> Command {
    let scenario = |scenario: &Scenario| measuring(scenario.name, scenario.about);
    let folder = Arg::new("folder").required(true).value_parser(value_parser!(PathBuf));
    let keep = Arg::new("keep").required(true).value_parser(value_parser!(Keep));
    let how = Arg::new("how").required(true).value_parser(value_parser!(How));
    let file = Arg::new("file").required(true).value_parser(value_parser!(PathBuf));
    let all = measuring(ALL, "All of these, one after the other");
    Command::new("bench")
        .about("How fast the server is, against plainer ones in the same run")
        .disable_help_subcommand(true)
        .subcommands(SCENARIOS.iter().map(scenario))
        .subcommand(all)
        .subcommand(Command::new(bare::stream::COMMAND).hide(true).args([keep, folder.clone()]))
        .subcommand(Command::new(history::COMMAND).hide(true).args([how, file]))
        .subcommand(Command::new(bare::media::COMMAND).hide(true).arg(folder))
}

fn measuring(name: &'static str, about: &'static str) -> Command {
    let number = |name: &'static str, range: std::ops::RangeInclusive<i64>| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u32).range(range))
    };
    let windows = number("windows", 1..=1000).default_value("5").help("Windows measured of each side");
    let seconds = Arg::new("seconds").long("seconds").value_name("N").default_value("3");
    let seconds = seconds.value_parser(value_parser!(u64).range(1..=600));
    let seconds = seconds.help("Length of a window in which messages are counted");
    let rate = number("rate", 1..=1_000_000).value_delimiter(',').action(ArgAction::Append);
    let rate =
        rate.default_value("5000,10000").help("open: messages a second; several are measured each by itself");
    let streams = number("streams", 1..=1_000_000).default_value("5000").help("idle: how many streams");
    let json = Arg::new("json").long("json").value_name("FILE").value_parser(value_parser!(PathBuf));
    let json = json.help("Write all figures there too");
    Command::new(name).about(about).args([windows, seconds, rate, streams, json])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        cli().debug_assert();
    }

    #[test]
    fn several_rates_can_be_given() {
        let matches = cli().get_matches_from(["bench", "open", "--rate", "100,200", "--rate", "300"]);
        let options = options(matches.subcommand().unwrap().1).unwrap();
        assert_eq!(options.rates, [100.0, 200.0, 300.0]);
        let matches = cli().get_matches_from(["bench", "all"]);
        let options = super::options(matches.subcommand().unwrap().1).unwrap();
        assert_eq!((options.rates, options.streams), (vec![5000.0, 10_000.0], 5000));
    }
}
