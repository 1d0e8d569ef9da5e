//! Access tokens for services that live in the same process.

use std::sync::Arc;

use async_trait::async_trait;
use parlor_grpc_kit::TokenSource;
use parlor_runtime::clock::Clock;
use parlor_types::SessionId;
use parlor_wire::errors::v1::{ErrorReason, Problem};
use secrecy::ExposeSecret as _;

use crate::tokens::Issuer;

/// Makes a token whenever one is asked for: signing costs less than keeping one fresh.
pub(super) struct LocalTokens {
    issuer: Arc<Issuer>,
    clock: Arc<dyn Clock>,
    process: SessionId,
}

impl LocalTokens {
    pub(super) fn new(issuer: Arc<Issuer>, clock: Arc<dyn Clock>, process: SessionId) -> Self {
        Self { issuer, clock, process }
    }
}

#[async_trait]
impl TokenSource for LocalTokens {
    async fn token(&self) -> Result<String, Problem> {
        match self.issuer.internal_token(self.process, self.clock.wall().into()) {
            Ok(token) => Ok(token.text.expose_secret().to_owned()),
            Err(error) => {
                tracing::error!(%error, "no token for a service of this process");
                let reason = ErrorReason::Internal.into();
                Err(Problem { reason, message: "no internal token".to_owned(), ..Problem::default() })
            }
        }
    }
}
