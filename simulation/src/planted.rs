//! Faults put in by hand at the seams of chat-svc, to see that a simulation finds them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chat_svc::log::Published;
use chat_svc::routing::{LocalRouter, Router};
use chat_svc::store::Commit;
use parlor_types::{ConversationId, StreamId, UserId};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The store says that it has stored what a crash takes away: up to a second of it.
    NeverSynced,
    /// One delivery in ten is dropped.
    DropsDeliveries,
}

/// [`Planted::DropsDeliveries`].
pub struct Deaf {
    router: Arc<LocalRouter>,
    published: AtomicU64,
}

impl Deaf {
    /// In front of the router.
    pub fn new(router: Arc<LocalRouter>) -> Self {
        Self { router, published: AtomicU64::new(0) }
    }
}

impl Router for Deaf {
    fn publish(&self, published: Published) {
        if self.published.fetch_add(1, Ordering::Relaxed) % 10 != 9 {
            self.router.publish(published);
        }
    }

    fn row_changed(&self, user: UserId, conversation: ConversationId, by: Option<StreamId>) {
        self.router.row_changed(user, conversation, by);
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
