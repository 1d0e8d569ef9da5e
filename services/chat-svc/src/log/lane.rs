//! The order of one sender (G4): a stream's appends to a conversation are a lane. After one of them is refused, those
//! sent after it, before the client could know, are refused too, until it resends with the lane number that came with
//! the refusal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all appends of a lane share.
#[derive(Debug, Default)]
pub struct LaneState {
    inner: Mutex<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    /// Grows with each refusal; appends carry the number their sender knew.
    number: u32,
    /// Appends sent so far.
    sent: u64,
    /// The earliest append refused among those sent with `number - 1`.
    broken_at: u64,
}

/// An append's place in a lane.
#[derive(Debug, Clone)]
pub struct Lane {
    sent_with: u32,
    place: u64,
    state: Arc<LaneState>,
}

impl LaneState {
    /// The next append of the lane, which the client sent with this number.
    #[must_use]
    pub fn append(self: &Arc<Self>, sent_with: u32) -> Lane {
        let mut counters = self.counters();
        counters.sent += 1;
        Lane { sent_with, place: counters.sent, state: Arc::clone(self) }
    }

    /// Whether nothing was ever refused, so that the lane may be forgotten when nothing is under way.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.counters().number == 0
    }

    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn is_in_order(&self, lane: &Lane) -> bool {
        lane.sent_with == self.number
            || (lane.sent_with.checked_add(1) == Some(self.number) && lane.place < self.broken_at)
    }
}

impl Lane {
    /// Whether no append that the client sent before this one, and knew nothing of, was refused.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.state.counters().is_in_order(self)
    }

    /// This append is refused: what was sent after it without knowing is out of order.
    pub fn refuse(&self) {
        let mut counters = self.state.counters();
        if counters.is_in_order(self) {
            if self.sent_with == counters.number {
                counters.number = counters.number.saturating_add(1);
            }
            counters.broken_at = self.place;
        }
    }

    /// The number to send with from now on.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.state.counters().number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_refusal_unknowingly_is_out_of_order_and_what_precedes_it_is_not() {
        let lane = Arc::new(LaneState::default());
        let [first, second, third] = [0, 0, 0].map(|number| lane.append(number));
        second.refuse();
        assert!(first.is_in_order(), "sent before the refused one");
        assert!(!third.is_in_order(), "sent after it");
        let resent = lane.append(second.number());
        assert!(resent.is_in_order());
        first.refuse();
        assert!(resent.is_in_order(), "the client resends from the first on, and this is what it resends");
        assert_eq!(first.number(), 1);
        resent.refuse();
        assert!(!lane.append(1).is_in_order());
        assert!(lane.append(2).is_in_order());
    }

    #[test]
    fn a_number_from_the_future_is_out_of_order() {
        let lane = Arc::new(LaneState::default());
        assert!(!lane.append(1).is_in_order());
        assert!(!lane.append(u32::MAX).is_in_order());
    }
}
