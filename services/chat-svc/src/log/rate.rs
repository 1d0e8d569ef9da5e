//! How fast a user may append: a burst and a steady rate, for all conversations together and for each.
//!
//! The generic cell rate algorithm (ITU-T I.371): one time per key, the "theoretical arrival time". When the table is
//! full the limiter fails open for new keys after dropping those that are idle.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use parlor_types::{ConversationId, UserId};

/// Keys remembered, per table, before idle ones are dropped.
const MAX_KEYS: usize = 100_000;

/// A burst, and what comes back per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Appends at once.
    pub burst: u32,
    /// Appends per second after that.
    pub per_second: f64,
}

impl Rate {
    fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second)
    }

    fn tolerance(self) -> Duration {
        self.interval() * self.burst.saturating_sub(1)
    }
}

/// The two limits, and who has used how much of them.
#[derive(Debug)]
pub struct Rates {
    user: Rate,
    member: Rate,
    users: HashMap<UserId, Instant>,
    members: HashMap<(ConversationId, UserId), Instant>,
}

impl Rates {
    /// `user` holds over all conversations, `member` in each.
    #[must_use]
    pub fn new(user: Rate, member: Rate) -> Self {
        Self { user, member, users: HashMap::new(), members: HashMap::new() }
    }

    /// Takes one append from both, or none and says how long to wait.
    ///
    /// # Errors
    /// The time until the append would pass.
    pub fn take(&mut self, now: Instant, conversation: ConversationId, user: UserId) -> Result<(), Duration> {
        let by_user = next(&self.users, user, self.user, now);
        let by_member = next(&self.members, (conversation, user), self.member, now);
        match (by_user, by_member) {
            (Ok(user_next), Ok(member_next)) => {
                keep(&mut self.users, user, user_next, now);
                keep(&mut self.members, (conversation, user), member_next, now);
                Ok(())
            }
            (a, b) => Err(a.err().unwrap_or_default().max(b.err().unwrap_or_default())),
        }
    }
}

fn next<K: Hash + Eq>(
    table: &HashMap<K, Instant>,
    key: K,
    rate: Rate,
    now: Instant,
) -> Result<Instant, Duration> {
    let arrival = table.get(&key).map_or(now, |time| (*time).max(now));
    let ahead = arrival - now;
    if ahead > rate.tolerance() { Err(ahead - rate.tolerance()) } else { Ok(arrival + rate.interval()) }
}

fn keep<K: Hash + Eq>(table: &mut HashMap<K, Instant>, key: K, time: Instant, now: Instant) {
    if table.len() >= MAX_KEYS {
        table.retain(|_, time| *time > now);
    }
    if table.len() < MAX_KEYS || table.contains_key(&key) {
        table.insert(key, time);
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::Id as _;

    use super::*;

    #[test]
    fn a_burst_passes_then_the_steady_rate_holds() {
        let mut rates = Rates::new(Rate { burst: 5, per_second: 2.0 }, Rate { burst: 3, per_second: 1.0 });
        let start = Instant::now();
        let user = UserId::from_bytes([1; 16]);
        let (tea, coffee) = (ConversationId::from_bytes([2; 16]), ConversationId::from_bytes([3; 16]));
        for _ in 0..3 {
            assert_eq!(rates.take(start, tea, user), Ok(()));
        }
        assert_eq!(rates.take(start, tea, user), Err(Duration::from_secs(1)), "3 in one conversation");
        assert_eq!(rates.take(start, coffee, user), Ok(()));
        assert_eq!(rates.take(start, coffee, user), Ok(()));
        assert_eq!(rates.take(start, coffee, user), Err(Duration::from_millis(500)), "5 in all");
        assert_eq!(rates.take(start + Duration::from_secs(1), tea, user), Ok(()));
        assert_eq!(rates.take(start + Duration::from_secs(1), tea, UserId::from_bytes([9; 16])), Ok(()));
    }
}
