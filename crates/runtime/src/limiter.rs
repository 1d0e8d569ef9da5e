//! Rate limits: a generic cell rate algorithm per key, in a map that cannot grow without bound (G8).
//!
//! A bucket is one time, the "theoretical arrival time" of the next request, so an idle bucket is one that can be
//! forgotten: forgetting it changes nothing. Time is passed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many requests at once, and how many per second after that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests that may come at once; at least 1.
    pub burst: u32,
    /// Requests per second that may follow for ever; above 0, may be below 1.
    pub per_second: f64,
}

impl Rate {
    /// Whether the numbers can be kept: `burst` of at least 1, `per_second` between one a day and a million.
    #[must_use]
    pub fn is_valid(self) -> bool {
        const SLOWEST: f64 = 1.0 / 86_400.0;
        const FASTEST: f64 = 1e6;
        self.burst >= 1 && (SLOWEST..=FASTEST).contains(&self.per_second)
    }

    /// Time between two requests at the steady rate.
    fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second)
    }
}

/// Buckets by key. When it is full it forgets idle keys first and the worst offenders last, so it fails open.
#[derive(Debug)]
pub struct Limiter<K> {
    capacity: usize,
    /// When each bucket is full again.
    buckets: Mutex<HashMap<K, Instant>>,
}

impl<K: Copy + Eq + Hash> Limiter<K> {
    /// A limiter that remembers at most `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(2), buckets: Mutex::default() }
    }

    /// Takes one request out of the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait until there is one; nothing is taken.
    pub fn take(&self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = next(&buckets, &key, rate, now)?;
        if buckets.len() >= self.capacity && !buckets.contains_key(&key) {
            evict(&mut buckets, self.capacity, now);
        }
        buckets.insert(key, full_at);
        Ok(())
    }

    /// Whether [`Limiter::take`] would succeed.
    ///
    /// # Errors
    /// How long to wait until it does.
    pub fn check(&self, key: K, rate: Rate, now: Instant) -> Result<(), Duration> {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        next(&buckets, &key, rate, now).map(drop)
    }
}

/// When the bucket is full again once one more request is taken out of it.
fn next<K: Eq + Hash>(
    buckets: &HashMap<K, Instant>,
    key: &K,
    rate: Rate,
    now: Instant,
) -> Result<Instant, Duration> {
    let interval = rate.interval();
    let full_at = buckets.get(key).copied().unwrap_or(now).max(now) + interval;
    let wait = full_at.saturating_duration_since(now).saturating_sub(interval * rate.burst);
    if wait.is_zero() { Ok(full_at) } else { Err(wait) }
}

/// Forgets the buckets that are full again. If that is not enough, then also those nearest to it, down to half of the
/// capacity, so that the work is spread over many requests and the worst offenders stay remembered.
fn evict<K>(buckets: &mut HashMap<K, Instant>, capacity: usize, now: Instant) {
    buckets.retain(|_, full_at| *full_at > now);
    let keep = capacity / 2;
    if buckets.len() <= keep {
        return;
    }
    let mut times: Vec<_> = buckets.values().copied().collect();
    let cut = times.len() - keep;
    let (_, &mut newest_dropped, _) = times.select_nth_unstable(cut - 1);
    buckets.retain(|_, full_at| *full_at > newest_dropped);
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 3, per_second: 2.0 };

    #[test]
    fn a_burst_passes_then_the_steady_rate() {
        let limiter = Limiter::new(16);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(limiter.take("ada", RATE, start), Ok(()));
        }
        assert_eq!(limiter.take("ada", RATE, start), Err(Duration::from_millis(500)));
        assert_eq!(limiter.take("ben", RATE, start), Ok(()), "keys do not share a bucket");

        let later = start + Duration::from_millis(500);
        assert_eq!(limiter.take("ada", RATE, later), Ok(()));
        assert_eq!(limiter.take("ada", RATE, later), Err(Duration::from_millis(500)));
    }

    #[test]
    fn the_advised_wait_is_enough_and_no_less_is() {
        let limiter = Limiter::new(16);
        let start = Instant::now();
        while limiter.take((), RATE, start).is_ok() {}
        let wait = limiter.take((), RATE, start).unwrap_err();
        let just_before = start + wait - Duration::from_nanos(1);
        assert!(limiter.take((), RATE, just_before).is_err());
        assert!(limiter.take((), RATE, start + wait).is_ok());
    }

    #[test]
    fn a_refusal_and_a_check_cost_nothing() {
        let limiter = Limiter::new(16);
        let start = Instant::now();
        (0..100).for_each(|_| assert_eq!(limiter.check((), RATE, start), Ok(())));
        (0..3).for_each(|_| assert_eq!(limiter.take((), RATE, start), Ok(())));
        assert_eq!(limiter.check((), RATE, start), Err(Duration::from_millis(500)));
        let waits: Vec<_> = (0..100).map(|_| limiter.take((), RATE, start).unwrap_err()).collect();
        assert!(waits.iter().all(|wait| *wait == Duration::from_millis(500)), "{waits:?}");
    }

    #[test]
    fn g8_the_map_is_bounded_and_remembers_the_worst() {
        const CAPACITY: usize = 64;
        let limiter = Limiter::new(CAPACITY);
        let start = Instant::now();
        while limiter.take(0, RATE, start).is_ok() {}
        for key in 1..10_000 {
            limiter.take(key, RATE, start).unwrap();
            assert!(limiter.buckets.lock().unwrap().len() <= CAPACITY);
        }
        assert!(limiter.take(0, RATE, start).is_err(), "the one that is out of requests was forgotten");
    }

    #[test]
    fn what_counts_as_a_rate() {
        assert!(Rate { burst: 1, per_second: 0.05 }.is_valid());
        for (burst, per_second) in [(0, 1.0), (1, 0.0), (1, -1.0), (1, f64::NAN), (1, f64::INFINITY)] {
            assert!(!Rate { burst, per_second }.is_valid(), "{burst} {per_second}");
        }
    }
}
