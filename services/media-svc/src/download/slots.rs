//! How many files are read at once: each holds a file open and a few pieces of it (G8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_types::UserId;

/// Once half of all places are taken, a user has no more than their share divided by this.
const CROWDED: usize = 8;

/// See the module. Clones share the count.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    most_of_user: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_user: HashMap<UserId, usize>,
}

/// The right to read one file; ends when dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    user: UserId,
}

impl Slots {
    /// At most so many in all, and so many for one user, or an eighth of that once half of all are taken.
    #[must_use]
    pub fn new(most: usize, most_of_user: usize) -> Self {
        Self(Arc::new(Inner { most, most_of_user, taken: Mutex::default() }))
    }

    /// One more for this user, if there may be one.
    #[must_use]
    pub fn take(&self, user: UserId) -> Option<Slot> {
        let mut taken = self.taken();
        let of_user = taken.by_user.get(&user).copied().unwrap_or_default();
        let is_crowded = taken.all >= self.0.most.div_ceil(2);
        let share = if is_crowded { (self.0.most_of_user / CROWDED).max(1) } else { self.0.most_of_user };
        if taken.all >= self.0.most || of_user >= share {
            return None;
        }
        taken.all += 1;
        taken.by_user.insert(user, of_user + 1);
        Some(Slot { slots: self.clone(), user })
    }

    /// How many are taken.
    #[cfg(test)]
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.taken().all
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.all -= 1;
        if let Some(of_user) = taken.by_user.get_mut(&self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                taken.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g8_each_user_has_so_many_and_all_have_so_many() {
        let slots = Slots::new(3, 2);
        let (ada, ben) = (UserId::new(), UserId::new());
        let first = slots.take(ada).unwrap();
        let second = slots.take(ada).unwrap();
        assert!(slots.take(ada).is_none(), "G8: a third of one user");
        let _third = slots.take(ben).unwrap();
        assert!(slots.take(ben).is_none(), "G8: a fourth in all");
        drop(first);
        assert!(slots.take(UserId::new()).is_some());
        drop(second);
        assert_eq!(slots.in_use(), 1);
        assert_eq!(slots.taken().by_user.len(), 1, "who reads nothing is forgotten");
    }

    #[test]
    fn g8_once_half_is_taken_one_user_takes_no_more_than_a_small_share() {
        let slots = Slots::new(64, 64);
        let ada = UserId::new();
        let many: Vec<_> = std::iter::from_fn(|| slots.take(ada)).collect();
        assert_eq!(many.len(), 32, "G8: one user takes more than half");
        let ben = UserId::new();
        let few: Vec<_> = std::iter::from_fn(|| slots.take(ben)).collect();
        assert_eq!(few.len(), 8, "G8");
        assert!(slots.take(UserId::new()).is_some());
    }
}
