//! Messages on one server, window by window.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep_until, timeout};

use super::Options;
use crate::bare::{self, Keep};
use crate::comparison::{Contestant, Figure};
use crate::load::{Joining, Latencies, Member, Meters, Saved, Schedule, offer_on};
use crate::parlor::{Conversation, Parlor};
use crate::processes::{Process, Usage};

/// What is said before a window is not measured: caches and queues fill.
const RAMP: Duration = Duration::from_millis(500);
/// How long what was sent may take to arrive after the window.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);
/// How often one looks whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Unanswered appends that `parlor-server` allows on a stream: of an open loop, more wait at the sender.
const MOST_UNANSWERED: usize = 32;

/// What `parlor-server` goes by.
pub const PARLOR: &str = "parlor";
/// Acks a second.
pub const MESSAGES: &str = "messages/s";
/// Entries at others a second.
pub const DELIVERIES: &str = "deliveries/s";
/// How late one of a hundred is.
pub const DELIVERY_P99: &str = "delivery p99, ms";
/// What a message takes of the server.
pub const PROCESSOR: &str = "server CPU, us/message";

/// What is measured of each window.
pub const FIGURES: &[Figure] = &[
    Figure::compared(MESSAGES, 0),
    Figure::shown(DELIVERIES, 0),
    Figure::kept("ack mean, ms", 2),
    Figure::shown("ack p50, ms", 2),
    Figure::kept("ack p90, ms", 2),
    Figure::shown("ack p99, ms", 2),
    Figure::kept("ack p99.9, ms", 2),
    Figure::kept("ack max, ms", 2),
    Figure::kept("delivery mean, ms", 2),
    Figure::shown("delivery p50, ms", 2),
    Figure::kept("delivery p90, ms", 2),
    Figure::shown(DELIVERY_P99, 2),
    Figure::kept("delivery p99.9, ms", 2),
    Figure::shown("delivery max, ms", 2),
    Figure::compared(PROCESSOR, 1),
    Figure::shown("written, bytes/message", 0),
    Figure::shown("peak memory, MiB", 1),
    Figure::kept("deliveries that were fetched, share", 4),
];

/// When people write.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// So many unanswered each: an answer, and the next goes out.
    Closed(usize),
    /// So many a second in all.
    Open(f64),
}

/// Who is there, and who of them writes when.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// How many conversations.
    pub conversations: usize,
    /// Of how many people.
    pub size: usize,
    /// How many of these write.
    pub writers: usize,
    /// When.
    pub pace: Pace,
}

/// A server, and those who talk on it.
pub struct Traffic {
    name: &'static str,
    shape: Shape,
    length: Duration,
    server: Process,
    members: Vec<Arc<Member>>,
    writers: Vec<Arc<Member>>,
    meters: Arc<Meters>,
    /// Written in all windows.
    written: u64,
}

impl Traffic {
    /// All sides: `parlor-server` first, then bare servers that keep what these say.
    pub async fn sides(
        options: &Options,
        folder: &Path,
        shape: Shape,
        bare: &[Keep],
    ) -> Result<Vec<Box<dyn Contestant>>> {
        let people = shape.conversations * shape.size;
        options.progress.preparing(format!("{people} people register"));
        let parlor = Parlor::new(folder).await?;
        let conversations = parlor.conversations(shape.conversations, shape.size).await?;
        options.progress.preparing(format!("{people} people connect to each server"));
        let length = options.window;
        let ours = Self::new(PARLOR, parlor.start().await?, shape, length, &conversations).await?;
        let mut sides: Vec<Box<dyn Contestant>> = vec![Box::new(ours)];
        for keep in bare {
            let server = bare::start(*keep, folder).await?;
            let side = Self::new(keep.name(), server, shape, length, &conversations).await?;
            sides.push(Box::new(side));
        }
        Ok(sides)
    }

    /// On a server that is there, with people who are registered.
    pub async fn new(
        name: &'static str,
        server: Process,
        shape: Shape,
        length: Duration,
        conversations: &[Conversation],
    ) -> Result<Self> {
        let meters = Arc::new(Meters::new());
        let at_once = match shape.pace {
            Pace::Closed(at_once) => at_once,
            Pace::Open(_) => MOST_UNANSWERED,
        };
        let (mut members, mut writers) = (Vec::new(), Vec::new());
        for conversation in conversations {
            for (place, account) in conversation.members.iter().enumerate() {
                let joining = Joining {
                    channel: server.channel().await?,
                    bearer: account.bearer.clone(),
                    conversation: conversation.id.clone(),
                    saved: Saved::default(),
                    at_once,
                    number: members.len(),
                    meters: Arc::clone(&meters),
                };
                let member = Arc::new(Member::join(joining).await?);
                if place < shape.writers {
                    writers.push(Arc::clone(&member));
                }
                members.push(member);
            }
        }
        try_join_all(members.iter().map(|member| member.synced())).await?;
        Ok(Self { name, shape, length, server, members, writers, meters, written: 0 })
    }

    /// Lets the writers write from now until `end`.
    async fn write_until(&self, end: Instant) -> Result<()> {
        match self.shape.pace {
            Pace::Closed(at_once) => {
                for writer in &self.writers {
                    writer.talk(at_once);
                }
                sleep_until(end).await;
                for writer in &self.writers {
                    writer.fall_silent();
                }
            }
            Pace::Open(rate) => {
                let going = Arc::new(AtomicBool::new(true));
                let schedule = Schedule::new(self.meters.now(), rate);
                let (meters, writers) = (Arc::clone(&self.meters), self.writers.clone());
                let offering = offer_on(schedule, meters, writers, Arc::clone(&going));
                sleep_until(end).await;
                going.store(false, Ordering::Relaxed);
                let ended = tokio::task::spawn_blocking(|| offering.join()).await?;
                ensure!(ended.is_ok(), "the sender panicked");
            }
        }
        Ok(())
    }

    /// Waits until every message is acked and with every other member.
    async fn settle(&mut self) -> Result<()> {
        try_join_all(self.writers.iter().map(|writer| writer.idle())).await?;
        let arrived = async {
            loop {
                let heads = self.members.chunks(self.shape.size).all(|members| {
                    let have = |member: &Arc<Member>| member.have();
                    members.iter().all(|member| have(member) == have(&members[0]))
                });
                if heads || self.meters.check().is_err() {
                    return;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let arrived = timeout(SETTLE_WITHIN, arrived).await;
        self.meters.check()?;
        ensure!(arrived.is_ok(), "not everybody got everything within {SETTLE_WITHIN:?}");
        Ok(())
    }

    fn values(&self, before: Usage, after: Usage, seconds: f64) -> Vec<f64> {
        let meters = &self.meters;
        let [acked, delivered, fetched] = [&meters.acked, &meters.delivered, &meters.fetched]
            .map(|count| count.load(Ordering::Relaxed) as f64);
        let Latencies { ack, delivery } = meters.latencies();
        let mut values = vec![acked / seconds, delivered / seconds];
        for histogram in [ack, delivery] {
            let ms = |us: f64| us / 1000.0;
            values.push(ms(histogram.mean()));
            for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
                values.push(ms(histogram.value_at_quantile(quantile) as f64));
            }
        }
        values.push((after.processor - before.processor) * 1e6 / acked);
        values.push((after.written - before.written) as f64 / acked);
        values.push(after.peak_memory as f64 / f64::from(1 << 20));
        values.push(fetched / delivered.max(1.0));
        values
    }
}

#[async_trait]
impl Contestant for Traffic {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let from = Instant::now() + RAMP;
        let to = from + self.length;
        self.meters.begin(from.into_std(), self.length);
        let measured = async {
            sleep_until(from).await;
            let before = self.server.usage()?;
            sleep_until(to).await;
            anyhow::Ok((before, self.server.usage()?))
        };
        let ((before, after), ()) = tokio::try_join!(measured, self.write_until(to))?;
        self.settle().await?;
        self.written += after.written - before.written;
        Ok(self.values(before, after, self.length.as_secs_f64()))
    }
}
