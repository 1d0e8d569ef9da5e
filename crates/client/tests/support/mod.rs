//! A MediaService that keeps its files in memory and can be told to fail, and accounts that are logged in to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use parlor_client::Client;
use parlor_client::store::{Store, Tokens};
use parlor_types::{Id as _, MediaId, SessionId, UserId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::media_service_server::{MediaService, MediaServiceServer};
use parlor_wire::media::v1::*;
use parlor_wire::reason::problem_status;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

pub const PART: usize = 1024;

/// One upload.
#[derive(Default)]
pub struct Shelf {
    pub request: CreateUploadRequest,
    pub parts: BTreeMap<u64, Vec<u8>>,
    pub finished: bool,
}

/// What there is, and how to fail.
#[derive(Default)]
pub struct State {
    pub shelves: BTreeMap<MediaId, Shelf>,
    pub parts_taken: usize,
    pub deleted: Vec<MediaId>,
    /// From this part on the server takes nothing, and then it is away, once.
    pub away_at_part: Option<usize>,
    /// CreateUpload answers this.
    pub refuses: Option<Problem>,
    /// Download breaks off after so many bytes, once.
    pub cut_after: Option<usize>,
    /// What Download gives, and what it says of it.
    pub remote: Vec<u8>,
    pub remote_sha256: Option<Vec<u8>>,
    pub asked_from: Vec<u64>,
}

impl State {
    fn is_going(&self) -> bool {
        self.away_at_part.is_some_and(|at| self.parts_taken >= at)
    }
}

#[derive(Clone)]
pub struct Media {
    state: Arc<Mutex<State>>,
    /// The server is to go away.
    away: Arc<Notify>,
}

/// The service at an address that stays.
pub struct Server {
    pub media: Media,
    pub address: SocketAddr,
    running: Option<Running>,
}

impl Server {
    pub fn start() -> Self {
        let media = Media { state: Arc::default(), away: Arc::new(Notify::new()) };
        let (address, running) = serve(&media, "127.0.0.1:0".parse().unwrap());
        Self { media, address, running: Some(running) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.media.state.lock().unwrap()
    }

    /// Waits until the server is to go away, cuts all connections, and takes away what was not on disk.
    pub async fn go_away(&mut self, lost: usize) {
        self.media.away.notified().await;
        self.running = None;
        self.state().away_at_part = None;
        for shelf in self.state().shelves.values_mut() {
            for _ in 0..lost {
                shelf.parts.pop_last();
            }
        }
    }

    pub fn come_back(&mut self) {
        self.running = Some(serve(&self.media, self.address).1);
    }

    /// An account in `folder` that is logged in here.
    pub fn client(&self, folder: &Path, patience: Duration) -> Client {
        let url = format!("http://{}", self.address);
        let store = Arc::new(Store::open(folder).unwrap());
        if store.account().unwrap().session.is_none() {
            let access_until = SystemTime::now() + Duration::from_secs(3600);
            let tokens = Tokens { access: "token".into(), access_until, refresh: "refresh".into() };
            store.log_in(&url, "ada", UserId::new(), SessionId::new(), &tokens).unwrap();
        }
        Client::with_open_store(store, &url, patience).unwrap()
    }
}

/// A running service. Its thread takes all connections along when it ends.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(media: &Media, at: SocketAddr) -> (SocketAddr, Running) {
    let listener = std::net::TcpListener::bind(at).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = MediaServiceServer::new(media.clone());
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            let serving =
                tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming);
            tokio::select! {
                served = serving => served.unwrap(),
                _ = stopped => {}
            }
        });
    });
    (address, Running { stop: Some(stop), thread: Some(thread) })
}

pub fn problem(reason: ErrorReason) -> Problem {
    Problem { reason: reason.into(), ..Problem::default() }
}

fn refuse<T>(reason: ErrorReason) -> Result<T, Status> {
    Err(problem_status(&problem(reason)))
}

fn id(text: &str) -> MediaId {
    MediaId::parse(text).unwrap()
}

impl Media {
    fn describe(id: MediaId, shelf: &Shelf) -> Upload {
        let offsets = (0..shelf.request.size).step_by(PART).filter(|at| !shelf.parts.contains_key(at));
        let missing = offsets
            .map(|offset| ByteRange { offset, length: (PART as u64).min(shelf.request.size - offset) });
        Upload {
            media_id: id.to_string(),
            part_bytes: PART as u32,
            window_bytes: 8 * PART as u64,
            size: shelf.request.size,
            missing: missing.collect(),
            finished: shelf.finished,
            expires_at: None,
        }
    }
}

#[tonic::async_trait]
impl MediaService for Media {
    async fn create_upload(
        &self,
        request: Request<CreateUploadRequest>,
    ) -> Result<Response<CreateUploadResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state.lock().unwrap();
        if let Some(problem) = &state.refuses {
            return Err(problem_status(problem));
        }
        let known = state.shelves.iter().find(|(_, shelf)| shelf.request.op == request.op).map(|(id, _)| *id);
        let media = known.unwrap_or_else(MediaId::new);
        let shelf = state
            .shelves
            .entry(media)
            .or_insert_with(|| Shelf { request: request.clone(), ..Shelf::default() });
        assert_eq!(shelf.request, request, "an op names one request");
        Ok(Response::new(CreateUploadResponse { upload: Some(Self::describe(media, shelf)) }))
    }

    async fn upload_part(
        &self,
        request: Request<UploadPartRequest>,
    ) -> Result<Response<UploadPartResponse>, Status> {
        let request = request.into_inner();
        let is_going = self.state.lock().unwrap().is_going();
        if is_going {
            self.away.notify_one();
            return std::future::pending().await; // until the connection is cut
        }
        let mut state = self.state.lock().unwrap();
        state.parts_taken += 1;
        let Some(shelf) = state.shelves.get_mut(&id(&request.media_id)) else {
            return refuse(ErrorReason::MediaNotFound);
        };
        shelf.parts.insert(request.offset, request.data.to_vec());
        let received_bytes = shelf.parts.values().map(|part| part.len() as u64).sum();
        Ok(Response::new(UploadPartResponse { received_bytes }))
    }

    async fn get_upload(
        &self,
        request: Request<GetUploadRequest>,
    ) -> Result<Response<GetUploadResponse>, Status> {
        let state = self.state.lock().unwrap();
        let media = id(&request.into_inner().media_id);
        match state.shelves.get(&media) {
            Some(shelf) => {
                Ok(Response::new(GetUploadResponse { upload: Some(Self::describe(media, shelf)) }))
            }
            None => refuse(ErrorReason::MediaNotFound),
        }
    }

    async fn finish_upload(
        &self,
        request: Request<FinishUploadRequest>,
    ) -> Result<Response<FinishUploadResponse>, Status> {
        let mut state = self.state.lock().unwrap();
        let media = id(&request.into_inner().media_id);
        let Some(shelf) = state.shelves.get_mut(&media) else { return refuse(ErrorReason::MediaNotFound) };
        let bytes: Vec<u8> = shelf.parts.values().flatten().copied().collect();
        if bytes.len() as u64 != shelf.request.size {
            return refuse(ErrorReason::UploadIncomplete);
        }
        if Sha256::digest(&bytes)[..] != shelf.request.sha256[..] {
            state.shelves.remove(&media);
            return refuse(ErrorReason::HashMismatch);
        }
        shelf.finished = true;
        let file = parlor_wire::media::v1::Media { id: media.to_string(), ..Default::default() };
        Ok(Response::new(FinishUploadResponse { media: Some(file), checking: false }))
    }

    async fn delete_media(
        &self,
        request: Request<DeleteMediaRequest>,
    ) -> Result<Response<DeleteMediaResponse>, Status> {
        let mut state = self.state.lock().unwrap();
        let media = id(&request.into_inner().media_id);
        state.shelves.remove(&media);
        state.deleted.push(media);
        Ok(Response::new(DeleteMediaResponse {}))
    }

    type DownloadStream =
        std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<DownloadResponse, Status>> + Send>>;

    async fn download(
        &self,
        request: Request<DownloadRequest>,
    ) -> Result<Response<Self::DownloadStream>, Status> {
        let request = request.into_inner();
        let mut state = self.state.lock().unwrap();
        let sha256 = Sha256::digest(&state.remote).to_vec();
        let same = request.if_sha256.is_empty() || request.if_sha256 == sha256;
        let offset = if same { request.offset } else { 0 };
        state.asked_from.push(offset);
        let (size, told) = (state.remote.len() as u64, state.remote_sha256.clone().unwrap_or(sha256));
        let start = DownloadStart { size, sha256: told.into(), media_type: String::new(), offset };
        let mut parts = vec![Ok(DownloadResponse { part: Some(download_response::Part::Start(start)) })];
        let mut left = state.cut_after.take().unwrap_or(usize::MAX);
        for chunk in state.remote[offset as usize..].chunks(PART) {
            if left == 0 {
                parts.push(refuse(ErrorReason::Unavailable));
                break;
            }
            let chunk = &chunk[..chunk.len().min(left)];
            left -= chunk.len();
            let data = download_response::Part::Data(chunk.to_vec().into());
            parts.push(Ok(DownloadResponse { part: Some(data) }));
        }
        Ok(Response::new(Box::pin(tokio_stream::iter(parts))))
    }

    async fn get_media(&self, _: Request<GetMediaRequest>) -> Result<Response<GetMediaResponse>, Status> {
        refuse(ErrorReason::MediaNotFound)
    }

    async fn batch_get_media_urls(
        &self,
        _: Request<BatchGetMediaUrlsRequest>,
    ) -> Result<Response<BatchGetMediaUrlsResponse>, Status> {
        Ok(Response::new(BatchGetMediaUrlsResponse::default()))
    }

    async fn get_usage(&self, _: Request<GetUsageRequest>) -> Result<Response<GetUsageResponse>, Status> {
        Ok(Response::new(GetUsageResponse::default()))
    }
}
