//! Bytes that belong to nothing: left by a crash between the store's word and the deletion, or by a restored backup.
//!
//! Finished files may lie in a bucket, which a wrong configuration can give to a store that knows nothing of them. So of those
//! nothing is deleted that was not found to belong to nothing a sweep before too: whoever runs the server has that long to
//! read the warning.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use parlor_types::MediaId;
use tokio_util::sync::CancellationToken;

use super::Collection;
use crate::failure::Failure;
use crate::media::{Record, Stage};

/// Files asked about at once.
const BATCH: usize = 200;
/// Files remembered from one sweep to the next; the rest waits for a later one.
const MAX_SUSPECTS: usize = 100_000;

impl Collection {
    /// Sweeps at once and then every so often, until `stop`.
    pub async fn run_sweeps(&self, stop: CancellationToken) {
        let sweeps = async {
            let mut suspects = BTreeSet::new();
            loop {
                match self.sweep(&mut suspects).await {
                    Ok(0) => {}
                    Ok(swept) => tracing::info!(swept, "bytes that belonged to no file are deleted"),
                    Err(error) => tracing::warn!(%error, "not all bytes could be swept"),
                }
                tokio::time::sleep(self.rules.sweep_every).await;
            }
        };
        stop.run_until_cancelled(sweeps).await;
    }

    /// Deletes what belongs to nothing, and did so a sweep ago; how many files that was. `suspects` carries over what is found
    /// for the first time. A record is always older than its bytes, and its id is never used again: what has none now
    /// will not have one, in this store.
    ///
    /// # Errors
    /// Some may be left.
    pub async fn sweep(&self, suspects: &mut BTreeSet<MediaId>) -> Result<usize, Failure> {
        let (mut swept, before) = (0, std::mem::take(suspects));
        for ids in self.staging.ids().await?.chunks(BATCH) {
            for id in self.without(ids, |record| matches!(record.stage, Stage::Uploading { .. })).await? {
                self.staging.remove(id).await?;
                swept += 1;
            }
        }
        // Nothing of another store's is to go.
        self.owner.own().await.map_err(|error| Failure::Broken(error.to_string().into()))?;
        let mut found = self.blobs.ids().chunks(BATCH);
        while let Some(ids) = found.next().await {
            let mut ids = ids.into_iter().collect::<Result<Vec<_>, _>>()?;
            ids.sort_unstable();
            ids.dedup();
            for id in self.without(&ids, |record| record.stage != Stage::Refused).await? {
                if before.contains(&id) {
                    self.blobs.delete(id).await?;
                    swept += 1;
                } else if suspects.len() < MAX_SUSPECTS {
                    suspects.insert(id);
                }
            }
        }
        if !suspects.is_empty() {
            tracing::warn!(
                files = suspects.len(),
                "finished files that the store does not know will be deleted by the next sweep"
            );
        }
        Ok(swept)
    }

    /// Those of which there is no record that `may` have such bytes.
    async fn without(&self, ids: &[MediaId], may: impl Fn(&Record) -> bool) -> Result<Vec<MediaId>, Failure> {
        let records = self.store.records(ids.to_vec()).await?;
        let pairs = ids.iter().zip(records);
        Ok(pairs.filter(|(_, record)| !record.as_ref().is_some_and(&may)).map(|(id, _)| *id).collect())
    }
}
