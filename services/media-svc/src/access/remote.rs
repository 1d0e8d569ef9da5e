//! chat-svc and auth-svc, asked over their internal APIs.

use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::Authorized;
use parlor_types::{Id as _, MediaId, UserId};
use parlor_wire::internal::auth::v1::FindMediaReferencesRequest;
use parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient;
use parlor_wire::internal::chat::v1::CheckMediaAccessRequest;
use parlor_wire::internal::chat::v1::chat_internal_service_client::ChatInternalServiceClient;
use tokio::time::timeout;

use super::{Sharing, Unanswered};

/// They answer within this, or count as out of reach.
const DEADLINE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone, Debug)]
pub struct RemoteSharing {
    chat: ChatInternalServiceClient<Authorized>,
    auth: AuthInternalServiceClient<Authorized>,
}

impl RemoteSharing {
    /// Asks chat-svc about entries and auth-svc about profiles.
    #[must_use]
    pub fn new(chat: Authorized, auth: Authorized) -> Self {
        Self { chat: ChatInternalServiceClient::new(chat), auth: AuthInternalServiceClient::new(auth) }
    }
}

#[async_trait]
impl Sharing for RemoteSharing {
    async fn readable(&self, user: UserId, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        let request = CheckMediaAccessRequest { user_id: user.to_string(), media_ids: texts(media) };
        match timeout(DEADLINE, self.chat.clone().check_media_access(request)).await {
            Ok(Ok(answer)) => ids(&answer.into_inner().readable_ids),
            Ok(Err(status)) => Err(unanswered("chat-svc", status.code())),
            Err(elapsed) => Err(unanswered("chat-svc", elapsed)),
        }
    }

    async fn pictures(&self, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        let request = FindMediaReferencesRequest { media_ids: texts(media) };
        match timeout(DEADLINE, self.auth.clone().find_media_references(request)).await {
            Ok(Ok(answer)) => ids(&answer.into_inner().referenced_ids),
            Ok(Err(status)) => Err(unanswered("auth-svc", status.code())),
            Err(elapsed) => Err(unanswered("auth-svc", elapsed)),
        }
    }
}

fn texts(media: &[MediaId]) -> Vec<String> {
    media.iter().map(MediaId::to_string).collect()
}

/// An answer with something in it that is no id is none.
fn ids(texts: &[String]) -> Result<HashSet<MediaId>, Unanswered> {
    let ids: Option<_> = texts.iter().map(|text| MediaId::parse(text)).collect();
    ids.ok_or_else(|| unanswered("who was asked", "an id that is none"))
}

fn unanswered(service: &str, why: impl Debug) -> Unanswered {
    tracing::warn!(service, ?why, "it cannot be told who may have a file");
    Unanswered
}
