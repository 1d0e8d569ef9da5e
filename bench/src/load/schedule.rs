//! When messages are to be sent, whatever becomes of those before: an open loop.
//!
//! A sender that waits for answers sends less to a server that is slow, and leaves out just those latencies that would
//! have been long. So the times are fixed beforehand, and latency counts from them: of a message that had to wait for
//! its turn, with the wait.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Member, Meters};

/// How long it sleeps at least: what is late by less is sent together. Counts as latency, on all sides alike.
const TICK: Duration = Duration::from_micros(250);

/// So many a second, evenly, from a beginning on. Times are ns.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    start: u64,
    per_second: f64,
    sent: u64,
}

impl Schedule {
    /// The first is due at `start`.
    pub fn new(start: u64, per_second: f64) -> Self {
        Self { start, per_second, sent: 0 }
    }

    /// When a message is to be sent, the first being 0.
    pub fn due_at(&self, number: u64) -> u64 {
        self.start + (number as f64 * 1e9 / self.per_second) as u64
    }

    /// Those that are due and were not yet given.
    pub fn due(&mut self, now: u64) -> Range<u64> {
        let first = self.sent;
        while self.due_at(self.sent) <= now {
            self.sent += 1;
        }
        first..self.sent
    }

    /// How long there is nothing to do.
    fn pause(&self, now: u64) -> Duration {
        Duration::from_nanos(self.due_at(self.sent).saturating_sub(now)).max(TICK)
    }
}

/// Lets `members` send in turns, on a thread of its own, until `going` is not set any more.
pub fn offer_on(
    mut schedule: Schedule,
    meters: Arc<Meters>,
    members: Vec<Arc<Member>>,
    going: Arc<AtomicBool>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        while going.load(Ordering::Relaxed) {
            for number in schedule.due(meters.now()) {
                let member = number as usize % members.len();
                members[member].offer(schedule.due_at(number), 1);
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "the timers of the runtime are right to a millisecond only"
            )]
            thread::sleep(schedule.pause(meters.now()));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn messages_are_due_evenly_from_the_start_on() {
        let mut schedule = Schedule::new(5 * MS, 1000.0);
        assert_eq!(schedule.due(5 * MS - 1), 0..0);
        assert_eq!(schedule.due(5 * MS), 0..1);
        assert_eq!(schedule.due(7 * MS), 1..3);
        assert_eq!(schedule.due_at(2), 7 * MS);
        assert_eq!(schedule.due(7 * MS), 3..3, "each is given once");
    }

    #[test]
    fn after_a_stall_all_are_due_at_the_times_they_had() {
        let mut schedule = Schedule::new(0, 1000.0);
        schedule.due(0);
        let late = schedule.due(500 * MS);
        assert_eq!(late, 1..501);
        assert_eq!(schedule.due_at(late.start), MS, "the stall counts as its latency");
    }

    #[test]
    fn a_rate_that_does_not_divide_a_second_does_not_drift() {
        let mut schedule = Schedule::new(0, 7000.0);
        let hour = 3600 * 1000 * MS;
        let all = schedule.due(hour);
        assert_eq!(all.end, 3600 * 7000 + 1);
    }

    #[test]
    fn it_sleeps_until_the_next_is_due_but_not_for_less_than_a_tick() {
        let mut schedule = Schedule::new(0, 100.0);
        schedule.due(0);
        assert_eq!(schedule.pause(0), Duration::from_millis(10));
        assert_eq!(schedule.pause(10 * MS - 1), TICK);
    }
}
