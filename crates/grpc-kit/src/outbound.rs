//! Calls to other services: the caller's own credential on each.

mod login;

use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::reason::problem_status;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::Service;

use crate::problem::problem;

pub use login::ServiceTokens;

/// Gives access tokens for internal calls, renewed in time.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good for at least as long as a call takes.
    ///
    /// # Errors
    /// Why there is none now; it becomes the call's failure.
    async fn token(&self) -> Result<String, Problem>;
}

/// A channel that sends an access token with each call.
#[derive(Clone)]
pub struct Authorized {
    channel: Channel,
    tokens: Arc<dyn TokenSource>,
}

impl Authorized {
    /// Calls through `channel` with what `tokens` gives.
    #[must_use]
    pub fn new(channel: Channel, tokens: Arc<dyn TokenSource>) -> Self {
        Self { channel, tokens }
    }
}

impl Service<Request<Body>> for Authorized {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let unready = self.channel.clone();
        let mut ready = std::mem::replace(&mut self.channel, unready);
        let tokens = Arc::clone(&self.tokens);
        Box::pin(async move {
            match tokens.token().await.and_then(|token| bearer(&token)) {
                Ok(value) => {
                    request.headers_mut().insert(AUTHORIZATION, value);
                    ready.call(request).await
                }
                Err(problem) => Ok(problem_status(&problem).into_http()),
            }
        })
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| problem(ErrorReason::Internal, "the service's own token is not text"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl std::fmt::Debug for Authorized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorized").finish_non_exhaustive()
    }
}
