//! Whose presence is told, and how they are there as far as this stream has said. Nothing of it is saved: without a
//! stream it is not known.

use std::collections::BTreeMap;

use parlor_types::{Id as _, UserId};
use parlor_wire::chat::v1::client_frame::Kind;
use parlor_wire::chat::v1::{PresenceChanged, Watch};
use parlor_wire::presence::v1::{Availability, Presence};

use super::message::{Effects, Event};
use super::{Core, say};

pub use parlor_types::limits::MAX_WATCHED;

/// The watch list, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Watching {
    users: Vec<UserId>,
    /// The list this stream was told; none yet.
    told: Option<Vec<UserId>>,
    known: BTreeMap<UserId, Presence>,
}

impl Watching {
    pub fn presence(&self, user: UserId) -> Option<&Presence> {
        self.known.get(&user)
    }

    pub fn leave_stream(&mut self, fx: &mut Effects) {
        self.told = None;
        let forgotten = std::mem::take(&mut self.known).into_keys();
        fx.tell.extend(forgotten.map(|user| Event::Presence { user, presence: None }));
    }
}

impl Core {
    /// The list stays until another comes, over all streams. At most [`MAX_WATCHED`] are taken.
    pub(super) fn on_watch(&mut self, mut users: Vec<UserId>) {
        users.sort_unstable();
        users.dedup();
        users.truncate(MAX_WATCHED);
        self.watching.known.retain(|user, _| users.binary_search(user).is_ok());
        self.watching.users = users;
    }

    pub(super) fn pump_watch(&mut self, fx: &mut Effects) {
        let told = self.watching.told.as_deref().unwrap_or_default();
        if told != self.watching.users {
            let user_ids = self.watching.users.iter().map(ToString::to_string).collect();
            self.watching.told = Some(self.watching.users.clone());
            say(fx, Kind::Watch(Watch { user_ids }));
        }
    }

    pub(super) fn on_presence(&mut self, changed: PresenceChanged, fx: &mut Effects) {
        let Some(presence) = changed.presence else { return };
        let Some(user) = UserId::parse(&presence.user_id) else { return };
        if self.watching.users.binary_search(&user).is_err() {
            return; // of a list that was replaced meanwhile
        }
        let before = if says_nothing(&presence) {
            self.watching.known.remove(&user)
        } else {
            self.watching.known.insert(user, presence.clone())
        };
        let now = self.watching.known.get(&user).cloned();
        if before != now {
            fx.tell.push(Event::Presence { user, presence: now });
        }
    }
}

/// When somebody was last here, and what they say of themselves, may be seen where it may not be seen whether they are.
fn says_nothing(presence: &Presence) -> bool {
    presence.availability() == Availability::Unspecified
        && presence.last_seen.is_none()
        && presence.text.is_empty()
}
