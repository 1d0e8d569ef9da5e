//! What a stream has to say of its user's people and settings: in the sync, and as they change.
//!
//! Of what changed a session keeps only where it is in the changes; the rest is read when there is room, a part at a
//! time. So any number of changes costs a slow stream nothing.

use bytes::Bytes;

use super::machine::{Effect, Session};
use super::outbox::Weight;
use crate::store::{AccountPlace, Commit};

/// See the module.
#[derive(Debug)]
pub(super) struct Account {
    place: AccountPlace,
    /// Something may have changed after the place.
    owed: bool,
    reading: bool,
}

impl Account {
    /// Owes everything since this commit.
    pub(super) fn since(commit: Commit) -> Self {
        Self { place: AccountPlace::after(commit), owed: true, reading: false }
    }

    /// Whether all is said.
    pub(super) fn is_said(&self) -> bool {
        !self.owed && !self.reading
    }

    /// What to read next, if there is something and nothing is being read.
    pub(super) fn read(&mut self) -> Option<Effect> {
        let now = self.owed && !self.reading;
        if now {
            (self.owed, self.reading) = (false, true);
        }
        now.then_some(Effect::ReadAccount(self.place))
    }
}

impl Session {
    /// People or settings have changed.
    pub fn account_changed(&mut self) {
        if !self.has_ended() {
            self.account.owed = true;
        }
    }

    /// The answer to [`Effect::ReadAccount`]: frames, where to go on, and whether there is more.
    pub fn account_read(&mut self, frames: Vec<Bytes>, next: AccountPlace, more: bool) {
        if self.has_ended() {
            return;
        }
        self.account.reading = false;
        self.account.owed |= more;
        self.account.place = next;
        for frame in frames {
            self.out.put(frame, Weight::Step);
            self.news_since_checkpoint = true;
        }
    }
}
