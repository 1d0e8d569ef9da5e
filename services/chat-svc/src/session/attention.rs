//! What a stream says of its user's presence, and whom it watches.
//!
//! What a client says of it counts at once here, and is passed on at once the first time and then at most once each
//! [`PASSED_ON_EACH`]: however often it changes, what is behind is not asked more often. Of each user watched the latest is
//! kept, which are no more than [`MAX_WATCHED`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parlor_types::UserId;
use parlor_types::limits::MAX_WATCHED;
use parlor_wire::chat::v1 as wire;
use parlor_wire::chat::v1::server_frame::Kind as Out;
use parlor_wire::presence::v1::Presence;
use parlor_wire::{Invalid, id};

use super::machine::{Effect, Session};
use crate::presence::Facts;

/// Time between two times that something is passed on.
const PASSED_ON_EACH: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Attention {
    /// What the client said last.
    pub(super) foreground: bool,
    mobile: bool,
    watched: BTreeSet<UserId>,
    /// What was passed on, and when, unless with the Hello.
    passed: Facts,
    passed_at: Option<Instant>,
    /// The latest of those watched, and of whom the client is still to be told.
    known: BTreeMap<UserId, Presence>,
    owed: BTreeSet<UserId>,
}

impl Default for Attention {
    fn default() -> Self {
        Self {
            foreground: true,
            mobile: false,
            watched: BTreeSet::new(),
            passed: Facts { foreground: true, mobile: false, watched: Arc::default() },
            passed_at: None,
            known: BTreeMap::new(),
            owed: BTreeSet::new(),
        }
    }
}

impl Attention {
    pub(super) fn hello(&mut self, hello: &wire::Hello) {
        (self.foreground, self.mobile) = (!hello.background, hello.mobile);
        self.passed = Facts { foreground: self.foreground, mobile: self.mobile, watched: Arc::default() };
    }

    fn watch(&mut self, users: BTreeSet<UserId>) {
        self.owed.retain(|user| users.contains(user));
        // Whoever comes back before it was passed on that they had gone will not be told of again.
        let back = users.iter().filter(|user| !self.watched.contains(user) && self.known.contains_key(user));
        self.owed.extend(back);
        self.watched = users;
    }

    /// Whether there is something to pass on, and it is time to.
    pub(super) fn pass_on(&mut self, now: Instant) -> Option<Effect> {
        let same =
            self.passed.foreground == self.foreground && self.watched.iter().eq(self.passed.watched.iter());
        let waits = |at| now.saturating_duration_since(at) < PASSED_ON_EACH;
        if same || self.passed_at.is_some_and(waits) {
            return None;
        }
        self.passed_at = Some(now);
        let watched = self.watched.iter().copied().collect();
        self.passed = Facts { foreground: self.foreground, mobile: self.mobile, watched };
        self.known.retain(|user, _| self.watched.contains(user));
        Some(Effect::PassOn)
    }

    fn presence(&mut self, user: UserId, presence: Presence) {
        let watched = self.watched.contains(&user);
        if watched || self.passed.watched.contains(&user) {
            self.known.insert(user, presence);
        }
        if watched {
            self.owed.insert(user);
        }
    }

    /// It is not known any more how anybody is there.
    fn forget_all(&mut self) {
        for (user, presence) in &mut self.known {
            let nothing = Presence { user_id: user.to_string(), ..Presence::default() };
            if *presence != nothing {
                *presence = nothing;
                self.owed.extend(self.watched.get(user));
            }
        }
    }

    /// The stream ends.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.owed.clear();
    }

    /// Takes one that is still to be told.
    pub(super) fn take(&mut self) -> Option<Out> {
        let presence = self.known.get(&self.owed.pop_first()?).cloned();
        Some(Out::PresenceChanged(wire::PresenceChanged { presence }))
    }
}

impl Session {
    /// The app came to the front, or went behind.
    pub(super) fn set_active(&mut self, frame: wire::SetActive) -> Vec<Effect> {
        self.out.attention.foreground = frame.foreground;
        self.pass_on()
    }

    /// Whose presence to tell.
    pub(super) fn watch(&mut self, frame: &wire::Watch) -> Vec<Effect> {
        match watch_list(&frame.user_ids) {
            Ok(users) => {
                self.out.attention.watch(users);
                self.pass_on()
            }
            Err(invalid) => {
                self.refused("watch", invalid.into());
                Vec::new()
            }
        }
    }

    fn pass_on(&mut self) -> Vec<Effect> {
        self.out.attention.pass_on(self.now).into_iter().collect()
    }

    /// What the registry of sessions is to know of this stream.
    #[must_use]
    pub fn facts(&self) -> Facts {
        self.out.attention.passed.clone()
    }

    /// How users are there now who are watched, or were a moment ago.
    pub fn presences(&mut self, presences: Vec<(UserId, Presence)>) {
        if !self.has_ended() {
            for (user, presence) in presences {
                self.out.attention.presence(user, presence);
            }
        }
    }

    /// It is not known any more how anybody is there, which the client is told of those it was told of.
    pub fn presence_unknown(&mut self) {
        if !self.has_ended() {
            self.out.attention.forget_all();
        }
    }

    /// How long a client may be silent; two of these, and it is gone.
    pub(super) fn ping_interval(&self) -> Duration {
        let foreground = self.out.attention.foreground;
        if foreground { self.limits.ping_interval } else { self.limits.background_ping_interval }
    }
}

fn watch_list(user_ids: &[String]) -> Result<BTreeSet<UserId>, Invalid> {
    if user_ids.len() > MAX_WATCHED {
        return Err(Invalid::field("user_ids", format!("must be at most {MAX_WATCHED}")));
    }
    let parse = |(index, text): (usize, &String)| id(&format!("user_ids[{index}]"), text);
    user_ids.iter().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests;
