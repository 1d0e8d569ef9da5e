//! The chat API with an access token.

use parlor_wire::chat::v1::chat_service_client::ChatServiceClient;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// The generated client, for somebody in particular. Clones share the connection.
pub type ChatClient = ChatServiceClient<InterceptedService<Channel, Bearer>>;

/// Adds `authorization: Bearer …`, or nothing.
#[derive(Debug, Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Bearer {
    /// This access token; `None` is none.
    ///
    /// # Panics
    /// The token is not text for a header.
    #[must_use]
    pub fn new(token: Option<&str>) -> Self {
        let value = |token| format!("Bearer {token}").parse().expect("a token is text for a header");
        Self(token.map(value))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// Calls through `channel` with this access token; `None` sends none.
///
/// # Panics
/// The token is not text for a header.
#[must_use]
pub fn chat_client(channel: Channel, token: Option<&str>) -> ChatClient {
    ChatServiceClient::with_interceptor(channel, Bearer::new(token))
}

/// Why a call failed.
///
/// # Panics
/// It did not.
#[track_caller]
pub fn reason<T: std::fmt::Debug>(result: Result<T, Status>) -> ErrorReason {
    from_status(&result.expect_err("the call fails")).reason()
}
