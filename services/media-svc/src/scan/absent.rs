//! Where there is no scanner any more: what was in quarantine would stay there for ever.

use std::time::Duration;

use crate::store::{Error, Store};

/// Files asked for at once.
const PAGE: u32 = 100;
/// How long to wait before a store that does not answer is asked again.
const RETRY: Duration = Duration::from_secs(10);

/// Lets go of all that is in quarantine, and says so.
pub async fn release(store: &dyn Store) {
    loop {
        match release_all(store).await {
            Ok(0) => return,
            Ok(files) => {
                return tracing::warn!(
                    files,
                    "there is no scanner any more: files leave the quarantine unscanned"
                );
            }
            Err(error) => tracing::warn!(%error, "files cannot leave the quarantine"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn release_all(store: &dyn Store) -> Result<usize, Error> {
    let (mut released, mut after) = (0, None);
    loop {
        let page = store.unchecked(after, PAGE).await?;
        for id in &page {
            released += usize::from(store.checked(*id, true).await?);
        }
        after = page.last().copied();
        if page.len() < PAGE as usize {
            return Ok(released);
        }
    }
}

#[cfg(test)]
mod tests {
    use parlor_types::UserId;

    use super::*;
    use crate::app::testing::Scene;
    use crate::media::Variant;

    #[tokio::test]
    async fn what_was_in_quarantine_can_be_had() {
        let (scene, ada) = (Scene::new(), UserId::new());
        let mut files = Vec::new();
        for _ in 0..=PAGE {
            files.push(scene.quarantined(ada, b"bytes").await);
        }
        release(&*scene.store).await;
        for id in files {
            scene.downloads.find(ada, id, Variant::Original).await.unwrap();
        }
    }
}
