//! Uploads: 64 people upload a file of 16 MiB each, at once, 1 GiB in all. Compared is a bare server that writes the parts
//! of a file by position and syncs it at the end. What a window made is deleted before the next.

mod upload;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use async_trait::async_trait;
use futures_util::future::try_join_all;

use self::upload::{Content, Uploader};
use super::traffic::PARLOR;
use super::{Options, folder};
use crate::accounts::{Account, Bearer};
use crate::bare::media::COMMAND;
use crate::comparison::{Comparison, Contestant, Figure};
use crate::parlor::Parlor;
use crate::processes::Process;
use crate::report::Report;

/// Uploads at once.
const UPLOADS: usize = 64;
/// Bytes of each.
const FILE_BYTES: usize = 16 * MIB;
const MIB: usize = 1024 * 1024;

const FIGURES: &[Figure] = &[
    Figure::compared("MiB/s", 1),
    Figure::compared("server CPU, s/GiB", 2),
    Figure::shown("written, bytes/byte", 2),
    Figure::shown("peak memory, MiB", 1),
];

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    let content = Arc::new(Content::random(FILE_BYTES));
    options.progress.preparing(format!("{UPLOADS} people register"));
    let parlor = Parlor::new(folder.path()).await?;
    let accounts = parlor.people(UPLOADS).await?;
    let ours = Uploads::new(PARLOR, parlor.start().await?, &accounts, &content).await?;
    let strangers = vec![Account { user_id: String::new(), bearer: Bearer::default() }; UPLOADS];
    let server = bare(folder.path()).await?;
    let theirs = Uploads::new("bare, file", server, &strangers, &content).await?;
    let mut sides: Vec<Box<dyn Contestant>> = vec![Box::new(ours), Box::new(theirs)];
    let name = format!("{UPLOADS} uploads of {} MiB at once", FILE_BYTES / MIB);
    let comparison = Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress);
    Ok(Report { comparisons: vec![comparison.await?], floors: Vec::new() })
}

async fn bare(folder: &Path) -> Result<Process> {
    let arguments: [OsString; 2] = [COMMAND.into(), folder.join(COMMAND).into()];
    Process::start(&std::env::current_exe()?, &arguments, &folder.join("bare-media.log")).await
}

/// A server, and those who upload to it.
struct Uploads {
    name: &'static str,
    server: Process,
    uploaders: Vec<Uploader>,
    content: Arc<Content>,
}

impl Uploads {
    async fn new(
        name: &'static str,
        server: Process,
        accounts: &[Account],
        content: &Arc<Content>,
    ) -> Result<Self> {
        let mut uploaders = Vec::new();
        for account in accounts {
            uploaders.push(Uploader::new(server.channel().await?, account.bearer.clone()));
        }
        Ok(Self { name, server, uploaders, content: Arc::clone(content) })
    }
}

#[async_trait]
impl Contestant for Uploads {
    fn name(&self) -> &'static str {
        self.name
    }

    /// From the first call to the last answer.
    async fn window(&mut self) -> Result<Vec<f64>> {
        let before = self.server.usage()?;
        let start = Instant::now();
        let uploads = self.uploaders.iter().map(|uploader| {
            let (uploader, content) = (uploader.clone(), Arc::clone(&self.content));
            async move { tokio::spawn(async move { uploader.upload(content).await }).await? }
        });
        let uploads: Vec<_> = uploads.collect();
        let ids = try_join_all(uploads).await?;
        let took = start.elapsed();
        let after = self.server.usage()?;
        for (uploader, id) in self.uploaders.iter().zip(ids) {
            uploader.delete(id).await?;
        }
        let bytes = (UPLOADS * FILE_BYTES) as f64;
        let gib = bytes / (1024 * MIB) as f64;
        Ok(vec![
            bytes / MIB as f64 / took.as_secs_f64(),
            (after.processor - before.processor) / gib,
            (after.written - before.written) as f64 / bytes,
            after.peak_memory as f64 / MIB as f64,
        ])
    }
}
