//! A stream and the registry of sessions.

use std::sync::Arc;

use parlor_types::UserId;
use parlor_wire::presence::v1::Presence;

use super::Stream;
use crate::presence::Owned;

impl Stream {
    /// How users are there whom it watches.
    pub fn presences(self: &Arc<Self>, presences: Vec<(UserId, Presence)>) {
        self.tell(|session| session.presences(presences));
    }

    /// It is not known any more how anybody is there.
    pub fn presence_unknown(self: &Arc<Self>) {
        self.tell(super::Session::presence_unknown);
    }

    /// From here on the router and the registry know of it.
    pub(super) fn enter(self: &Arc<Self>) {
        self.deps.router.register(self);
        let owned = Owned { stream: self.id(), user: self.user(), session: self.session() };
        self.deps.presence.opened(owned, || self.facts());
    }

    pub(super) fn pass_on(&self) {
        self.deps.presence.updated(self.id(), || self.facts());
    }

    /// From here on neither knows of it; it is no matter if neither did.
    pub(super) fn leave(&self) {
        self.deps.router.unregister(self.user(), self.id());
        self.deps.presence.closed(self.id(), self.session_has_ended());
    }
}
