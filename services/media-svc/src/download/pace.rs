//! How fast a reader must be: whoever holds a place makes others wait.

use std::time::Duration;

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
    /// How long a reader may take that takes nothing at all.
    #[must_use]
    pub fn first(&self) -> Duration {
        if self.least_rate == 0 { self.longest } else { GRACE.min(self.longest) }
    }

    /// How much longer it may take for so many bytes.
    #[must_use]
    pub fn earned(&self, bytes: u64) -> Duration {
        let millis = bytes.saturating_mul(1000).checked_div(self.least_rate);
        millis.map_or(Duration::ZERO, Duration::from_millis).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_earned_at_the_least_rate() {
        let longest = Duration::from_secs(500);
        let pace = Pace { patience: longest, least_rate: 1000, longest };
        assert_eq!(pace.first(), GRACE);
        assert_eq!(pace.earned(10_000), Duration::from_secs(10));
        assert_eq!(pace.earned(u64::MAX), longest, "what is beyond the longest is of no use");
        let any = Pace { least_rate: 0, ..pace };
        assert_eq!((any.first(), any.earned(10_000)), (longest, Duration::ZERO));
    }
}
