//! The addresses this server gives, with the key that is kept in the store.

use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::rand;
use tokio::sync::OnceCell;

use super::{Link, Signer, Useless};
use crate::store::{Error, Random, Store};

/// See the module.
#[derive(Debug)]
pub struct Links {
    store: Arc<dyn Store>,
    /// What stands before the token.
    base: String,
    signer: OnceCell<Signer>,
}

impl Links {
    /// Addresses are `base` (empty, or an address without a '/' at its end), `prefix` and a token.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, base: &str, prefix: &str) -> Self {
        Self { store, base: format!("{base}{prefix}"), signer: OnceCell::new() }
    }

    /// The address of `link`.
    ///
    /// # Errors
    /// The key cannot be had.
    pub async fn address(&self, link: &Link) -> Result<String, Error> {
        Ok(format!("{}{}", self.base, self.signer().await?.token(link)))
    }

    /// What a token is good for.
    ///
    /// # Errors
    /// The key cannot be had.
    pub async fn open(&self, token: &str, now: SystemTime) -> Result<Result<Link, Useless>, Error> {
        Ok(self.signer().await?.open(token, now))
    }

    async fn signer(&self) -> Result<&Signer, Error> {
        self.signer
            .get_or_try_init(|| async {
                let mut fresh = [0; 32];
                rand::fill(&mut fresh).map_err(|_| Error::Broken("no random numbers".to_owned()))?;
                Ok(Signer::new(&self.store.random(Random::LinkKey, fresh).await?))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_types::{SessionId, UserId};

    use super::*;
    use crate::app::testing::Scene;
    use crate::media::{Variant, random_id};

    fn link(ends: SystemTime) -> Link {
        Link {
            media: random_id(),
            variant: Variant::Original,
            user: UserId::new(),
            session: SessionId::new(),
            ends,
        }
    }

    #[tokio::test]
    async fn the_key_is_that_of_the_store() {
        let (scene, other) = (Scene::new(), Scene::new());
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let link = link(now + Duration::from_secs(60));
        let address = scene.links.address(&link).await.unwrap();
        let token = address.strip_prefix("/media/").unwrap();
        let restarted = Links::new(Arc::clone(&scene.store), "", "/media/");
        assert_eq!(restarted.open(token, now).await, Ok(Ok(link)));
        assert_eq!(other.links.open(token, now).await, Ok(Err(Useless::Forged)), "each store has its own");
    }

    #[tokio::test]
    async fn addresses_begin_as_the_operator_says() {
        let scene = Scene::with_base("https://files.example.org/parlor");
        let address = scene.links.address(&link(SystemTime::now())).await.unwrap();
        assert!(address.starts_with("https://files.example.org/parlor/media/"), "{address}");
    }
}
