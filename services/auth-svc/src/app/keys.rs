//! The keys of this process: read or made at the start, and given to its own verifier.

use std::sync::Arc;

use async_trait::async_trait;
use parlor_grpc_kit::{KeySet, KeySource};

use super::StartError;
use crate::config::KeysConfig;
use crate::refusal::Refusal;
use crate::rpc::jwk;
use crate::store::Store;
use crate::tokens::{Issuer, KeyFileError, Keys};

/// The keys of this process, which never change while it runs.
pub(super) struct OwnKeys(Arc<KeySet>);

#[async_trait]
impl KeySource for OwnKeys {
    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.0)
    }

    async fn refresh(&self) {}
}

impl OwnKeys {
    pub(super) fn of(issuer: &Issuer) -> Arc<Self> {
        let jwks: Vec<_> = issuer.keys().public().into_iter().map(jwk).collect();
        let keys = KeySet::from_jwks(&jwks).expect("own keys are Ed25519 keys with ids of their own");
        Arc::new(Self(Arc::new(keys)))
    }
}

/// Reads the keys. Makes them if there are none and, unless the operator says that they are lost, no accounts either.
pub(super) async fn open(config: &KeysConfig, store: &dyn Store) -> Result<Keys, StartError> {
    let path = &config.path;
    if let Some(keys) = Keys::load(path)? {
        return Ok(keys);
    }
    let is_new = store.is_empty().await.map_err(Refusal::from)?;
    if !is_new && !config.replace_lost {
        return Err(StartError::KeysLost { path: path.clone() });
    }
    let keys = Keys::generate().map_err(KeyFileError::from)?;
    keys.save(path)?;
    tracing::info!(path = %path.display(), "keys made");
    Ok(keys)
}
