//! Pictures of users: media-svc keeps them, and they are claimed there before a profile has them.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::{Authorized, Releases};
use parlor_types::{Id as _, MediaId, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::media_internal_service_client::MediaInternalServiceClient;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, Use};
use parlor_wire::media::v1::{Media, Purpose};
use parlor_wire::reason::from_status;
use tokio::time::timeout;

use crate::refusal::Refusal;

/// media-svc answers within this, or counts as out of reach.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long to wait before media-svc is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// As [`RETRY`], where it has no room.
const FULL_RETRY: Duration = Duration::from_secs(30);

/// A picture of a user. Never printed but for its id.
#[derive(Clone, PartialEq)]
pub struct Avatar {
    id: MediaId,
    media: Media,
}

// No part of a description is a number that might not equal itself.
impl Eq for Avatar {}

impl Avatar {
    /// As media-svc describes it; `None` if it has no id.
    #[must_use]
    pub fn new(media: Media) -> Option<Self> {
        MediaId::parse(&media.id).map(|id| Self { id, media })
    }

    /// Which file it is.
    #[must_use]
    pub fn id(&self) -> MediaId {
        self.id
    }

    /// What media-svc says of it, to be passed on.
    #[must_use]
    pub fn media(&self) -> &Media {
        &self.media
    }
}

impl fmt::Debug for Avatar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[picture {}]", self.id)
    }
}

/// Who keeps the pictures.
#[async_trait]
pub trait Pictures: fmt::Debug + Send + Sync {
    /// Claims an upload of the user's for their profile: it is not collected for a day, which is time enough to store the
    /// profile. May be repeated.
    ///
    /// # Errors
    /// `MediaNotFound`, `MediaRefused`, `MediaMismatch`, `StorageFull`, `MediaUnavailable`.
    async fn claim(&self, user: UserId, picture: MediaId) -> Result<Avatar, Refusal>;

    /// Says that the user's profile does not have the picture any more. Not waited for: what is not heard is found out within a
    /// day.
    fn release(&self, user: UserId, picture: MediaId);
}

/// media-svc, asked over its internal API.
#[derive(Clone, Debug)]
pub struct RemotePictures {
    service: Option<(MediaInternalServiceClient<Authorized>, Releases)>,
}

impl RemotePictures {
    /// Asks through this channel; without one it is out of reach.
    #[must_use]
    pub fn new(channel: Option<Authorized>) -> Self {
        let client = channel.map(MediaInternalServiceClient::new);
        Self { service: client.map(|client| (client.clone(), Releases::new(client))) }
    }
}

#[async_trait]
impl Pictures for RemotePictures {
    async fn claim(&self, user: UserId, picture: MediaId) -> Result<Avatar, Refusal> {
        let (mut client, _) = self.service.clone().ok_or(Refusal::MediaUnavailable(RETRY))?;
        let request = ClaimRequest {
            user_id: user.to_string(),
            r#use: Some(profile_of(user)),
            media_ids: vec![picture.to_string()],
            readable_ids: Vec::new(),
        };
        let answer = timeout(DEADLINE, client.claim(request)).await.map_err(|_| {
            tracing::warn!("media-svc did not answer a claim in time");
            Refusal::MediaUnavailable(RETRY)
        })?;
        let answer = answer.map_err(|status| refusal(from_status(&status).reason()))?;
        let avatar = answer.into_inner().media.pop().and_then(Avatar::new);
        let avatar = avatar.filter(|avatar| avatar.id == picture).ok_or_else(|| {
            tracing::error!("media-svc answered a claim with another file than was claimed");
            Refusal::MediaUnavailable(RETRY)
        })?;
        match avatar.media.purpose() {
            Purpose::Avatar => Ok(avatar),
            _ => Err(Refusal::MediaMismatch),
        }
    }

    fn release(&self, user: UserId, picture: MediaId) {
        if let Some((_, releases)) = &self.service {
            releases.tell(profile_of(user), vec![picture.to_string()]);
        }
    }
}

fn profile_of(user: UserId) -> Use {
    Use { place: Some(Place::ProfileUserId(user.to_string())) }
}

fn refusal(reason: ErrorReason) -> Refusal {
    match reason {
        ErrorReason::MediaNotFound => Refusal::MediaNotFound,
        ErrorReason::MediaRefused => Refusal::MediaRefused,
        ErrorReason::StorageFull => Refusal::StorageFull(FULL_RETRY),
        reason => {
            tracing::warn!(?reason, "media-svc did not take a claim");
            Refusal::MediaUnavailable(RETRY)
        }
    }
}
