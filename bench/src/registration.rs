//! Accounts on a server that is measured.

use anyhow::{Context as _, Result};
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, RegisterRequest};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Everybody's.
const PASSWORD: &str = "correct horse battery staple";

/// Settings without which a server refuses so many accounts and calls from one address.
pub const SETTINGS: &[&str] = &[
    "auth.limits.register.burst=1000000",
    "auth.limits.register.per_second=1000000",
    "server.max_connections_per_address=100000",
];

/// Adds the access token, if there is one.
#[derive(Debug, Clone, Default)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// Registers somebody new.
pub async fn register(channel: Channel, number: usize) -> Result<Bearer> {
    let device = Device { device_id: DeviceId::new().to_string(), name: "bench".to_owned() };
    let request = RegisterRequest {
        op: Op::new().to_string(),
        username: format!("bench.{number}"),
        password: PASSWORD.to_owned(),
        display_name: String::new(),
        device: Some(device),
    };
    let answer = AuthServiceClient::new(channel).register(request).await?.into_inner();
    let token = answer.credentials.context("credentials")?.access_token;
    Ok(Bearer(Some(format!("Bearer {token}").parse()?)))
}
