//! Where changes of people and privacy are carried out: the store first, then everybody concerned is told.

use std::sync::Arc;
use std::time::SystemTime;

use parlor_runtime::clock::Clock;
use parlor_types::UserId;
use tokio::sync::oneshot;

use super::{Action, Filter, Person, Privacy, PrivacyChanges, Refused, Visibility};
use crate::directory::Directory;
use crate::log::Log;
use crate::routing::Router;
use crate::store::{AppendError, Commit, PrivacyKept, ReadError, Relate, Related, Store, whole_millis};

/// Told that what somebody may see of others, or others of them, may have changed. Called in the order of commits, for
/// contacts, blocks, privacy and memberships; must be quick.
pub trait VisibilityWatcher: Send + Sync + 'static {
    /// Of these users, as those who look and as those who are looked at.
    fn changed(&self, users: &[UserId]);
}

/// Why nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeError {
    /// There is no such user.
    UserNotFound,
    /// What is between the two forbids it.
    Refused(Refused),
    /// The store could not.
    Store(AppendError),
}

/// What [`People`] stands on.
#[derive(Clone)]
pub struct StartPeople {
    /// Where people are kept.
    pub store: Arc<dyn Store>,
    /// In whose order changes are told.
    pub log: Log,
    /// Who tells streams.
    pub router: Arc<dyn Router>,
    /// Who knows which users there are.
    pub directory: Arc<dyn Directory>,
    /// Who wants to know of visibility.
    pub watcher: Arc<dyn VisibilityWatcher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// See the module. Clones share everything.
#[derive(Clone)]
pub struct People {
    start: Arc<StartPeople>,
}

impl People {
    /// Ready.
    #[must_use]
    pub fn new(start: StartPeople) -> Self {
        Self { start: Arc::new(start) }
    }

    /// Does something about another user, who must not be the same one. Gives what the other is to the user now.
    ///
    /// # Errors
    /// Nothing has changed.
    pub async fn act(&self, user: UserId, other: UserId, action: Action) -> Result<Person, ChangeError> {
        if matches!(action, Action::Request(_) | Action::Block) {
            let exists = self.start.directory.all_exist(&[other]).await;
            if !exists.map_err(|_| ChangeError::Store(AppendError::Unavailable))? {
                return Err(ChangeError::UserNotFound);
            }
        }
        let relate = Relate { user, other, action, at: self.now() };
        let (answer, answered) = oneshot::channel();
        let people = self.clone();
        let done = move |result| {
            people.in_turn(result, answer, move |people, related: &Result<Related, Refused>| {
                related.as_ref().ok().and_then(|related| people.related(user, other, related))
            })
        };
        self.start.store.relate(relate, Box::new(done));
        let result = answered.await.unwrap_or(Err(AppendError::Unavailable)).map_err(ChangeError::Store)?;
        result.map(|related| related.person).map_err(ChangeError::Refused)
    }

    /// Changes settings; gives all of them.
    ///
    /// # Errors
    /// The store could not; nothing has changed.
    pub async fn set_privacy(&self, user: UserId, changes: PrivacyChanges) -> Result<Privacy, AppendError> {
        let (answer, answered) = oneshot::channel();
        let people = self.clone();
        let done = move |result| {
            people.in_turn(result, answer, move |people, kept: &PrivacyKept| {
                let commit = kept.changed?;
                people.start.router.account_changed(user);
                for conversation in &kept.rows {
                    people.start.router.row_changed(user, *conversation, None);
                }
                people.start.watcher.changed(&[user]);
                Some(commit)
            })
        };
        self.start.store.set_privacy(user, changes, Box::new(done));
        answered.await.unwrap_or(Err(AppendError::Unavailable)).map(|kept| kept.privacy)
    }

    /// The settings of a user.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn privacy(&self, user: UserId) -> Result<Privacy, ReadError> {
        self.start.store.privacy(user).await
    }

    /// Up to `most` people above `after`, by id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list(
        &self,
        user: UserId,
        filter: Filter,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<Person>, ReadError> {
        self.start.store.people(user, filter, after, most).await
    }

    /// What a user may see of these others, in their order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn visibility(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Visibility>, ReadError> {
        self.start.store.visibility(viewer, users).await
    }

    /// Tells those whose side has changed; the commit, if any has.
    fn related(&self, user: UserId, other: UserId, related: &Related) -> Option<Commit> {
        let commit = related.changed?;
        for (changed, whose) in [(related.mine, user), (related.theirs, other)] {
            if changed {
                self.start.router.account_changed(whose);
            }
        }
        for conversation in &related.rows {
            self.start.router.receipts(user, *conversation, &[other]);
            self.start.router.receipts(other, *conversation, &[user]);
        }
        if related.person.side.blocked {
            self.start.router.parted(user, other);
        }
        self.start.watcher.changed(&[user, other]);
        Some(commit)
    }

    /// Called on the store's thread: `tell` runs, and the answer goes, in the order of commits.
    fn in_turn<T: Send + 'static>(
        &self,
        result: Result<T, AppendError>,
        answer: oneshot::Sender<Result<T, AppendError>>,
        tell: impl FnOnce(&Self, &T) -> Option<Commit> + Send + 'static,
    ) {
        let people = self.clone();
        self.start.log.in_turn(Box::new(move || {
            let commit = result.as_ref().ok().and_then(|done| tell(&people, done));
            // Whoever asked may be gone; the change is kept.
            drop(answer.send(result));
            commit
        }));
    }

    /// The time, as precise as stores keep it.
    fn now(&self) -> SystemTime {
        whole_millis(self.start.clock.wall())
    }
}
