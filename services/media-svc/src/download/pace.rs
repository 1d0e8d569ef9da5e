//! How fast a reader must be: whoever holds a place makes others wait.

use std::time::Duration;

use tokio::time::Instant;

/// A reader may be slower than the least rate for so long, counted from its beginning.
const GRACE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A reader that takes nothing for so long is let go,
    pub patience: Duration,
    /// and so is one that, after its first minute, has taken fewer bytes per second than this since it began (0: any rate will do),
    pub least_rate: u64,
    /// and one that has taken so long.
    pub longest: Duration,
}

impl Pace {
    /// By when a reader that began at `began` and has taken so many bytes must take the next, if it is `now`.
    #[must_use]
    pub fn next_by(&self, began: Instant, now: Instant, taken: u64) -> Instant {
        let by = (now + self.patience).min(began + self.longest);
        match taken.saturating_mul(1000).checked_div(self.least_rate) {
            Some(earned) => by.min(began + GRACE + Duration::from_millis(earned).min(self.longest)),
            None => by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace =
        Pace { patience: Duration::from_secs(50), least_rate: 1000, longest: Duration::from_secs(500) };

    #[test]
    fn g8_the_nearest_end_counts() {
        let began = Instant::now();
        let seconds = Duration::from_secs;
        let by = |after, taken| PACE.next_by(began, began + seconds(after), taken) - began;
        assert_eq!(by(0, 0), seconds(50), "patience");
        assert_eq!(by(40, 10_000), seconds(70), "G8: ten seconds are earned beyond the first minute");
        assert_eq!(by(40, 1_000_000), seconds(90), "patience");
        assert_eq!(by(480, u64::MAX), seconds(500), "G8: the longest life");
        let any = Pace { least_rate: 0, ..PACE };
        assert_eq!(any.next_by(began, began + seconds(300), 0) - began, seconds(350));
    }
}
