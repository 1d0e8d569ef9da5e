//! Why uploads were ended, for whoever asks again: the answer may have been lost on its way.
//!
//! Of the last [`MOST`] alone, and not beyond a restart: who asks later hears that there is no such upload, begins it again, and
//! is refused again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use parlor_types::{MediaId, UserId};

use crate::failure::Failure;

/// How many are remembered; the oldest go first.
const MOST: usize = 1000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    last: Mutex<VecDeque<(MediaId, UserId, Failure)>>,
}

impl Refusals {
    /// Remembers why an upload of this owner was ended.
    pub fn remember(&self, owner: UserId, id: MediaId, why: Failure) {
        let mut last = self.last();
        last.truncate(MOST - 1);
        last.push_front((id, owner, why));
    }

    /// Why an upload of this owner was ended.
    pub fn of(&self, owner: UserId, id: MediaId) -> Option<Failure> {
        let last = self.last();
        let found = last.iter().find(|(one, of, _)| (*one, *of) == (id, owner));
        found.map(|(.., why)| why.clone())
    }

    fn last(&self) -> MutexGuard<'_, VecDeque<(MediaId, UserId, Failure)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_remembered_and_told_to_their_owner_alone() {
        let refusals = Refusals::default();
        let (ada, eve) = (UserId::new(), UserId::new());
        let ids: Vec<_> = (0..=MOST).map(|_| MediaId::new()).collect();
        for id in &ids {
            refusals.remember(ada, *id, Failure::HashMismatch);
        }
        assert!(refusals.of(ada, ids[0]).is_none(), "G8: the oldest has made room");
        assert!(matches!(refusals.of(ada, ids[1]), Some(Failure::HashMismatch)));
        assert!(matches!(refusals.of(ada, ids[MOST]), Some(Failure::HashMismatch)));
        assert!(refusals.of(eve, ids[MOST]).is_none(), "G7");
    }
}
