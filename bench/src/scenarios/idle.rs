//! Streams on which nothing happens: what they take of a server's memory.
//!
//! Each window starts a server anew, so that nothing is reused that an earlier one gave back. The kernel's share, buffers of
//! sockets, is not in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::traffic::PARLOR;
use super::{Options, folder};
use crate::accounts::{Account, Bearer};
use crate::bare::{self, Keep};
use crate::comparison::{Comparison, Contestant, Figure};
use crate::floors::Floor;
use crate::load::{Joining, Member, Meters, Saved};
use crate::parlor::Parlor;
use crate::processes::Process;
use crate::report::Report;

/// Streams opened at once.
const AT_ONCE: usize = 64;
/// After the last is open, what is still done comes to its end.
const SETTLE: Duration = Duration::from_secs(2);
/// Files that are open besides the connections.
const OTHER_FILES: usize = 500;
/// Bytes of a KB, here.
const KB: f64 = 1000.0;
/// KB of an idle stream.
const LIMIT: f64 = 45.0;

const MEMORY: &str = "KB of a stream";
const FIGURES: &[Figure] = &[
    Figure::compared(MEMORY, 1),
    Figure::shown("memory before, MiB", 1),
    Figure::shown("memory then, MiB", 1),
    Figure::shown("s to open all", 2),
    Figure::compared("server CPU, us to open one", 0),
];

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let streams = options.streams;
    allow_files(streams + OTHER_FILES)?;
    let folder = folder()?;
    options.progress.preparing(format!("{streams} people register"));
    let parlor = Parlor::new(folder.path()).await?;
    let accounts = parlor.people(streams).await?;
    let ours = Idle { accounts, server: Kind::Parlor(parlor) };
    let strangers = Account { user_id: String::new(), bearer: Bearer::default() };
    let bare = Kind::Bare(folder.path().to_owned());
    let theirs = Idle { accounts: vec![strangers; streams], server: bare };
    let mut sides: Vec<Box<dyn Contestant>> = vec![Box::new(ours), Box::new(theirs)];
    let name = format!("{streams} idle streams");
    let comparison =
        Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress).await?;
    let floor = Floor::at_most(MEMORY, LIMIT, comparison.spread(PARLOR, MEMORY)?.median);
    Ok(Report { comparisons: vec![comparison], floors: vec![floor] })
}

/// Servers get what this process may have.
fn allow_files(wanted: usize) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= wanted as u64);
    ensure!(enough(limit.maximum), "so many streams want more open files: `ulimit -Hn {wanted}`");
    if !enough(limit.current) {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })
            .context("more open files are not to be had")?;
    }
    Ok(())
}

/// What is started for each window.
enum Kind {
    Parlor(Parlor),
    Bare(PathBuf),
}

impl Kind {
    async fn start(&self) -> Result<Process> {
        match self {
            Self::Parlor(parlor) => parlor.start().await,
            Self::Bare(folder) => bare::start(Keep::Nothing, Path::new(folder)).await,
        }
    }
}

struct Idle {
    accounts: Vec<Account>,
    server: Kind,
}

impl Idle {
    async fn open(&self, server: &Process) -> Result<Vec<Member>> {
        let meters = Arc::new(Meters::new());
        let join = |(number, account): (usize, Account)| {
            let meters = Arc::clone(&meters);
            async move {
                let joining = Joining {
                    channel: server.channel().await?,
                    bearer: account.bearer,
                    conversation: format!("nothing.{number}"),
                    saved: Saved::default(),
                    at_once: 1,
                    number,
                    meters,
                };
                let member = Member::join(joining).await?;
                member.synced().await?;
                anyhow::Ok(member)
            }
        };
        let all: Vec<_> = self.accounts.iter().cloned().enumerate().map(join).collect();
        stream::iter(all).buffer_unordered(AT_ONCE).try_collect().await
    }
}

#[async_trait]
impl Contestant for Idle {
    fn name(&self) -> &'static str {
        match self.server {
            Kind::Parlor(_) => PARLOR,
            Kind::Bare(_) => Keep::Nothing.name(),
        }
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let server = self.server.start().await?;
        tokio::time::sleep(SETTLE).await;
        let before = server.usage()?;
        let start = Instant::now();
        let members = self.open(&server).await?;
        let took = start.elapsed();
        let opened = server.usage()?;
        tokio::time::sleep(SETTLE).await;
        let then = server.usage()?;
        drop(members);
        server.stop().await?;
        let (streams, mib) = (self.accounts.len() as f64, f64::from(1 << 20));
        Ok(vec![
            (then.memory as f64 - before.memory as f64) / KB / streams,
            before.memory as f64 / mib,
            then.memory as f64 / mib,
            took.as_secs_f64(),
            (opened.processor - before.processor) * 1e6 / streams,
        ])
    }
}
