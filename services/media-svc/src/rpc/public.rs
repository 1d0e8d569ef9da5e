//! `parlor.media.v1.MediaService`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use parlor_wire::media::v1::media_service_server::MediaService;
use parlor_wire::media::v1::*;
use tonic::{Request, Response, Status};

use super::downloads::OutRpc;
use super::{downloads, uploads};
use crate::collection::Collection;
use crate::finish::Finisher;
use crate::uploads::Uploads;

/// See the module.
#[derive(Clone)]
pub(crate) struct PublicRpc {
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) finisher: Arc<Finisher>,
    pub(crate) collection: Arc<Collection>,
    pub(crate) window: u64,
    pub(crate) out: OutRpc,
}

/// What Download answers.
pub(super) type Downloading = Pin<Box<dyn Stream<Item = Result<DownloadResponse, Status>> + Send>>;

#[tonic::async_trait]
impl MediaService for PublicRpc {
    async fn create_upload(
        &self,
        request: Request<CreateUploadRequest>,
    ) -> Result<Response<CreateUploadResponse>, Status> {
        uploads::create_upload(self, request).await
    }

    async fn upload_part(
        &self,
        request: Request<UploadPartRequest>,
    ) -> Result<Response<UploadPartResponse>, Status> {
        uploads::upload_part(self, request).await
    }

    async fn get_upload(
        &self,
        request: Request<GetUploadRequest>,
    ) -> Result<Response<GetUploadResponse>, Status> {
        uploads::get_upload(self, request).await
    }

    async fn finish_upload(
        &self,
        request: Request<FinishUploadRequest>,
    ) -> Result<Response<FinishUploadResponse>, Status> {
        uploads::finish_upload(self, request).await
    }

    async fn delete_media(
        &self,
        request: Request<DeleteMediaRequest>,
    ) -> Result<Response<DeleteMediaResponse>, Status> {
        uploads::delete_media(self, request).await
    }

    async fn get_usage(
        &self,
        request: Request<GetUsageRequest>,
    ) -> Result<Response<GetUsageResponse>, Status> {
        uploads::get_usage(self, request).await
    }

    async fn get_media(
        &self,
        request: Request<GetMediaRequest>,
    ) -> Result<Response<GetMediaResponse>, Status> {
        downloads::get_media(&self.out, request).await
    }

    type DownloadStream = Downloading;

    async fn download(&self, request: Request<DownloadRequest>) -> Result<Response<Downloading>, Status> {
        downloads::download(&self.out, request).await
    }

    async fn batch_get_media_urls(
        &self,
        request: Request<BatchGetMediaUrlsRequest>,
    ) -> Result<Response<BatchGetMediaUrlsResponse>, Status> {
        downloads::batch_get_media_urls(&self.out, request).await
    }
}
