//! Whether the place of files is this store's.

use std::sync::Arc;

use aws_lc_rs::rand;

use crate::blobs::{BlobError, Blobs, OwnError, StoreId};
use crate::store::{Random, Store};

/// See the module.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The place of its files.
    pub blobs: Blobs,
    /// The store whose files it takes over.
    pub adopt: String,
}

impl Owner {
    /// Makes sure of it at the start: see [`Blobs::probe`].
    ///
    /// # Errors
    /// It is not, or the place refuses what it is asked for.
    pub async fn probe(&self) -> Result<(), OwnError> {
        self.blobs.probe(self.id().await?, &self.adopt).await
    }

    /// Makes sure of it.
    ///
    /// # Errors
    /// It is not, or nobody can say so now.
    pub async fn own(&self) -> Result<(), OwnError> {
        self.blobs.own(self.id().await?, &self.adopt).await
    }

    async fn id(&self) -> Result<StoreId, OwnError> {
        let silent = |why: String| OwnError::Silent(BlobError::Failed(why));
        let mut fresh = [0; 32];
        rand::fill(&mut fresh).map_err(|_| silent("no random numbers".to_owned()))?;
        let id = self.store.random(Random::StoreId, fresh).await;
        id.map(StoreId).map_err(|error| silent(error.to_string()))
    }
}
