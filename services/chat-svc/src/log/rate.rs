//! How fast a user may append: for all conversations together, and for each.

use std::time::{Duration, Instant};

use parlor_runtime::limiter::{Limiter, Rate};
use parlor_types::{ConversationId, UserId};

/// Keys remembered by each of the two limiters.
const MAX_KEYS: usize = 100_000;

/// The two limits, and who has used how much of them.
#[derive(Debug)]
pub struct Rates {
    user: Rate,
    member: Rate,
    users: Limiter<UserId>,
    members: Limiter<(ConversationId, UserId)>,
}

impl Rates {
    /// `user` holds over all conversations, `member` in each.
    #[must_use]
    pub fn new(user: Rate, member: Rate) -> Self {
        Self { user, member, users: Limiter::new(MAX_KEYS), members: Limiter::new(MAX_KEYS) }
    }

    /// Takes one append from both, or none and says how long to wait.
    ///
    /// # Errors
    /// The time until the append would pass.
    pub fn take(&mut self, now: Instant, conversation: ConversationId, user: UserId) -> Result<(), Duration> {
        let by_user = self.users.check(user, self.user, now);
        let by_member = self.members.check((conversation, user), self.member, now);
        match (by_user, by_member) {
            (Ok(()), Ok(())) => {
                self.users.take(user, self.user, now)?;
                self.members.take((conversation, user), self.member, now)
            }
            (a, b) => Err(a.err().unwrap_or_default().max(b.err().unwrap_or_default())),
        }
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
