//! Everything done with passwords, on blocking threads and within the bounds of the queue.

use std::sync::Arc;

use super::hashing::{Hasher, PasswordHash};
use super::password::Password;
use super::queue::HashQueue;
use crate::refusal::Refusal;

/// Makes, checks and renews password hashes.
pub struct Passwords {
    hasher: Arc<dyn Hasher>,
    dummy: PasswordHash,
    queue: HashQueue,
}

impl Passwords {
    /// `dummy` stands in for the hash of accounts that have none, so that asking for one costs the same.
    #[must_use]
    pub fn new(hasher: Arc<dyn Hasher>, dummy: PasswordHash, queue: HashQueue) -> Self {
        Self { hasher, dummy, queue }
    }

    /// Hashes a new password, unless it is too easy to guess. `known` are words an attacker tries first.
    ///
    /// # Errors
    /// `PasswordWeak`, `Overloaded`, `Internal`.
    pub async fn create(&self, password: Password, known: Vec<String>) -> Result<PasswordHash, Refusal> {
        let hasher = Arc::clone(&self.hasher);
        let job = move || {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            match password.weakness(&known) {
                Some(weakness) => Err(Refusal::PasswordWeak(weakness)),
                None => hasher.hash(&password).map_err(Refusal::Internal),
            }
        };
        self.queue.run(job).await?
    }

    /// Whether the password is the hashed one. Without a hash the answer is no, after the same work.
    ///
    /// # Errors
    /// `Overloaded`, `Internal`.
    pub async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, Refusal> {
        let hasher = Arc::clone(&self.hasher);
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.clone());
        Ok(self.queue.run(move || hasher.verify(&password, &hash) && exists).await?)
    }

    /// A hash of the configured cost in place of one that has another; nothing if `hash` is as it should be.
    ///
    /// # Errors
    /// `Overloaded`, `Internal`.
    pub async fn renew(
        &self,
        password: Password,
        hash: &PasswordHash,
    ) -> Result<Option<PasswordHash>, Refusal> {
        if self.hasher.is_current(hash) {
            return Ok(None);
        }
        let hasher = Arc::clone(&self.hasher);
        self.queue.run(move || hasher.hash(&password)).await?.map(Some).map_err(Refusal::Internal)
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("queue", &self.queue).finish_non_exhaustive()
    }
}
