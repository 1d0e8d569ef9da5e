//! How many files are read at once: each holds a file open and a few pieces of it (G8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parlor_types::UserId;

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
    /// At most so many in all, and so many for one user.
    #[must_use]
    pub fn new(most: usize, most_of_user: usize) -> Self {
        Self(Arc::new(Inner { most, most_of_user, taken: Mutex::default() }))
    }

    /// One more for this user, if there may be one.
    #[must_use]
    pub fn take(&self, user: UserId) -> Option<Slot> {
        let mut taken = self.taken();
        let of_user = taken.by_user.get(&user).copied().unwrap_or_default();
        if taken.all >= self.0.most || of_user >= self.0.most_of_user {
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
        assert!(slots.take(ben).is_some());
        drop(second);
        assert_eq!(slots.in_use(), 1);
        assert_eq!(slots.taken().by_user.len(), 1, "who reads nothing is forgotten");
    }
}
