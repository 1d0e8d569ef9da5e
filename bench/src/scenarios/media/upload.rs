//! One upload, as a client makes it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use parlor_types::Op;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::media_service_client::MediaServiceClient;
use parlor_wire::media::v1::{
    CreateUploadRequest, DeleteMediaRequest, FinishUploadRequest, Purpose, UploadPartRequest,
};
use parlor_wire::reason::from_status;
use sha2::{Digest as _, Sha256};
use tokio::time::sleep;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::accounts::Bearer;

/// Parts on their way at a time.
const IN_FLIGHT: usize = 4;
/// How long one waits who is told to come again and not when.
const PAUSE: Duration = Duration::from_millis(100);

/// What is uploaded.
pub struct Content {
    bytes: Bytes,
    sha256: Bytes,
}

impl Content {
    /// So many bytes of noise: no disk and no network makes it smaller.
    pub fn random(bytes: usize) -> Self {
        let bytes: Bytes = std::iter::repeat_with(rand::random::<u64>)
            .flat_map(u64::to_le_bytes)
            .take(bytes)
            .collect::<Vec<_>>()
            .into();
        let sha256 = Bytes::copy_from_slice(&Sha256::digest(&bytes));
        Self { bytes, sha256 }
    }
}

/// Somebody who uploads, on a connection of its own.
#[derive(Clone)]
pub struct Uploader(MediaServiceClient<InterceptedService<Channel, Bearer>>);

impl Uploader {
    pub fn new(channel: Channel, bearer: Bearer) -> Self {
        Self(MediaServiceClient::with_interceptor(channel, bearer))
    }

    /// The whole of it, from the first call to the answer to the last; the id of what is there then.
    pub async fn upload(&self, content: Arc<Content>) -> Result<String> {
        let mut client = self.0.clone();
        let request = CreateUploadRequest {
            op: Op::new().to_string(),
            name: "noise.bin".to_owned(),
            size: content.bytes.len() as u64,
            media_type: String::new(),
            sha256: content.sha256.clone(),
            purpose: Purpose::File.into(),
        };
        let upload = client.create_upload(request).await?.into_inner().upload.context("an upload")?;
        let part_bytes = upload.part_bytes as usize;
        let parts = (0..content.bytes.len()).step_by(part_bytes).map(|offset| {
            let data = content.bytes.slice(offset..content.bytes.len().min(offset + part_bytes));
            UploadPartRequest { media_id: upload.media_id.clone(), offset: offset as u64, data }
        });
        let parts = stream::iter(parts.collect::<Vec<_>>()).map(Ok::<_, Status>);
        let send = |part: UploadPartRequest| {
            let client = self.0.clone();
            async move {
                let attempt = || {
                    let (mut client, part) = (client.clone(), part.clone());
                    async move { client.upload_part(part).await }
                };
                repeated(attempt).await.map(drop)
            }
        };
        parts.try_for_each_concurrent(IN_FLIGHT, send).await?;
        let finish = || {
            let (mut client, media_id) = (self.0.clone(), upload.media_id.clone());
            async move { client.finish_upload(FinishUploadRequest { media_id }).await }
        };
        repeated(finish).await?;
        Ok(upload.media_id)
    }

    pub async fn delete(&self, media_id: String) -> Result<()> {
        self.0.clone().delete_media(DeleteMediaRequest { media_id }).await?;
        Ok(())
    }
}

/// Again, for as long as the server is too busy, when it says.
async fn repeated<T, F>(call: impl Fn() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    loop {
        match call().await {
            Ok(response) => return Ok(response.into_inner()),
            Err(status) => {
                let problem = from_status(&status);
                if problem.reason() != ErrorReason::Overloaded {
                    return Err(status);
                }
                let advised = problem.retry_after.and_then(|after| Duration::try_from(after).ok());
                sleep(advised.unwrap_or(PAUSE)).await;
            }
        }
    }
}
