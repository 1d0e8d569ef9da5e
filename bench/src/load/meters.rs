//! How long things took, and how many there were.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;

/// Those who measure are spread over so many locks.
const SHARDS: usize = 8;
/// Longest time that is told from a longer one, µs.
const LONGEST: u64 = 60_000_000;
/// Digits that are right: a part in a thousand.
const DIGITS: u8 = 3;

/// Histograms, in µs.
#[derive(Debug, Clone)]
pub struct Latencies {
    /// From when it was to be sent to its ack at the sender.
    pub ack: Histogram<u64>,
    /// From when it was to be sent to its entry at another member.
    pub delivery: Histogram<u64>,
}

impl Latencies {
    fn new() -> Self {
        let empty = || Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("the bounds are good");
        Self { ack: empty(), delivery: empty() }
    }

    fn clear(&mut self) {
        self.ack.reset();
        self.delivery.reset();
    }

    fn add(&mut self, other: &Self) {
        for (sum, more) in [(&mut self.ack, &other.ack), (&mut self.delivery, &other.delivery)] {
            sum.add(more).expect("all have the same bounds");
        }
    }
}

/// What everybody on one server has measured. Times are ns since `base`.
#[derive(Debug)]
pub struct Meters {
    base: Instant,
    /// The window: what was to be sent in it has its latency recorded, what comes in it counts for the rate.
    from: AtomicU64,
    to: AtomicU64,
    shards: Vec<Mutex<Latencies>>,
    /// Acks that came in the window.
    pub acked: AtomicU64,
    /// Entries that came to others in the window.
    pub delivered: AtomicU64,
    /// Those of them that had to be fetched.
    pub fetched: AtomicU64,
    failure: Mutex<Option<String>>,
}

/// What one batch of frames told.
#[derive(Debug, Default)]
pub struct Seen {
    /// When those were to be sent that were acked.
    pub acks: Vec<u64>,
    /// The same of entries of others.
    pub deliveries: Vec<u64>,
    /// How many of the entries were fetched.
    pub fetched: u64,
}

impl Meters {
    /// Nothing measured.
    pub fn new() -> Self {
        Self {
            base: Instant::now(),
            from: AtomicU64::new(u64::MAX),
            to: AtomicU64::new(u64::MAX),
            shards: (0..SHARDS).map(|_| Mutex::new(Latencies::new())).collect(),
            acked: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            fetched: AtomicU64::new(0),
            failure: Mutex::default(),
        }
    }

    /// ns since the base.
    pub fn now(&self) -> u64 {
        self.stamp(Instant::now())
    }

    fn stamp(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_nanos()).unwrap_or(u64::MAX)
    }

    /// A new window from `from` on.
    pub fn begin(&self, from: Instant, length: Duration) {
        for shard in &self.shards {
            lock(shard).clear();
        }
        for count in [&self.acked, &self.delivered, &self.fetched] {
            count.store(0, Ordering::Relaxed);
        }
        self.to.store(self.stamp(from + length), Ordering::Relaxed);
        self.from.store(self.stamp(from), Ordering::Relaxed);
    }

    /// What came at `now` to one of the `member`s.
    pub fn record(&self, member: usize, now: u64, seen: &Seen) {
        let window = self.from.load(Ordering::Relaxed)..self.to.load(Ordering::Relaxed);
        if window.contains(&now) {
            self.acked.fetch_add(seen.acks.len() as u64, Ordering::Relaxed);
            self.delivered.fetch_add(seen.deliveries.len() as u64, Ordering::Relaxed);
            self.fetched.fetch_add(seen.fetched, Ordering::Relaxed);
        }
        let mut latencies = lock(&self.shards[member % SHARDS]);
        let took = |sent: &u64| now.saturating_sub(*sent).div_ceil(1000);
        for sent in seen.acks.iter().filter(|sent| window.contains(sent)) {
            latencies.ack.saturating_record(took(sent));
        }
        for sent in seen.deliveries.iter().filter(|sent| window.contains(sent)) {
            latencies.delivery.saturating_record(took(sent));
        }
    }

    /// Everybody's, together.
    pub fn latencies(&self) -> Latencies {
        let mut sum = Latencies::new();
        for shard in &self.shards {
            sum.add(&lock(shard));
        }
        sum
    }

    /// Something went otherwise than it should: what is measured is worth nothing.
    pub fn fail(&self, why: String) {
        lock(&self.failure).get_or_insert(why);
    }

    /// Whether all went as it should.
    pub fn check(&self) -> Result<()> {
        if let Some(why) = lock(&self.failure).take() {
            bail!(why);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn seen(acks: &[u64], deliveries: &[u64]) -> Seen {
        Seen { acks: acks.to_vec(), deliveries: deliveries.to_vec(), fetched: 0 }
    }

    #[test]
    fn the_histogram_of_all_is_that_of_each_together() {
        let meters = Meters::new();
        meters.begin(meters.base, Duration::from_secs(10));
        for member in 0..100 {
            let took = (member as u64 + 1) * MS;
            meters.record(member, took, &seen(&[0], &[0, 0]));
        }
        let all = meters.latencies();
        assert_eq!((all.ack.len(), all.delivery.len()), (100, 200));
        let median = all.ack.value_at_quantile(0.5);
        assert!(median.abs_diff(50_000) <= 50, "{median} us");
        assert!(all.ack.max().abs_diff(100_000) <= 100);
        assert_eq!(meters.acked.load(Ordering::Relaxed), 100);
        meters.begin(meters.base, Duration::from_secs(10));
        assert_eq!(meters.latencies().ack.len(), 0);
        assert_eq!(meters.acked.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_window_counts_what_comes_in_it_and_times_what_was_to_be_sent_in_it() {
        let meters = Meters::new();
        meters.begin(meters.base + Duration::from_millis(100), Duration::from_millis(100));
        // Sent before, came within; sent within, came within; sent within, came long after.
        meters.record(0, 150 * MS, &seen(&[90 * MS], &[]));
        meters.record(1, 150 * MS, &seen(&[110 * MS], &[]));
        meters.record(2, 950 * MS, &seen(&[190 * MS], &[]));
        assert_eq!(meters.acked.load(Ordering::Relaxed), 2);
        let ack = meters.latencies().ack;
        assert_eq!(ack.len(), 2, "one of the three was to be sent before the window");
        assert!(ack.max() >= 760_000, "what was answered late is not left out: {} us", ack.max());
    }

    #[test]
    fn a_failure_is_told_once_and_it_is_the_first() {
        let meters = Meters::new();
        meters.check().unwrap();
        meters.fail("one".to_owned());
        meters.fail("two".to_owned());
        assert_eq!(meters.check().unwrap_err().to_string(), "one");
        meters.check().unwrap();
    }
}
