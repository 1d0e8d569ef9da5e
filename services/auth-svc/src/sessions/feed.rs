//! The log of ended sessions, as other services follow it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Revocation;
use crate::refusal::Refusal;
use crate::store::Store;
use crate::time::Moment;

/// How far back a follower without a cursor is taken: the life of an access token, 10 minutes, and a minute for clocks
/// that differ.
const REPLAY: Duration = Duration::from_secs(11 * 60);
/// Revocations in one answer.
const PAGE: usize = 1000;

/// Part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// In order.
    pub revocations: Vec<Revocation>,
    /// Where to go on.
    pub cursor: u64,
    /// Whether there is more already.
    pub more: bool,
}

/// Reads the log, and says when it has grown.
#[derive(Clone, Debug)]
pub struct RevocationFeed {
    store: Arc<dyn Store>,
    newest: watch::Receiver<u64>,
}

impl RevocationFeed {
    /// Over `store`; `newest` is told the number of each new revocation.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, newest: watch::Receiver<u64>) -> Self {
        Self { store, newest }
    }

    /// What comes after `cursor`. For cursor 0, and for one that this store has not reached (it was restored from an
    /// older copy), what ended in the last 11 minutes.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`.
    pub async fn after(&self, cursor: u64, now: Moment) -> Result<FeedPage, Refusal> {
        let since = if cursor == 0 { now.minus(REPLAY) } else { Moment::from_millis(i64::MIN) };
        let page = self.store.revocations(cursor, since, PAGE).await?;
        if cursor > page.newest {
            let page = self.store.revocations(0, now.minus(REPLAY), PAGE).await?;
            return Ok(feed_page(page.revocations, page.newest));
        }
        Ok(feed_page(page.revocations, page.newest))
    }

    /// Waits until there may be more than when this was last called on this handle; the first call answers at once.
    /// `false` when there will never be more.
    pub async fn grown(&mut self) -> bool {
        self.newest.changed().await.is_ok()
    }
}

fn feed_page(revocations: Vec<Revocation>, newest: u64) -> FeedPage {
    let more = revocations.len() == PAGE;
    let last = revocations.last().map(|revocation| revocation.seq);
    FeedPage { cursor: last.filter(|_| more).unwrap_or(newest), revocations, more }
}
