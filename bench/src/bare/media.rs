//! What uploads are measured against: a server that writes the parts of a file by position and syncs it at the end. It
//! checks nothing, keeps nothing else and forgets all when it ends.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use async_trait::async_trait;
use parlor_types::MediaId;
use parlor_wire::media::v1::media_service_server::{MediaService, MediaServiceServer};
use parlor_wire::media::v1::{
    BatchGetMediaUrlsRequest, BatchGetMediaUrlsResponse, CreateUploadRequest, CreateUploadResponse,
    DeleteMediaRequest, DeleteMediaResponse, DownloadRequest, DownloadResponse, FinishUploadRequest,
    FinishUploadResponse, GetMediaRequest, GetMediaResponse, GetUploadRequest, GetUploadResponse,
    GetUsageRequest, GetUsageResponse, Upload, UploadPartRequest, UploadPartResponse,
};
use tokio_stream::Empty;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Bytes of a part, as `parlor-server` has it.
const PART_BYTES: u32 = 256 * 1024;
/// What such a server is started as.
pub const COMMAND: &str = "bare-media";

/// Serves on a free port until it is killed, with its files in `folder`.
pub async fn serve(folder: PathBuf) -> Result<()> {
    fs::create_dir_all(&folder)?;
    let bare = Bare { folder, files: Mutex::default() };
    let server = Server::builder().add_service(MediaServiceServer::new(bare));
    Ok(server.serve_with_incoming(super::listen()?).await?)
}

struct Bare {
    folder: PathBuf,
    files: Mutex<HashMap<String, Arc<File>>>,
}

impl Bare {
    fn path(&self, media_id: &str) -> PathBuf {
        self.folder.join(Path::new(media_id).file_name().unwrap_or_default())
    }

    fn file(&self, media_id: &str) -> Result<Arc<File>, Status> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(media_id).cloned().ok_or_else(|| Status::not_found("no such upload"))
    }
}

/// Off the threads that serve.
async fn blocking(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), Status> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Status::internal(error.to_string()))?
        .map_err(|error| Status::internal(error.to_string()))
}

#[async_trait]
impl MediaService for Bare {
    type DownloadStream = Empty<Result<DownloadResponse, Status>>;

    async fn create_upload(
        &self,
        request: Request<CreateUploadRequest>,
    ) -> Result<Response<CreateUploadResponse>, Status> {
        let media_id = MediaId::new().to_string();
        let file =
            File::create_new(self.path(&media_id)).map_err(|error| Status::internal(error.to_string()))?;
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(media_id.clone(), Arc::new(file));
        let size = request.into_inner().size;
        let upload =
            Upload { media_id, part_bytes: PART_BYTES, window_bytes: size, size, ..Upload::default() };
        Ok(Response::new(CreateUploadResponse { upload: Some(upload) }))
    }

    async fn upload_part(
        &self,
        request: Request<UploadPartRequest>,
    ) -> Result<Response<UploadPartResponse>, Status> {
        let UploadPartRequest { media_id, offset, data } = request.into_inner();
        let file = self.file(&media_id)?;
        blocking(move || file.write_all_at(&data, offset)).await?;
        Ok(Response::new(UploadPartResponse::default()))
    }

    async fn finish_upload(
        &self,
        request: Request<FinishUploadRequest>,
    ) -> Result<Response<FinishUploadResponse>, Status> {
        let file = self.file(&request.into_inner().media_id)?;
        blocking(move || file.sync_all()).await?;
        Ok(Response::new(FinishUploadResponse::default()))
    }

    async fn delete_media(
        &self,
        request: Request<DeleteMediaRequest>,
    ) -> Result<Response<DeleteMediaResponse>, Status> {
        let media_id = request.into_inner().media_id;
        self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&media_id);
        let path = self.path(&media_id);
        blocking(move || fs::remove_file(path)).await?;
        Ok(Response::new(DeleteMediaResponse {}))
    }

    async fn get_upload(&self, _: Request<GetUploadRequest>) -> Result<Response<GetUploadResponse>, Status> {
        Err(Status::unimplemented("uploads alone"))
    }

    async fn get_media(&self, _: Request<GetMediaRequest>) -> Result<Response<GetMediaResponse>, Status> {
        Err(Status::unimplemented("uploads alone"))
    }

    async fn download(&self, _: Request<DownloadRequest>) -> Result<Response<Self::DownloadStream>, Status> {
        Err(Status::unimplemented("uploads alone"))
    }

    async fn batch_get_media_urls(
        &self,
        _: Request<BatchGetMediaUrlsRequest>,
    ) -> Result<Response<BatchGetMediaUrlsResponse>, Status> {
        Err(Status::unimplemented("uploads alone"))
    }

    async fn get_usage(&self, _: Request<GetUsageRequest>) -> Result<Response<GetUsageResponse>, Status> {
        Err(Status::unimplemented("uploads alone"))
    }
}
