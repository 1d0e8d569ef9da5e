//! Checking histories: a million lines, of clients of a server that keeps its promises, held against the guarantees.
//!
//! In a process of its own, so that its memory can be seen. The bare side reads the same file line by line and takes each for
//! JSON of any kind, which is the least that a checker has to do.

mod clients;

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use clap::ValueEnum;
use serde_json::Value;

use super::{Options, folder};
use crate::comparison::{Comparison, Contestant, Figure};
use crate::floors::Floor;
use crate::processes::Usage;
use crate::report::Report;

/// The hidden subcommand that does it.
pub const COMMAND: &str = "take-in";
/// Lines, but for a few.
const LINES: usize = 1_000_000;
/// "A million events in seconds."
const FLOOR: f64 = 200_000.0;

const RATE: &str = "events/s";
const FIGURES: &[Figure] = &[Figure::compared(RATE, 0), Figure::shown("peak memory, MiB", 0)];
const OURS: &str = "check-history";

/// What is done with the lines.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum How {
    /// They are checked.
    Check,
    /// They are read.
    Read,
}

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    let file = folder.path().join("history.jsonl");
    options.progress.preparing(format!("{LINES} lines are written"));
    write(&file)?;
    let side = |name, how| Side { name, how, file: file.clone() };
    let mut sides: Vec<Box<dyn Contestant>> =
        vec![Box::new(side(OURS, How::Check)), Box::new(side("JSON alone", How::Read))];
    let name = format!("{LINES} lines of {} clients", clients::CLIENTS);
    let comparison =
        Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress).await?;
    let floor = Floor::at_least(RATE, FLOOR, comparison.spread(OURS, RATE)?.median);
    Ok(Report { comparisons: vec![comparison], floors: vec![floor] })
}

fn write(path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for line in clients::lines(LINES) {
        parlor_history::write(&line, &mut file)?;
    }
    Ok(file.flush()?)
}

struct Side {
    name: &'static str,
    how: How,
    file: PathBuf,
}

#[async_trait]
impl Contestant for Side {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let how = self.how.to_possible_value().context("none is hidden")?;
        let own = std::env::current_exe()?;
        let mut command = Command::new(own);
        command.args([COMMAND, how.get_name()]).arg(&self.file);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout)?;
        told.split_whitespace().map(|number| Ok(number.parse()?)).collect()
    }
}

/// Reads or checks a file, and tells the figures of that. Another process reads what it prints.
pub fn take_in(how: How, path: &Path) -> Result<String> {
    let started = Instant::now();
    let lines = match how {
        How::Check => {
            let history = parlor_history::read(&[path])?;
            history.assert_good();
            history.lines().len()
        }
        How::Read => {
            let mut lines = 0;
            for line in BufReader::with_capacity(1 << 20, File::open(path)?).lines() {
                serde_json::from_str::<Value>(&line?)?;
                lines += 1;
            }
            lines
        }
    };
    let rate = lines as f64 / started.elapsed().as_secs_f64();
    let peak = Usage::own()?.peak_memory as f64 / f64::from(1 << 20);
    Ok(format!("{rate} {peak}"))
}
