//! Files that entries name: media-svc keeps them, and this service claims them there before it stores such an entry.
//! Never on a text's path.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::Authorized;
use parlor_types::{ConversationId, MediaId, Op, UserId};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::media_internal_service_client::MediaInternalServiceClient;
use parlor_wire::internal::media::v1::r#use::Place;
use parlor_wire::internal::media::v1::{ClaimRequest, EntryUse, ReleaseRequest, Use};
use parlor_wire::reason::from_status;
use tokio::sync::Semaphore;
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

/// media-svc answers within this, or counts as out of reach. It bounds for how long a stream's appends wait for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// Releases under way at once; of more, media-svc is not told.
const RELEASES: usize = 64;

/// media-svc, asked over its internal API.
#[derive(Debug, Clone)]
pub struct RemoteMedia {
    client: Option<MediaInternalServiceClient<Authorized>>,
    releases: Arc<Semaphore>,
}

impl RemoteMedia {
    /// Asks through this channel; without one it is out of reach.
    #[must_use]
    pub fn new(channel: Option<Authorized>) -> Self {
        let client = channel.map(MediaInternalServiceClient::new);
        Self { client, releases: Arc::new(Semaphore::new(RELEASES)) }
    }
}

#[async_trait]
impl Claims for RemoteMedia {
    async fn claim(&self, claim: Claim) -> Result<Vec<Media>, Unclaimed> {
        let mut client = self.client.clone().ok_or(Unclaimed::Unreachable)?;
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
        let Some(mut client) = self.client.clone() else { return };
        let Ok(turn) = Arc::clone(&self.releases).try_acquire_owned() else { return };
        let request = ReleaseRequest { r#use: Some(entry_of(conversation, op)), media_ids: texts(&media) };
        tokio::spawn(async move {
            if !matches!(timeout(DEADLINE, client.release(request)).await, Ok(Ok(_))) {
                tracing::debug!("media-svc did not hear that files are not used any more");
            }
            drop(turn);
        });
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
