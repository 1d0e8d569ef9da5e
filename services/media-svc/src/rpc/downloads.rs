//! GetMedia, Download and BatchGetMediaUrls.

use parlor_wire::media::v1::*;
use tonic::{Request, Response, Status};

use super::public::{Downloading, PublicRpc};

pub(super) async fn get_media(
    _: &PublicRpc,
    _: Request<GetMediaRequest>,
) -> Result<Response<GetMediaResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn download(
    _: &PublicRpc,
    _: Request<DownloadRequest>,
) -> Result<Response<Downloading>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn batch_get_media_urls(
    _: &PublicRpc,
    _: Request<BatchGetMediaUrlsRequest>,
) -> Result<Response<BatchGetMediaUrlsResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}
