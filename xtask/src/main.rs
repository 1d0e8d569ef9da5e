//! Every check CI runs, by name.
//!
//! `cargo xtask` lists the checks, `cargo xtask <name>` runs one, `cargo xtask ci` runs all of them in order of
//! cheapness. A check changes nothing in the checkout (only `generated --write` does) and needs no network, except to
//! install a missing tool once. `cargo xtask simulate` is no check: it looks for what they have not found, for as long as
//! one likes, as `cargo xtask soak` does with real processes and `cargo xtask fuzz` in bytes. Nor is `cargo xtask mutants`, which
//! holds the tests to account.
#![expect(clippy::print_stdout, reason = "printing is what a command line is for")]

mod check;
mod checks;
mod ci;
mod fuzz;
mod install;
mod mutants;
mod programs;
mod simulate;
mod soak;
mod source;
mod tally;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::fuzz::Fuzz;
use crate::simulate::Simulation;
use crate::workspace::Workspace;

fn main() -> Result<ExitCode> {
    let mut cli = cli();
    let matches = cli.get_matches_mut();
    let Some((name, args)) = matches.subcommand() else {
        cli.print_help()?;
        return Ok(ExitCode::SUCCESS);
    };

    let workspace = Workspace::from_env()?;
    if name == "generated" && args.get_flag("write") {
        checks::generated::write(&workspace)?;
        return Ok(ExitCode::SUCCESS);
    }
    if name == "simulate" {
        simulate(&workspace, args)?;
        return Ok(ExitCode::SUCCESS);
    }
    if name == "fuzz" {
        fuzz(&workspace, args)?;
        return Ok(ExitCode::SUCCESS);
    }
    if name == "soak" {
        soak::run(&workspace, args.get_one("kills").copied())?;
        return Ok(ExitCode::SUCCESS);
    }
    if name == "mutants" {
        mutants::run(&workspace, args.get_one::<String>("name").map(String::as_str))?;
        return Ok(ExitCode::SUCCESS);
    }
    let passed = match check::CHECKS.iter().find(|check| check.name == name) {
        Some(check) => ci::run(&workspace, std::slice::from_ref(check)),
        None => ci::run(&workspace, check::CHECKS),
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn simulate(workspace: &Workspace, args: &ArgMatches) -> Result<()> {
    let only = args.get_one::<String>("what").and_then(|name| Simulation::named(name));
    for simulation in simulate::ALL.iter().filter(|one| only.is_none_or(|only| only.name == one.name)) {
        match args.get_one("seed") {
            Some(seed) => simulation.one(workspace, *seed)?,
            None => simulation.all(workspace, args.get_one("seeds").copied())?,
        }
    }
    Ok(())
}

fn fuzz(workspace: &Workspace, args: &ArgMatches) -> Result<()> {
    let only = args.get_one::<String>("target").map(String::as_str);
    let runs = args.get_one("runs").copied().unwrap_or(fuzz::RUNS);
    Fuzz { only, runs, keep: args.get_flag("keep") }.run(workspace)
}

/// The command line: one subcommand per check, so the help is the list of checks.
fn cli() -> Command {
    let ci = Command::new("ci").about("All of the checks above, with a summary at the end");
    let checks = check::CHECKS.iter().map(|check| {
        let command = Command::new(check.name).about(check.about);
        if check.name != "generated" {
            return command;
        }
        let write = Arg::new("write").long("write").action(ArgAction::SetTrue);
        command.arg(write.help("Rewrite the committed files instead of comparing them"))
    });
    let number = |name| Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64));
    let what = simulate::ALL.iter().map(|one| PossibleValue::new(one.name).help(one.about));
    let seeds = simulate::ALL.map(|one| format!("{} of {}", one.seeds, one.name)).join(", ");
    let simulate = Command::new("simulate")
        .about("Runs simulations from seeds; goes on where it was stopped")
        .arg(Arg::new("what").value_name("WHAT").value_parser(what.collect::<Vec<_>>()).help("Only this one"))
        .arg(number("seeds").help(format!("How many seeds in all [default: {seeds}]")))
        .arg(number("seed").help("Only this one").conflicts_with("seeds"));
    let fuzz = Command::new("fuzz")
        .about("Looks for bytes that break a parser (wants nightly Rust); goes on likewise")
        .arg(Arg::new("target").value_name("TARGET").help("Only this one"))
        .arg(number("runs").help(format!("How many runs of each in all [default: {}]", fuzz::RUNS)))
        .arg(
            Arg::new("keep")
                .long("keep")
                .action(ArgAction::SetTrue)
                .help("Put what is small and reaches something new into hostile/corpus"),
        );
    let soak = Command::new("soak")
        .about("Kills, freezes and cuts off real processes under load; goes on likewise")
        .arg(number("kills").help(format!("How many kills in all [default: {}]", soak::KILLS)));
    let mutants = Command::new("mutants")
        .about(
            "Breaks the product in each way docs/guarantees.md lists, and sees it caught; goes on likewise",
        )
        .arg(Arg::new("name").value_name("NAME").help("Only this breakage"));
    Command::new("cargo xtask")
        .about("Every check CI runs, by name")
        .disable_help_subcommand(true)
        .subcommands(checks)
        .subcommand(ci)
        .subcommand(simulate)
        .subcommand(fuzz)
        .subcommand(soak)
        .subcommand(mutants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_a_subcommand_with_one_line_of_help() {
        let cli = cli();
        cli.clone().debug_assert();
        let about =
            |name: &str| cli.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
        for check in check::CHECKS {
            let line = about(check.name).expect("every check is listed");
            assert!(
                !line.is_empty() && line.lines().count() == 1 && line.len() <= 100,
                "{}: {line}",
                check.name
            );
        }
        assert!(about("ci").is_some());
    }
}
