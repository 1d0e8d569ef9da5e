//! Who may see whom: chat-svc knows, this service asks. Never on a message's path.

use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::Authorized;
use parlor_types::UserId;
use parlor_wire::internal::chat::v1::chat_internal_service_client::ChatInternalServiceClient;
use parlor_wire::internal::chat::v1::{CheckVisibilityRequest, CheckVisibilityResponse};
use tokio::time::timeout;

use crate::presence::Sight;
use crate::watching::Unanswered;

/// chat-svc answers within this, or counts as out of reach.
const DEADLINE: Duration = Duration::from_secs(5);

/// Who may see whom.
#[async_trait]
pub trait Visibility: Send + Sync + 'static {
    /// What `viewer` may see of each of `users`, 1 to 200, in their order.
    async fn sights(&self, viewer: UserId, users: &[UserId]) -> Result<Vec<Sight>, Unanswered>;
}

/// chat-svc, asked over its internal API.
#[derive(Debug, Clone)]
pub struct RemoteVisibility {
    client: ChatInternalServiceClient<Authorized>,
}

impl RemoteVisibility {
    /// Asks through this channel.
    #[must_use]
    pub fn new(channel: Authorized) -> Self {
        Self { client: ChatInternalServiceClient::new(channel) }
    }
}

#[async_trait]
impl Visibility for RemoteVisibility {
    async fn sights(&self, viewer: UserId, users: &[UserId]) -> Result<Vec<Sight>, Unanswered> {
        let user_ids: Vec<_> = users.iter().map(UserId::to_string).collect();
        let request = CheckVisibilityRequest { viewer_id: viewer.to_string(), user_ids: user_ids.clone() };
        let answer = timeout(DEADLINE, self.client.clone().check_visibility(request)).await;
        let answer = answer.map_err(|_| {
            tracing::warn!("chat-svc did not say in time who may see whom");
            Unanswered
        })?;
        let answer = answer.map_err(|status| {
            tracing::warn!(code = ?status.code(), "chat-svc did not say who may see whom");
            Unanswered
        })?;
        sights_of(&user_ids, &answer.into_inner())
    }
}

/// An answer that is not one for each user in order is none.
fn sights_of(asked: &[String], answer: &CheckVisibilityResponse) -> Result<Vec<Sight>, Unanswered> {
    if !answer.visibilities.iter().map(|visibility| &visibility.user_id).eq(asked) {
        tracing::error!("chat-svc answered for other users than it was asked about");
        return Err(Unanswered);
    }
    let sight = |visibility: &parlor_wire::internal::chat::v1::Visibility| Sight {
        online: visibility.online,
        last_seen: visibility.last_seen,
    };
    Ok(answer.visibilities.iter().map(sight).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g7_an_answer_about_others_is_no_answer() {
        let (ada, ben) = ("ada".to_owned(), "ben".to_owned());
        let visibility = |user_id: &String| parlor_wire::internal::chat::v1::Visibility {
            user_id: user_id.clone(),
            online: true,
            last_seen: false,
        };
        let answer = |users: &[&String]| CheckVisibilityResponse {
            visibilities: users.iter().map(|user| visibility(user)).collect(),
        };
        let asked = [ada.clone(), ben.clone()];
        let sight = Sight { online: true, last_seen: false };
        assert_eq!(sights_of(&asked, &answer(&[&ada, &ben])), Ok(vec![sight; 2]));
        for wrong in [&[&ben, &ada][..], &[&ada], &[&ada, &ben, &ada], &[]] {
            assert_eq!(sights_of(&asked, &answer(wrong)), Err(Unanswered), "G7: {wrong:?}");
        }
    }
}
