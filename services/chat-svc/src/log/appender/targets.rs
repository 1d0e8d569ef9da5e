//! What the appender knows of messages that edits and deletes are about.
//!
//! Looked up when a change of them is at the front of the queue and nothing is being written, and kept true from there on by
//! what is accepted: so an edit never meets a message whose deletion it has not seen. If somebody else wrote meanwhile, the
//! batch is in conflict, and all of this is forgotten with the rest.

use std::collections::BTreeMap;

use parlor_types::{Seq, UserId};

use crate::conversation::{Change, Content, Target};
use crate::log::Entry;

/// A message as one who wants to change it may know it.
pub type Wanted = (UserId, Seq);

/// As many as were looked up at once.
#[derive(Debug, Default)]
pub(super) struct Targets {
    known: BTreeMap<Wanted, Option<Target>>,
}

impl Targets {
    /// Forgets what was known for what was found now.
    pub(super) fn learn(&mut self, found: Vec<(Wanted, Option<Target>)>) {
        self.known = found.into_iter().collect();
    }

    /// `None`: it has to be looked up. `Some(None)`: it is not there to be changed.
    pub(super) fn find(&self, wanted: Wanted) -> Option<Option<&Target>> {
        self.known.get(&wanted).map(Option::as_ref)
    }

    /// What an accepted entry does to it.
    pub(super) fn accept(&mut self, entry: &Entry, changes: &[Change]) {
        if changes.iter().any(|change| matches!(change, Change::Opened { .. })) {
            // Whoever joins may come to read what was not there for them.
            self.known.clear();
        }
        let Some(place) = entry.target else { return };
        for (_, target) in self.known.iter_mut().filter(|((_, seq), _)| *seq == place) {
            match entry.content {
                Content::Delete => *target = None,
                _ => target.iter_mut().for_each(|target| target.edits += 1),
            }
        }
    }
}
