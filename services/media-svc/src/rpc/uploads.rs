//! CreateUpload, UploadPart, GetUpload, FinishUpload, DeleteMedia and GetUsage.

use parlor_grpc_kit::caller;
use parlor_wire::media::v1::*;
use tonic::{Request, Response, Status};

use super::public::PublicRpc;
use super::{answer, encode, fields};
use crate::failure::Failure;

pub(super) async fn create_upload(
    rpc: &PublicRpc,
    request: Request<CreateUploadRequest>,
) -> Result<Response<CreateUploadResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let (op, declared) = fields::declared(request.get_ref()).map_err(answer::invalid)?;
    let upload = rpc.uploads.begin(owner, op, declared).await.map_err(answer::failure)?;
    Ok(Response::new(CreateUploadResponse { upload: Some(encode::upload(&upload, rpc.window)) }))
}

pub(super) async fn upload_part(
    rpc: &PublicRpc,
    request: Request<UploadPartRequest>,
) -> Result<Response<UploadPartResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let request = request.into_inner();
    let id = fields::media_id(&request.media_id).map_err(answer::invalid)?;
    let received = rpc.uploads.part(owner, id, request.offset, request.data).await;
    Ok(Response::new(UploadPartResponse { received_bytes: received.map_err(answer::failure)? }))
}

pub(super) async fn get_upload(
    rpc: &PublicRpc,
    request: Request<GetUploadRequest>,
) -> Result<Response<GetUploadResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let id = fields::media_id(&request.get_ref().media_id).map_err(answer::invalid)?;
    let upload = rpc.uploads.status(owner, id).await.map_err(answer::failure)?;
    Ok(Response::new(GetUploadResponse { upload: Some(encode::upload(&upload, rpc.window)) }))
}

pub(super) async fn finish_upload(
    rpc: &PublicRpc,
    request: Request<FinishUploadRequest>,
) -> Result<Response<FinishUploadResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let id = fields::media_id(&request.get_ref().media_id).map_err(answer::invalid)?;
    let record = rpc.finisher.finish(owner, id).await.map_err(answer::failure)?;
    let finished = record.finished().ok_or(Failure::NotFound).map_err(answer::failure)?;
    let media = Some(encode::media(&record, finished));
    Ok(Response::new(FinishUploadResponse { media, checking: finished.checking }))
}

pub(super) async fn delete_media(
    rpc: &PublicRpc,
    request: Request<DeleteMediaRequest>,
) -> Result<Response<DeleteMediaResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let id = fields::media_id(&request.get_ref().media_id).map_err(answer::invalid)?;
    rpc.collection.delete(owner, id).await.map_err(answer::failure)?;
    Ok(Response::new(DeleteMediaResponse {}))
}

pub(super) async fn get_usage(
    rpc: &PublicRpc,
    request: Request<GetUsageRequest>,
) -> Result<Response<GetUsageResponse>, Status> {
    let owner = caller(&request)?.user_id;
    let (usage, quota) = rpc.uploads.usage(owner).await.map_err(answer::failure)?;
    Ok(Response::new(GetUsageResponse {
        stored_bytes: usage.stored_bytes,
        max_stored_bytes: quota.stored_bytes,
        max_file_bytes: quota.file_bytes,
        uploads_today: usage.uploads_today,
        max_uploads_per_day: quota.uploads_per_day,
        uploaded_bytes_today: usage.bytes_today,
        max_uploaded_bytes_per_day: quota.bytes_per_day,
    }))
}
