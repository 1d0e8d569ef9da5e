//! CreateUpload, UploadPart, GetUpload, FinishUpload, DeleteMedia and GetUsage.

use parlor_wire::media::v1::*;
use tonic::{Request, Response, Status};

use super::public::PublicRpc;

pub(super) async fn create_upload(
    _: &PublicRpc,
    _: Request<CreateUploadRequest>,
) -> Result<Response<CreateUploadResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn upload_part(
    _: &PublicRpc,
    _: Request<UploadPartRequest>,
) -> Result<Response<UploadPartResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn get_upload(
    _: &PublicRpc,
    _: Request<GetUploadRequest>,
) -> Result<Response<GetUploadResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn finish_upload(
    _: &PublicRpc,
    _: Request<FinishUploadRequest>,
) -> Result<Response<FinishUploadResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn delete_media(
    _: &PublicRpc,
    _: Request<DeleteMediaRequest>,
) -> Result<Response<DeleteMediaResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}

pub(super) async fn get_usage(
    _: &PublicRpc,
    _: Request<GetUsageRequest>,
) -> Result<Response<GetUsageResponse>, Status> {
    Err(Status::unimplemented("not served yet"))
}
