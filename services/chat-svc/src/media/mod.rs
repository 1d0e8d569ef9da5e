//! Files that entries name: media-svc keeps them, and this service claims them there before it stores such an entry.
//! Never on a text's path.

use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::{Authorized, Releases};
use parlor_types::{ConversationId, MediaId, Op, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::media_internal_service_client::MediaInternalServiceClient;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, EntryUse, Use};
use parlor_wire::reason::from_status;
use tokio::time::timeout;

use crate::conversation::Media;
use crate::edge;

/// An entry is about to name files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose entry it will be.
    pub sender: UserId,
    /// Where.
    pub conversation: ConversationId,
    /// The sender's name for it.
    pub op: Op,
    /// The files, each once; 1 to 32.
    pub media: Vec<MediaId>,
    /// Those of them that an entry names which the sender can read: they may be sent on, whoever uploaded them.
    pub readable: Vec<MediaId>,
}

/// Why files cannot be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    /// One is not there, or not the sender's to send.
    NotFound,
    /// One is harmful.
    Refused,
    /// There is no room to note the claim.
    StorageFull,
    /// media-svc cannot be asked now.
    Unreachable,
}

/// Who keeps the files.
#[async_trait]
pub trait Claims: Send + Sync + 'static {
    /// Claims files: what is claimed is not collected for a day, which is time enough to store the entry. Gives each of them,
    /// described, in their order. May be repeated.
    async fn claim(&self, claim: Claim) -> Result<Vec<Media>, Unclaimed>;

    /// Says that an entry names these files no more. Not waited for: what is not heard is found out within days.
    fn release(&self, conversation: ConversationId, op: Op, media: Vec<MediaId>);
}

/// media-svc answers within this, or counts as out of reach. It bounds for how long appends of a conversation wait for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// media-svc, asked over its internal API.
#[derive(Debug, Clone)]
pub struct RemoteMedia {
    service: Option<(MediaInternalServiceClient<Authorized>, Releases)>,
}

impl RemoteMedia {
    /// Asks through this channel; without one it is out of reach.
    #[must_use]
    pub fn new(channel: Option<Authorized>) -> Self {
        let client = channel.map(MediaInternalServiceClient::new);
        Self { service: client.map(|client| (client.clone(), Releases::new(client))) }
    }
}

#[async_trait]
impl Claims for RemoteMedia {
    async fn claim(&self, claim: Claim) -> Result<Vec<Media>, Unclaimed> {
        let (mut client, _) = self.service.clone().ok_or(Unclaimed::Unreachable)?;
        let answer = timeout(DEADLINE, client.claim(request(&claim))).await;
        let answer = answer.map_err(|_| {
            tracing::warn!("media-svc did not answer a claim in time");
            Unclaimed::Unreachable
        })?;
        let answer = answer.map_err(|status| match from_status(&status).reason() {
            ErrorReason::MediaNotFound => Unclaimed::NotFound,
            ErrorReason::MediaRefused => Unclaimed::Refused,
            ErrorReason::StorageFull => Unclaimed::StorageFull,
            reason => {
                tracing::warn!(?reason, "media-svc did not take a claim");
                Unclaimed::Unreachable
            }
        })?;
        let described: Option<Vec<Media>> = answer.into_inner().media.iter().map(edge::described).collect();
        let described = described.filter(|described| described.iter().map(|media| media.id).eq(claim.media));
        described.ok_or_else(|| {
            tracing::error!("media-svc answered a claim with other files than were claimed");
            Unclaimed::Unreachable
        })
    }

    fn release(&self, conversation: ConversationId, op: Op, media: Vec<MediaId>) {
        if let Some((_, releases)) = &self.service {
            releases.tell(entry_of(conversation, op), texts(&media));
        }
    }
}

fn texts(ids: &[MediaId]) -> Vec<String> {
    ids.iter().map(MediaId::to_string).collect()
}

fn entry_of(conversation: ConversationId, op: Op) -> Use {
    let entry = EntryUse { conversation_id: conversation.to_string(), op: op.to_string() };
    Use { place: Some(Place::Entry(entry)) }
}

fn request(claim: &Claim) -> ClaimRequest {
    ClaimRequest {
        user_id: claim.sender.to_string(),
        r#use: Some(entry_of(claim.conversation, claim.op)),
        media_ids: texts(&claim.media),
        readable_ids: texts(&claim.readable),
    }
}

#[cfg(test)]
mod tests {
    use parlor_testkit::{PATIENCE, TestAuth, TestMedia, eventually};

    use super::*;

    #[tokio::test]
    async fn media_svc_hears_each_of_many_releases() {
        let (auth, media) = (TestAuth::new(), TestMedia::new());
        let remote = RemoteMedia::new(Some(media.internal_channel(&auth)));
        for _ in 0..500 {
            remote.release(ConversationId::new(), Op::new(), vec![MediaId::new()]);
        }
        eventually("all are told", PATIENCE, async || media.releases().len() == 500).await;
    }
}
