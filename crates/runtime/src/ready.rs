//! Readiness: the service is ready while every one of its named conditions holds.
//!
//! A condition counts from the moment it is made, so whoever makes all of them before the first listener opens
//! never shows a service as ready that is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// The conditions of a service. Clones share them.
#[derive(Clone, Debug)]
pub struct Readiness {
    conditions: Arc<watch::Sender<Conditions>>,
}

/// The state of all conditions at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions(BTreeMap<&'static str, bool>);

/// One condition, not met at first.
#[derive(Debug)]
pub struct Condition {
    name: &'static str,
    conditions: Arc<watch::Sender<Conditions>>,
}

impl Conditions {
    /// Whether all hold.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.0.values().all(|met| *met)
    }

    /// The names of those that do not hold, sorted.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, met)| !**met).map(|(name, _)| *name)
    }
}

impl Readiness {
    /// No conditions yet, so ready.
    #[must_use]
    pub fn new() -> Self {
        Self { conditions: Arc::new(watch::Sender::default()) }
    }

    /// Adds a condition. Two of the same name are one.
    #[must_use]
    pub fn condition(&self, name: &'static str) -> Condition {
        self.conditions.send_modify(|conditions| {
            conditions.0.insert(name, false);
        });
        Condition { name, conditions: Arc::clone(&self.conditions) }
    }

    /// The state now.
    #[must_use]
    pub fn now(&self) -> Conditions {
        self.conditions.borrow().clone()
    }

    /// Follows the state; the receiver wakes on every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Conditions> {
        self.conditions.subscribe()
    }

    /// Waits until all conditions hold.
    pub async fn wait(&self) {
        self.watch().wait_for(Conditions::ready).await.map(drop).expect("self keeps the sender");
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Condition {
    /// Says whether it holds. It stays so until said otherwise, also when this handle is dropped.
    pub fn set(&self, met: bool) {
        self.conditions.send_if_modified(|conditions| conditions.0.insert(self.name, met) != Some(met));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_means_every_condition() {
        let readiness = Readiness::new();
        let (store, keys) = (readiness.condition("store"), readiness.condition("keys"));
        let waiting = tokio::spawn({
            let readiness = readiness.clone();
            async move { readiness.wait().await }
        });
        let missing = || readiness.now().missing().collect::<Vec<_>>();
        assert_eq!(missing(), ["keys", "store"]);
        store.set(true);
        assert_eq!((missing(), readiness.now().ready()), (vec!["keys"], false));
        keys.set(true);
        waiting.await.unwrap();
        assert!(readiness.now().ready());
        drop(keys);
        store.set(false);
        assert_eq!((missing(), readiness.now().ready()), (vec!["store"], false));
    }

    #[tokio::test]
    async fn watchers_wake_on_changes_only() {
        let readiness = Readiness::new();
        let store = readiness.condition("store");
        let mut watch = readiness.watch();
        store.set(false);
        assert!(!watch.has_changed().unwrap());
        store.set(true);
        watch.changed().await.unwrap();
        assert!(watch.borrow_and_update().ready());
    }
}
