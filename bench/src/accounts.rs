//! Accounts on a server that is measured: real ones, with passwords hashed as they have to be.

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use parlor_types::{DeviceId, Op};
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, RegisterRequest};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Everybody's.
const PASSWORD: &str = "correct horse battery staple";
/// Registrations at once: enough for the server to hash on every processor.
const AT_ONCE: usize = 8;

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

/// Somebody who has registered.
#[derive(Debug, Clone)]
pub struct Account {
    /// Who.
    pub user_id: String,
    /// Good for ten minutes; a stream that was opened with it lives on.
    pub bearer: Bearer,
}

/// Of the person with this number.
pub fn username(number: usize) -> String {
    format!("bench.{number}")
}

/// Registers so many.
pub async fn register(channel: Channel, people: usize) -> Result<Vec<Account>> {
    let all = (0..people).map(|number| register_one(channel.clone(), number));
    stream::iter(all).buffered(AT_ONCE).try_collect().await
}

async fn register_one(channel: Channel, number: usize) -> Result<Account> {
    let device = Device { device_id: DeviceId::new().to_string(), name: "bench".to_owned() };
    let request = RegisterRequest {
        op: Op::new().to_string(),
        username: username(number),
        password: PASSWORD.to_owned(),
        display_name: String::new(),
        device: Some(device),
    };
    let answer = AuthServiceClient::new(channel).register(request).await?.into_inner();
    let credentials = answer.credentials.context("credentials")?;
    let bearer = Bearer(Some(format!("Bearer {}", credentials.access_token).parse()?));
    Ok(Account { user_id: credentials.user_id, bearer })
}
