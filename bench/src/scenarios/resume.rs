//! People come back at once, as after a network was gone: how long until all have what they missed.
//!
//! In groups of 11, one goes on writing while ten are away. Then all of those connect with what they have saved, learn what
//! has grown, and fetch it. The bare server knows where its conversations are and reads a table.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;

use super::traffic::PARLOR;
use super::{Options, folder};
use crate::accounts::Bearer;
use crate::bare::{self, Keep};
use crate::comparison::{Comparison, Contestant, Figure};
use crate::load::{Joining, Member, Meters, Saved};
use crate::parlor::{Conversation, Parlor};
use crate::processes::Process;
use crate::report::Report;

/// Groups.
const GROUPS: usize = 100;
/// In each, one who stays and ten who go.
const SIZE: usize = 11;
/// Messages that each of them misses.
const MISSED: usize = 50;
/// Of those, unanswered at a time.
const AT_ONCE: usize = 16;

const FIGURES: &[Figure] = &[
    Figure::compared("s until all have all", 3),
    Figure::shown("s until one has all, p50", 3),
    Figure::shown("s until one has all, p99", 3),
    Figure::shown("missed messages/s", 0),
    Figure::compared("server CPU, ms per person", 2),
    Figure::shown("peak memory, MiB", 1),
];

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    let mut sides = sides(&options, folder.path()).await?;
    let away = GROUPS * (SIZE - 1);
    let name = format!("{away} people come back, {MISSED} messages missed each");
    let comparison = Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress);
    Ok(Report { comparisons: vec![comparison.await?], floors: Vec::new() })
}

async fn sides(options: &Options, folder: &Path) -> Result<Vec<Box<dyn Contestant>>> {
    options.progress.preparing(format!("{} people register", GROUPS * SIZE));
    let parlor = Parlor::new(folder).await?;
    let conversations = parlor.conversations(GROUPS, SIZE).await?;
    options.progress.preparing("they connect to each server");
    let ours = Resume::new(PARLOR, parlor.start().await?, &conversations).await?;
    let server = bare::start(Keep::Sqlite, folder).await?;
    let theirs = Resume::new(Keep::Sqlite.name(), server, &conversations).await?;
    Ok(vec![Box::new(ours), Box::new(theirs)])
}

struct Resume {
    name: &'static str,
    server: Process,
    meters: Arc<Meters>,
    groups: Vec<Group>,
}

/// A group: one who stays, and those who are away.
struct Group {
    writer: Member,
    away: Vec<Away>,
}

struct Away {
    number: usize,
    conversation: String,
    bearer: Bearer,
    saved: Saved,
}

impl Away {
    async fn join(&self, server: &Process, meters: &Arc<Meters>) -> Result<Member> {
        let joining = Joining {
            channel: server.channel().await?,
            bearer: self.bearer.clone(),
            conversation: self.conversation.clone(),
            saved: self.saved.clone(),
            at_once: AT_ONCE,
            number: self.number,
            meters: Arc::clone(meters),
        };
        Member::join(joining).await
    }
}

impl Resume {
    async fn new(name: &'static str, server: Process, conversations: &[Conversation]) -> Result<Self> {
        let meters = Arc::new(Meters::new());
        let mut groups = Vec::new();
        for (index, conversation) in conversations.iter().enumerate() {
            let member = |(place, account): (usize, &crate::accounts::Account)| Away {
                number: index * SIZE + place,
                conversation: conversation.id.clone(),
                bearer: account.bearer.clone(),
                saved: Saved::default(),
            };
            let mut away: Vec<Away> = conversation.members.iter().enumerate().map(member).collect();
            // Everybody was there once, and has something saved.
            for member in &mut away {
                let joined = member.join(&server, &meters).await?;
                joined.synced().await?;
                member.saved = joined.leave().await;
            }
            let writer = away.remove(0).join(&server, &meters).await?;
            writer.synced().await?;
            groups.push(Group { writer, away });
        }
        Ok(Self { name, server, meters, groups })
    }

    /// Those who stayed write; up to where their group has come then.
    async fn write(&self) -> Result<Vec<u64>> {
        for group in &self.groups {
            group.writer.offer(self.meters.now(), MISSED);
        }
        try_join_all(self.groups.iter().map(|group| group.writer.idle())).await?;
        let head = |group: &Group| group.writer.have().context("whoever writes has what it wrote");
        self.groups.iter().map(head).collect()
    }
}

#[async_trait]
impl Contestant for Resume {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let heads = self.write().await?;
        let before = self.server.usage()?;
        let start = Instant::now();
        let (server, meters) = (&self.server, &self.meters);
        let all = self.groups.iter().zip(heads).flat_map(|(group, head)| {
            group.away.iter().map(move |away| async move {
                let member = away.join(server, meters).await?;
                member.synced().await?;
                member.has(head).await?;
                anyhow::Ok((member, start.elapsed()))
            })
        });
        let all: Vec<_> = all.collect();
        let back = try_join_all(all).await?;
        let took = start.elapsed().as_secs_f64();
        let after = self.server.usage()?;
        let mut waits = Histogram::<u64>::new(3)?;
        let mut back = back.into_iter();
        for away in self.groups.iter_mut().flat_map(|group| &mut group.away) {
            let (member, wait) = back.next().context("all have come back")?;
            waits.record(u64::try_from(wait.as_micros())?.max(1))?;
            away.saved = member.leave().await;
        }
        let people = waits.len() as f64;
        let seconds = |quantile| waits.value_at_quantile(quantile) as f64 / 1e6;
        Ok(vec![
            took,
            seconds(0.5),
            seconds(0.99),
            people * MISSED as f64 / took,
            (after.processor - before.processor) * 1e3 / people,
            after.peak_memory as f64 / f64::from(1 << 20),
        ])
    }
}
