//! The store as plainly as it can be said: what the other one is compared with.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use parlor_types::UserId;

use super::{Error, OnStatus, Store};
use crate::presence::Record;
use crate::status::Status;
use crate::time::Minute;

/// Records in memory.
pub(crate) struct MemoryStore {
    on_status: OnStatus,
    people: Mutex<BTreeMap<UserId, Record>>,
}

impl MemoryStore {
    pub(crate) fn new(on_status: OnStatus) -> Self {
        Self { on_status, people: Mutex::default() }
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<UserId, Record>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn records(&self, users: Vec<UserId>) -> Result<Vec<Record>, Error> {
        let people = self.people();
        Ok(users.iter().map(|user| people.get(user).cloned().unwrap_or_default()).collect())
    }

    async fn set_status(&self, user: UserId, status: Status) -> Result<(), Error> {
        let mut people = self.people();
        people.entry(user).or_default().status = status.clone();
        (self.on_status)(user, &status);
        Ok(())
    }

    async fn set_last_seen(&self, seen: Vec<(UserId, Minute)>) -> Result<(), Error> {
        let mut people = self.people();
        for (user, minute) in seen {
            people.entry(user).or_default().last_seen = Some(minute);
        }
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::store::conformance::{self, Fixture, Told};

    fn fixture() -> Fixture {
        let told = Told::default();
        Fixture { store: Arc::new(MemoryStore::new(conformance::listener(&told))), told, _folder: None }
    }

    conformance::suite!(fixture);
}
