//! Looking again at files in quarantine, in the background and one at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::clock::Clock;
use parlor_types::MediaId;
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::retries::Retries;
use super::{Scanner, ScannerConfig, Verdict};
use crate::blobs::{BlobError, Blobs};
use crate::media::Variant;
use crate::store::{self, Store};

/// Files asked for at once.
const PAGE: u32 = 100;
/// Bytes that are fetched at once: of a slow bucket too, a stretch comes within the time that one call may take.
const STRETCH: u64 = 4 << 20;
/// The longest time between two looks at what is in quarantine.
const LOOK: Duration = Duration::from_secs(10);

/// See the module.
pub struct Later {
    store: Arc<dyn Store>,
    blobs: Blobs,
    scanner: Arc<dyn Scanner>,
    clock: Arc<dyn Clock>,
    /// Where the file is put that is being looked at.
    file: PathBuf,
    retries: Retries,
    look: Duration,
}

/// Why a file could not be looked at.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Blobs(error.into())
    }
}

impl Later {
    /// Will look with `scanner`. `file`: a path of its own, where one file at a time is put.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        blobs: Blobs,
        scanner: Arc<dyn Scanner>,
        config: &ScannerConfig,
        clock: Arc<dyn Clock>,
        file: PathBuf,
    ) -> Self {
        let retries = Retries::new(config.retry_first, config.retry_at_least);
        Self { store, blobs, scanner, clock, file, retries, look: LOOK.min(config.retry_first) }
    }

    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut looks = interval(self.look);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let looking = async {
            loop {
                looks.tick().await;
                if let Err(error) = self.look().await {
                    tracing::warn!(%error, "what is in quarantine cannot be listed");
                }
            }
        };
        stop.run_until_cancelled(looking).await;
    }

    /// Tries all that are due.
    async fn look(&mut self) -> Result<(), store::Error> {
        let mut after = None;
        loop {
            let page = self.store.unchecked(after, PAGE).await?;
            for id in &page {
                if self.retries.is_due(self.clock.now(), *id) {
                    self.attempt(*id).await;
                }
            }
            after = page.last().copied();
            if page.len() < PAGE as usize {
                self.retries.tidy(self.clock.now());
                return Ok(());
            }
        }
    }

    async fn attempt(&mut self, id: MediaId) {
        match self.check(id).await {
            Ok(true) => self.retries.forget(id),
            Ok(false) => self.retries.failed(self.clock.now(), id),
            Err(error) => {
                tracing::warn!(%id, %error, "a file in quarantine could not be looked at");
                self.retries.failed(self.clock.now(), id);
            }
        }
    }

    /// Whether it has its verdict now.
    async fn check(&self, id: MediaId) -> Result<bool, Error> {
        let Some(size) = self.size(id).await? else { return Ok(true) };
        let fetched = self.fetch(id, size).await;
        let verdict = match fetched {
            Ok(()) => Ok(self.scanner.scan(&self.file).await),
            Err(error) => Err(error),
        };
        fs::remove_file(&self.file).await?;
        let harmless = match verdict? {
            Verdict::Unknown => return Ok(false),
            Verdict::Harmless => true,
            Verdict::Harmful => false,
        };
        let told = self.store.checked(id, harmless).await?;
        if told && !harmless {
            tracing::warn!(%id, "a file in quarantine is harmful: it is deleted");
            self.blobs.delete(id).await?;
        }
        Ok(true)
    }

    /// Its bytes; `None` if it is in quarantine no more.
    async fn size(&self, id: MediaId) -> Result<Option<u64>, Error> {
        let record = self.store.records(vec![id]).await?.pop().flatten();
        let finished = record.as_ref().and_then(|record| record.finished());
        Ok(finished.filter(|finished| finished.checking).map(|finished| finished.size))
    }

    async fn fetch(&self, id: MediaId, size: u64) -> Result<(), Error> {
        let mut file = File::create(&self.file).await?;
        let mut next = 0;
        while next < size {
            let stretch = next..size.min(next + STRETCH);
            next = stretch.end;
            file.write_all(&self.blobs.read(id, Variant::Original, stretch).await?).await?;
        }
        file.flush().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
