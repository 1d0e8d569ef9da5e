//! Who uses a file: chat-svc knows of its entries and groups, auth-svc of its profiles. This service asks both.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::Authorized;
use parlor_types::{Id as _, MediaId};
use parlor_wire::internal::auth::v1::FindMediaReferencesRequest as AskAuth;
use parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient;
use parlor_wire::internal::chat::v1::FindMediaReferencesRequest as AskChat;
use parlor_wire::internal::chat::v1::chat_internal_service_client::ChatInternalServiceClient;
use tokio::time::timeout;

/// Each of them answers within this, or counts as out of reach.
const DEADLINE: Duration = Duration::from_secs(10);
/// Files that one question may be about.
pub const MAX_ASKED: u32 = 200;

/// Somebody who may use files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// chat-svc.
    Chat,
    /// auth-svc.
    Auth,
}

/// It could not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

/// Who uses files.
#[async_trait]
pub trait References: Send + Sync + 'static {
    /// Which of `ids`, 1 to [`MAX_ASKED`], the witness uses.
    async fn used(&self, witness: Witness, ids: &[MediaId]) -> Result<BTreeSet<MediaId>, Unanswered>;
}

/// Both services, asked over their internal APIs.
#[derive(Clone, Debug)]
pub struct RemoteReferences {
    chat: ChatInternalServiceClient<Authorized>,
    auth: AuthInternalServiceClient<Authorized>,
}

impl RemoteReferences {
    /// Asks through these channels.
    #[must_use]
    pub fn new(chat: Authorized, auth: Authorized) -> Self {
        Self { chat: ChatInternalServiceClient::new(chat), auth: AuthInternalServiceClient::new(auth) }
    }
}

#[async_trait]
impl References for RemoteReferences {
    async fn used(&self, witness: Witness, ids: &[MediaId]) -> Result<BTreeSet<MediaId>, Unanswered> {
        let media_ids: Vec<_> = ids.iter().map(MediaId::to_string).collect();
        let answer = timeout(DEADLINE, async {
            match witness {
                Witness::Chat => {
                    let answer = self.chat.clone().find_media_references(AskChat { media_ids }).await;
                    answer.map(|answer| answer.into_inner().referenced_ids)
                }
                Witness::Auth => {
                    let answer = self.auth.clone().find_media_references(AskAuth { media_ids }).await;
                    answer.map(|answer| answer.into_inner().referenced_ids)
                }
            }
        });
        let answer = answer.await.map_err(|_| {
            tracing::warn!(?witness, "it was not said in time which files are used");
            Unanswered
        })?;
        let used = answer.map_err(|status| {
            tracing::warn!(?witness, code = ?status.code(), "it was not said which files are used");
            Unanswered
        })?;
        ids_of(&used, ids)
            .inspect_err(|_| tracing::error!(?witness, "an answer about other files than asked"))
    }
}

/// An answer that names what was not asked is none.
fn ids_of(used: &[String], asked: &[MediaId]) -> Result<BTreeSet<MediaId>, Unanswered> {
    let known = |text: &String| MediaId::parse(text).filter(|id| asked.contains(id)).ok_or(Unanswered);
    used.iter().map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::random_id;

    #[test]
    fn an_answer_about_others_is_no_answer() {
        let (asked, other) = ([random_id(), random_id()], random_id());
        let texts = |ids: &[MediaId]| ids.iter().map(MediaId::to_string).collect::<Vec<_>>();
        assert_eq!(ids_of(&texts(&asked[..1]), &asked), Ok([asked[0]].into()));
        assert_eq!(ids_of(&[], &asked), Ok(BTreeSet::new()));
        assert_eq!(ids_of(&texts(&[asked[0], other]), &asked), Err(Unanswered));
        assert_eq!(ids_of(&["x".to_owned()], &asked), Err(Unanswered));
    }
}
