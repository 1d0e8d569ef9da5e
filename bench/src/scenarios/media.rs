//! Uploads: 64 people upload a file of 16 MiB each, at once, to `parlor-server` and to a [`bare`] server.
//!
//! The two take turns, so that what else the machine does befalls both. What a window made is deleted before the next.

pub mod bare;
mod upload;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use serde::Serialize;
use tempfile::TempDir;

use self::upload::{Content, Uploader};
use super::Options;
use crate::median::median;
use crate::processes::{Process, parlor_server};
use crate::registration::{self, Bearer, register};
use crate::report::{Report, Table};

/// Uploads at once.
const UPLOADS: usize = 64;
/// Bytes of each.
const FILE_BYTES: usize = 16 * MIB;
/// Bytes of a part.
const PART_BYTES: u32 = 256 * 1024;
const MIB: usize = 1024 * 1024;

/// Settings without which the server refuses so much in so short a time.
const SETTINGS: &[&str] = &["media.uploads_per_day=1000000", "media.bytes_per_day=1099511627776"];

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Measured {
    scenario: &'static str,
    uploads: usize,
    file_bytes: usize,
    windows: Vec<Window>,
    /// Of the ratios of the windows: how much of the bare server's throughput there is.
    median_ratio: f64,
    parlor: Costs,
    bare: Costs,
}

/// Both sides, one after the other: MiB per second.
#[derive(Debug, Serialize)]
struct Window {
    parlor: f64,
    bare: f64,
}

/// What a server took, over all windows.
#[derive(Debug, Serialize)]
struct Costs {
    /// The most its resident set has been.
    peak_memory_bytes: u64,
    /// Of the server and its children.
    processor_seconds_per_gib: f64,
}

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    // Beside the program: what is for passing files may lie in memory.
    let own = std::env::current_exe()?;
    let folder = tempfile::tempdir_in(own.parent().context("a program lies in a folder")?)?;
    let content = Arc::new(Content::random(FILE_BYTES));
    let parlor = Side::parlor(&folder).await?;
    let bare = Side::bare(&own, &folder).await?;
    for side in [&parlor, &bare] {
        side.window(&content).await?;
    }
    let (of_parlor, of_bare) = (parlor.server.processor_time()?, bare.server.processor_time()?);
    let mut windows = Vec::new();
    for number in 0..options.windows {
        // Who comes first takes turns too.
        let window = if number % 2 == 0 {
            let parlor = parlor.window(&content).await?;
            Window { parlor, bare: bare.window(&content).await? }
        } else {
            let bare = bare.window(&content).await?;
            Window { parlor: parlor.window(&content).await?, bare }
        };
        windows.push(window);
    }
    let ratios = windows.iter().map(|window| window.parlor / window.bare);
    let measured = Measured {
        scenario: "media",
        uploads: UPLOADS,
        file_bytes: FILE_BYTES,
        median_ratio: median(ratios).context("there is at least one window")?,
        parlor: parlor.costs(of_parlor, windows.len())?,
        bare: bare.costs(of_bare, windows.len())?,
        windows,
    };
    Report::new(&measured, &table(&measured))
}

/// A server, and those who upload to it.
struct Side {
    server: Process,
    uploaders: Vec<Uploader>,
}

impl Side {
    async fn parlor(folder: &TempDir) -> Result<Self> {
        let mut arguments: Vec<OsString> = ["--listen", "127.0.0.1:0", "--data"].map(OsString::from).to_vec();
        arguments.push(folder.path().join("parlor").into());
        for setting in registration::SETTINGS.iter().chain(SETTINGS) {
            arguments.extend(["--set", setting].map(OsString::from));
        }
        let program = parlor_server().await?;
        let server = Process::start(&program, &arguments, &folder.path().join("parlor.log")).await?;
        let mut uploaders = Vec::new();
        for number in 0..UPLOADS {
            let channel = server.channel().await?;
            uploaders.push(Uploader::new(channel.clone(), register(channel, number).await?));
        }
        Ok(Self { server, uploaders })
    }

    async fn bare(own: &Path, folder: &TempDir) -> Result<Self> {
        let arguments = [crate::BARE.into(), folder.path().join("bare").into_os_string()];
        let server = Process::start(own, &arguments, &folder.path().join("bare.log")).await?;
        let channels = try_join_all((0..UPLOADS).map(|_| server.channel())).await?;
        let uploaders =
            channels.into_iter().map(|channel| Uploader::new(channel, Bearer::default())).collect();
        Ok(Self { server, uploaders })
    }

    /// MiB per second, from the first call to the last answer.
    async fn window(&self, content: &Arc<Content>) -> Result<f64> {
        let start = Instant::now();
        let uploads = self.uploaders.iter().map(|uploader| {
            let (uploader, content) = (uploader.clone(), Arc::clone(content));
            async move { tokio::spawn(async move { uploader.upload(content).await }).await? }
        });
        let ids = try_join_all(uploads).await?;
        let took = start.elapsed();
        for (uploader, id) in self.uploaders.iter().zip(ids) {
            uploader.delete(id).await?;
        }
        Ok((UPLOADS * FILE_BYTES / MIB) as f64 / took.as_secs_f64())
    }

    fn costs(&self, before: f64, windows: usize) -> Result<Costs> {
        let gib = (windows * UPLOADS * FILE_BYTES) as f64 / (1024 * MIB) as f64;
        Ok(Costs {
            peak_memory_bytes: self.server.peak_memory()?,
            processor_seconds_per_gib: (self.server.processor_time()? - before) / gib,
        })
    }
}

fn table(measured: &Measured) -> Table {
    let row = |name: &str, parlor: f64, bare: f64| {
        vec![name.to_owned(), format!("{parlor:.1}"), format!("{bare:.1}"), format!("{:.2}", parlor / bare)]
    };
    let of = |side: fn(&Window) -> f64| median(measured.windows.iter().map(side)).unwrap_or_default();
    let mib = |costs: &Costs| costs.peak_memory_bytes as f64 / MIB as f64;
    let head = format!("{} uploads of {} MiB at once", measured.uploads, measured.file_bytes / MIB);
    let mut rows = vec![[head.as_str(), "parlor", "bare", "ratio"].map(str::to_owned).to_vec()];
    rows.extend(measured.windows.iter().map(|window| row("  MiB/s, a window", window.parlor, window.bare)));
    let mut middle = row("  MiB/s, median", of(|window| window.parlor), of(|window| window.bare));
    // Of the ratios: each compares what was measured at one time.
    middle[3] = format!("{:.2}", measured.median_ratio);
    rows.push(middle);
    rows.push(row("  peak memory, MiB", mib(&measured.parlor), mib(&measured.bare)));
    let seconds = |costs: &Costs| costs.processor_seconds_per_gib;
    rows.push(row("  processor seconds per GiB", seconds(&measured.parlor), seconds(&measured.bare)));
    Table(rows)
}
