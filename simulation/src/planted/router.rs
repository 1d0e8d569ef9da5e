//! A router that delivers too little, too much, or too late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chat_svc::log::Published;
use chat_svc::routing::{LocalRouter, Router};
use chat_svc::store::Commit;
use parlor_types::{ConversationId, StreamId, UserId};

use super::Planted;
use crate::disk::lock;

/// With [`Planted::KnowsLate`]: how late. Longer than reading takes, on a slow disk too.
const LATE: Duration = Duration::from_millis(250);

/// In front of the router.
pub struct Warped {
    planted: Planted,
    router: Arc<LocalRouter>,
    published: AtomicU64,
    /// The time, and since when each stream is there.
    since: Mutex<(Option<Instant>, BTreeMap<StreamId, Instant>)>,
    gone: Mutex<BTreeSet<(ConversationId, UserId)>>,
}

impl Warped {
    /// With this fault.
    pub fn new(planted: Planted, router: Arc<LocalRouter>) -> Self {
        let (since, gone) = (Mutex::default(), Mutex::default());
        Self { planted, router, published: AtomicU64::new(0), since, gone }
    }

    /// Sees which streams are there.
    pub fn look(&self, now: Instant) {
        let mut since = lock(&self.since);
        since.0 = Some(now);
        for stream in self.router.streams() {
            since.1.entry(stream.id()).or_insert(now);
        }
    }

    /// Whether the user has streams, and all are new.
    fn is_new(&self, user: UserId) -> bool {
        let since = lock(&self.since);
        let is_known = |id: StreamId| match (since.0, since.1.get(&id)) {
            (Some(now), Some(began)) => now > *began + LATE,
            _ => false,
        };
        let mut streams = self.router.streams();
        streams.retain(|stream| stream.user() == user);
        !streams.is_empty() && !streams.iter().any(|stream| is_known(stream.id()))
    }

    /// Whoever was removed is among the receivers still.
    fn keep_leavers(&self, published: &mut Published) {
        let (mut gone, conversation) = (lock(&self.gone), published.entry.conversation);
        for user in &published.newcomers {
            gone.remove(&(conversation, *user));
        }
        let still =
            gone.iter().filter(|(of, user)| *of == conversation && !published.receivers.contains(user));
        let still: Vec<UserId> = still.map(|(_, user)| *user).collect();
        published.receivers = published.receivers.iter().copied().chain(still).collect();
        gone.extend(published.leavers.iter().map(|user| (conversation, *user)));
    }
}

impl Router for Warped {
    fn publish(&self, mut published: Published) {
        let number = self.published.fetch_add(1, Ordering::Relaxed);
        match self.planted {
            Planted::DropsDeliveries if number % 10 == 9 => return,
            Planted::KnowsLate => {
                let receivers = published.receivers.iter().copied();
                published.receivers = receivers.filter(|user| !self.is_new(*user)).collect();
            }
            Planted::GoesOnAfterRemoval => self.keep_leavers(&mut published),
            _ => {}
        }
        self.router.publish(published);
    }

    fn row_changed(&self, user: UserId, conversation: ConversationId, by: Option<StreamId>) {
        let dropped = match self.planted {
            Planted::NeverRetells => by.is_none(),
            Planted::OwnMarksUntold => by.is_some(),
            _ => false,
        };
        if !dropped {
            self.router.row_changed(user, conversation, by);
        }
    }

    fn receipts(&self, of: UserId, conversation: ConversationId, others: &[UserId]) {
        Router::receipts(&*self.router, of, conversation, others);
    }

    fn account_changed(&self, user: UserId) {
        self.router.account_changed(user);
    }

    fn parted(&self, one: UserId, other: UserId) {
        self.router.parted(one, other);
    }

    fn reached(&self, commit: Commit) {
        self.router.reached(commit);
    }
}
