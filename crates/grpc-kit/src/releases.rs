//! Telling media-svc which files are not used any more.

use std::time::Duration;

use parlor_wire::internal::media::v1::media_internal_service_client::MediaInternalServiceClient;
use parlor_wire::internal::media::v1::{ReleaseRequest, Use};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Authorized;

/// Releases that wait; of more, media-svc is not told. It finds them out by itself within days.
const WAITING: usize = 4096;
/// media-svc answers one within this, or has not heard it.
const DEADLINE: Duration = Duration::from_secs(2);

/// A line of releases to media-svc, told one after another. Clones share it.
#[derive(Debug, Clone)]
pub struct Releases(mpsc::Sender<ReleaseRequest>);

impl Releases {
    /// Tells them through this client, in a task that ends with the last clone.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn new(mut client: MediaInternalServiceClient<Authorized>) -> Self {
        let (line, mut next) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            while let Some(release) = next.recv().await {
                if !matches!(timeout(DEADLINE, client.release(release)).await, Ok(Ok(_))) {
                    tracing::debug!("media-svc did not hear that files are not used any more");
                }
            }
        });
        Self(line)
    }

    /// `place` names these files no more. Not waited for.
    pub fn tell(&self, place: Use, media_ids: Vec<String>) {
        let release = ReleaseRequest { r#use: Some(place), media_ids };
        if self.0.try_send(release).is_err() {
            tracing::warn!("too many releases wait for media-svc: this one it will find out by itself");
        }
    }
}
