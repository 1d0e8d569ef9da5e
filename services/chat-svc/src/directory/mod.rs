//! Which users there are: auth-svc knows, this service asks when somebody is brought into a conversation. Never on a
//! message's path.

use std::time::Duration;

use async_trait::async_trait;
use parlor_grpc_kit::Authorized;
use parlor_types::UserId;
use parlor_wire::internal::auth::v1::CheckUsersRequest;
use parlor_wire::internal::auth::v1::auth_internal_service_client::AuthInternalServiceClient;
use tokio::time::timeout;

/// auth-svc cannot be asked now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

/// Which users there are.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// Whether all of these users exist.
    async fn all_exist(&self, users: &[UserId]) -> Result<bool, Unreachable>;
}

/// Users named in one question.
const AT_ONCE: usize = 200;
/// auth-svc answers within this, or counts as out of reach.
const DEADLINE: Duration = Duration::from_secs(5);

/// auth-svc, asked over its internal API.
#[derive(Debug, Clone)]
pub struct RemoteDirectory {
    client: AuthInternalServiceClient<Authorized>,
}

impl RemoteDirectory {
    /// Asks through this channel.
    #[must_use]
    pub fn new(channel: Authorized) -> Self {
        Self { client: AuthInternalServiceClient::new(channel) }
    }
}

#[async_trait]
impl Directory for RemoteDirectory {
    async fn all_exist(&self, users: &[UserId]) -> Result<bool, Unreachable> {
        for some in users.chunks(AT_ONCE) {
            let user_ids: Vec<String> = some.iter().map(UserId::to_string).collect();
            let request = CheckUsersRequest { user_ids: user_ids.clone() };
            let answer = timeout(DEADLINE, self.client.clone().check_users(request)).await;
            let answer = answer.map_err(|_| Unreachable)?.map_err(|status| {
                tracing::warn!(code = ?status.code(), "auth-svc did not say which users there are");
                Unreachable
            })?;
            let existing = answer.into_inner().existing;
            if user_ids.iter().any(|user| !existing.contains(user)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
