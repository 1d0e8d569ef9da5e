//! Who sees whom, so that a stream which opens need not look through everybody who types.

use std::collections::{BTreeSet, HashMap};

use parlor_types::{ConversationId, UserId};

/// By viewer: who is shown to them, and where. As large as all audiences together.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<UserId, BTreeSet<(UserId, ConversationId)>>);

impl Seen {
    pub(super) fn add(&mut self, typist: UserId, conversation: ConversationId, audience: &[UserId]) {
        for viewer in audience {
            self.0.entry(*viewer).or_default().insert((typist, conversation));
        }
    }

    pub(super) fn remove(&mut self, typist: UserId, conversation: ConversationId, audience: &[UserId]) {
        for viewer in audience {
            if let Some(seen) = self.0.get_mut(viewer) {
                seen.remove(&(typist, conversation));
                if seen.is_empty() {
                    self.0.remove(viewer);
                }
            }
        }
    }

    pub(super) fn by(&self, viewer: UserId) -> impl Iterator<Item = (UserId, ConversationId)> {
        self.0.get(&viewer).into_iter().flatten().copied()
    }

    /// How many see how many.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().map(BTreeSet::len).sum())
    }
}
