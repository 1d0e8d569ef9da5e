//! When files without a verdict are tried again: after a first wait, then after twice as long each time, up to a longest.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parlor_types::MediaId;

/// Files that are remembered at once, about 50 bytes each; of more the waits are forgotten, so that they are tried each
/// time.
const REMEMBERED: usize = 10_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Retries {
    first: Duration,
    longest: Duration,
    waiting: HashMap<MediaId, Waiting>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    until: Instant,
    wait: Duration,
}

impl Retries {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, waiting: HashMap::new() }
    }

    /// Whether it is to be tried now.
    pub(super) fn is_due(&self, now: Instant, id: MediaId) -> bool {
        self.waiting.get(&id).is_none_or(|waiting| waiting.until <= now)
    }

    /// It was tried, in vain.
    pub(super) fn failed(&mut self, now: Instant, id: MediaId) {
        let wait = self.waiting.get(&id).map_or(self.first, |waiting| waiting.wait * 2).min(self.longest);
        if self.waiting.len() < REMEMBERED || self.waiting.contains_key(&id) {
            self.waiting.insert(id, Waiting { until: now + wait, wait });
        }
    }

    /// It has its verdict, or is gone.
    pub(super) fn forget(&mut self, id: MediaId) {
        self.waiting.remove(&id);
    }

    /// Forgets those that are long due: nobody has tried them, so they are gone.
    pub(super) fn tidy(&mut self, now: Instant) {
        let longest = self.longest;
        self.waiting.retain(|_, waiting| waiting.until + longest > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const LONGEST: Duration = Duration::from_secs(60);

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut retries = Retries::new(FIRST, LONGEST);
        let (id, mut now) = (MediaId::new(), Instant::now());
        assert!(retries.is_due(now, id));
        for wait in [10, 20, 40, 60, 60] {
            retries.failed(now, id);
            let due = now + Duration::from_secs(wait);
            assert!(!retries.is_due(due - Duration::from_nanos(1), id), "before {wait} s");
            assert!(retries.is_due(due, id), "after {wait} s");
            assert!(retries.is_due(now, MediaId::new()), "others do not wait for it");
            now = due;
        }
        retries.forget(id);
        assert!(retries.is_due(now, id));
    }

    #[test]
    fn g8_what_is_remembered_has_a_bound_and_an_end() {
        let mut retries = Retries::new(FIRST, LONGEST);
        let start = Instant::now();
        for _ in 0..=REMEMBERED {
            retries.failed(start, MediaId::new());
        }
        assert_eq!(retries.waiting.len(), REMEMBERED, "G8");
        retries.tidy(start + FIRST);
        assert_eq!(retries.waiting.len(), REMEMBERED);
        retries.tidy(start + FIRST + LONGEST);
        assert_eq!(retries.waiting.len(), 0);
    }
}
