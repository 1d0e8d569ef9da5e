//! Where time comes from. Logic asks a [`Clock`]; only tests make one that does not run by itself.
//!
//! Waiting is not a clock's business: tasks sleep with `tokio::time`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The two times there are.
pub trait Clock: Send + Sync {
    /// Never goes back; for intervals and deadlines.
    fn now(&self) -> Instant;
    /// The time of day, which may jump; for what is shown or stored.
    fn wall(&self) -> SystemTime;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    times: Mutex<(Instant, SystemTime)>,
}

impl ManualClock {
    /// Stands at `wall`.
    #[must_use]
    pub fn at(wall: SystemTime) -> Self {
        Self { times: Mutex::new((Instant::now(), wall)) }
    }

    /// Moves both times on.
    pub fn advance(&self, by: Duration) {
        let mut times = self.times();
        times.0 += by;
        times.1 += by;
    }

    /// Moves only the time of day, forth or back, as a correction of the machine's clock does.
    pub fn set_wall(&self, wall: SystemTime) {
        self.times().1 = wall;
    }

    fn times(&self) -> MutexGuard<'_, (Instant, SystemTime)> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// Stands at the Unix epoch.
    fn default() -> Self {
        Self::at(SystemTime::UNIX_EPOCH)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.times().0
    }

    fn wall(&self) -> SystemTime {
        self.times().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::default();
        let start = clock.now();
        assert_eq!((clock.now(), clock.wall()), (start, SystemTime::UNIX_EPOCH));
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now() - start, Duration::from_millis(1500));
        assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
        clock.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(
            (clock.now() - start, clock.wall()),
            (Duration::from_millis(1500), SystemTime::UNIX_EPOCH)
        );
    }

    #[test]
    fn the_system_clock_is_the_machine_s() {
        let (before, wall) = (Instant::now(), SystemTime::now());
        assert!(SystemClock.now() >= before);
        let off = SystemClock.wall().duration_since(wall).unwrap_or_default();
        assert!(off < Duration::from_secs(60), "{off:?}");
    }
}
