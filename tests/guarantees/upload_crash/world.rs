//! A server that is killed, a network that is cut, and a client that is killed and knows what it had saved: the file, and what
//! it had asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use parlor_testkit::{FaultProxy, PATIENCE, eventually};
use parlor_tests::account::Login;
use parlor_tests::uploads::{self, MediaClient};
use parlor_tests::{Relay, Server};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::{CreateUploadRequest, Media};
use parlor_wire::reason::from_status;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// One attempt is given up after this: somewhere a connection hangs.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an upload may take once nothing more happens to it.
const SETTLE: Duration = Duration::from_secs(120);
/// Parts on their way at a time.
const IN_FLIGHT: usize = 4;
/// What a day's quota is no part of.
const SETTINGS: &[&str] = &[
    "media.uploads_per_day=1000000",
    "media.bytes_per_day=1099511627776",
    "media.max_user_bytes=1099511627776",
];

/// How an upload ended.
#[derive(Debug)]
pub enum Outcome {
    File(Media),
    Refused(ErrorReason),
}

/// See the module.
pub struct World {
    pub ada: Login,
    pub proxy: FaultProxy,
    relay: Relay,
    server: Option<Server>,
    data: PathBuf,
    begun: Option<(CreateUploadRequest, Bytes)>,
    client: Option<JoinHandle<Outcome>>,
    _folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let server = Server::start_with(&data, SETTINGS).await;
        let relay = Relay::start().await;
        relay.point_to(Some(server.address()));
        let proxy = FaultProxy::start(relay.address()).await;
        let ada = Login::register(relay.channel(), "ada").await;
        Self { ada, proxy, relay, server: Some(server), data, begun: None, client: None, _folder: folder }
    }

    /// Through the network that is cut.
    fn channel(&self) -> Channel {
        let address = format!("http://{}", self.proxy.address());
        Endpoint::from_shared(address).expect("an address makes a URI").connect_lazy()
    }

    /// Begins to upload.
    pub fn upload(&mut self, request: CreateUploadRequest, bytes: Bytes) {
        let media = self.ada.over(self.channel()).media();
        self.begun = Some((request.clone(), bytes.clone()));
        self.client = Some(tokio::spawn(until_it_ends(media, request, bytes)));
    }

    /// The client forgets all but what it had saved, and starts again. One that had ended had told so.
    pub async fn kill_client(&mut self) {
        let client = self.client.take().expect("one uploads");
        if client.is_finished() {
            self.client = Some(client);
            return;
        }
        client.abort();
        // Whether it was in time does not matter.
        let _ = client.await;
        let (request, bytes) = self.begun.clone().expect("it was saved");
        self.upload(request, bytes);
    }

    /// SIGKILL, and after a while there is another on the same folder.
    pub async fn kill_server(&mut self, away: Duration) {
        self.relay.point_to(None);
        self.server.take().expect("one runs").kill().await;
        // waits: for as long as the server is to be away
        sleep(away).await;
        let server = Server::start_with(&self.data, SETTINGS).await;
        self.relay.point_to(Some(server.address()));
        self.server = Some(server);
    }

    pub async fn outcome(&mut self) -> Outcome {
        let client = self.client.take().expect("one uploads");
        timeout(SETTLE, client).await.expect("G1: an upload never ends").expect("no panic")
    }

    /// Of all that was begun, only these are left, and nothing of them is in two places.
    pub async fn keeps_nothing_else(&self, files: &[Media]) {
        let thumbnails = |media: &Media| match &media.preview {
            Some(Preview::Image(image)) => image.thumbnails.len(),
            _ => 0,
        };
        let wanted = files.iter().map(|media| 1 + thumbnails(media)).sum::<usize>();
        let ids: BTreeSet<_> = files.iter().map(|media| media.id.clone()).collect();
        eventually("G1: only the files that were finished are kept", PATIENCE, async || {
            let folder = self.data.join("blobs");
            let mut blobs = all(&folder);
            blobs.retain(|path| *path != folder.join("owner"));
            let of_files =
                blobs.iter().filter(|blob| blob.iter().any(|part| ids.contains(&*part.to_string_lossy())));
            of_files.count() == wanted && blobs.len() == wanted && all(&self.data.join("uploads")).is_empty()
        })
        .await;
    }
}

/// All files in a folder and below.
fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    entries.flat_map(|path| if path.is_dir() { all(&path) } else { vec![path] }).collect()
}

/// Tries again after everything that a retry may mend.
async fn until_it_ends(media: MediaClient, request: CreateUploadRequest, bytes: Bytes) -> Outcome {
    loop {
        let attempt = timeout(ATTEMPT, attempt(&media, &request, &bytes)).await;
        let status = match attempt {
            Ok(Ok(media)) => return Outcome::File(media),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("no answer in time"),
        };
        match from_status(&status).reason() {
            // The answer that it was refused was lost: nothing of it was kept.
            why @ (ErrorReason::HashMismatch | ErrorReason::MediaNotFound) => return Outcome::Refused(why),
            ErrorReason::Unavailable
            | ErrorReason::Internal
            | ErrorReason::Unspecified
            | ErrorReason::Overloaded
            | ErrorReason::Draining
            | ErrorReason::PartAhead
            | ErrorReason::UploadIncomplete
            | ErrorReason::TokenInvalid => {}
            why => panic!("G1: an upload that can go on is refused: {why:?} {status:?}"),
        }
        // waits: for the server to come back; that it has is seen by trying
        sleep(PAUSE).await;
    }
}

async fn attempt(media: &MediaClient, request: &CreateUploadRequest, bytes: &Bytes) -> Result<Media, Status> {
    let upload = uploads::begin(media, request).await?;
    let offsets = upload
        .missing
        .iter()
        .flat_map(|range| (range.offset..range.offset + range.length).step_by(upload.part_bytes as usize));
    let parts: Vec<_> = offsets.map(|offset| uploads::part(&upload, bytes, offset)).collect();
    let send = |part| async { media.clone().upload_part(part).await.map(drop) };
    stream::iter(parts).map(Ok).try_for_each_concurrent(IN_FLIGHT, send).await?;
    uploads::finish(media, &upload.media_id).await
}
