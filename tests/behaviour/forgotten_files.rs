//! A file that the server has forgotten before its message came: it is uploaded again, and the message is sent once, with the
//! name that it had from the beginning.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parlor_client::core::{Draft, FileFault, FileUpload, Outgoing, Parcel, Part, content_of};
use parlor_client::{Client, FileDraft, FileToSend};
use parlor_testkit::{PATIENCE, eventually};
use parlor_tests::{Server, account, uploads};
use parlor_types::{ConversationId, Id as _, MediaId, Op, Seq};
use parlor_wire::chat::v1::content::Kind;
use parlor_wire::media::v1::{Purpose, Variant};
use tempfile::TempDir;

const BYTES: &[u8] = b"what was written a day ago";
const CAPTION: &str = "look";

/// Ada, with a message in her outbox whose file is not at the server any more, and Ben.
struct World {
    ada: Client,
    ben: Client,
    to: ConversationId,
    /// Of the message.
    op: Op,
    /// What the server called the file.
    forgotten: MediaId,
    path: PathBuf,
    folder: TempDir,
    _server: Server,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(&folder.path().join("data")).await;
        let address = format!("http://{}", server.address());
        let ada = account::client(&folder.path().join("ada"), &address, "ada").await;
        let ben = account::client(&folder.path().join("ben"), &address, "ben").await;
        let to = ada.direct(ben.me().await.expect("logged in")).await.expect("opens");
        let path = folder.path().join("notes.bin");
        std::fs::write(&path, BYTES).expect("it is written");
        let uploaded = ada.upload(&path, Some(Purpose::File), &mut |_| {}).await.expect("uploads");
        let forgotten = MediaId::parse(&uploaded.media.expect("a file").id).expect("an id");
        let op = Op::new();
        let parcel = ada.store().queue_parcel(parcel(op, to, &path), SystemTime::now()).expect("it is saved");
        ada.store().dispatch(parcel.complete(&[forgotten])).expect("it is saved");
        ada.delete_media(forgotten).await.expect("nothing uses it");
        Self { ada, ben, to, op, forgotten, path, folder, _server: server }
    }

    fn draft(&self) -> FileDraft {
        let file = FileToSend { path: self.path.clone(), purpose: Some(Purpose::File), poster: None };
        FileDraft {
            conversation: self.to,
            files: vec![file],
            caption: CAPTION.to_owned(),
            reply_to: Seq(0),
            mentions: Vec::new(),
        }
    }

    /// The log has the message once, under its name, and Ben can have the bytes.
    async fn is_there_once(&self) {
        let page = self.ben.fetch(self.to, Seq(1), Seq(0)).await.expect("reads");
        let files: Vec<_> = page
            .entries
            .iter()
            .filter_map(|entry| match entry.kind()? {
                Kind::File(file) => Some((entry.op.clone(), file.media.clone()?.id)),
                _ => None,
            })
            .collect();
        let [(_, id)] = &files[..] else { panic!("G2: one message: {files:?}") };
        let media = MediaId::parse(id).expect("an id");
        assert_ne!(media, self.forgotten);
        let target = self.folder.path().join("had.bin");
        self.ben.download(media, Variant::Original, &target, &mut |_| {}).await.expect("ben can have it");
        assert_eq!(std::fs::read(&target).expect("it is there"), BYTES);
        let own = self.ada.fetch(self.to, Seq(1), Seq(0)).await.expect("reads");
        assert!(own.entries.iter().any(|entry| entry.op == self.op.to_string()), "G2: under its name");
        let store = self.ada.store();
        assert!(store.outbox(None).expect("reads").is_empty());
        assert!(store.parcels().expect("reads").is_empty());
        assert!(store.dispatched_parcels().expect("reads").is_empty());
    }
}

fn parcel(op: Op, to: ConversationId, path: &Path) -> Parcel {
    let part = Part { purpose: Purpose::File, poster: false };
    let content = content_of(&[part], CAPTION.to_owned()).expect("one file is a message");
    let file = FileUpload {
        op: Op::new(),
        path: path.to_owned(),
        name: "notes.bin".to_owned(),
        size: BYTES.len() as u64,
        modified: std::fs::metadata(path).and_then(|file| file.modified()).expect("it is there"),
        sha256: uploads::sha256(BYTES).as_ref().try_into().expect("32 bytes"),
        media_type: String::new(),
        purpose: Purpose::File,
        media: None,
    };
    let outgoing = Outgoing::new(op, Seq(0), Draft::new(to, content));
    Parcel { outgoing, files: vec![file], failed: None, again: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_the_same_again_sends_it_once_with_its_file() {
    let world = World::new().await;
    let sent = world.ada.send_file(world.draft(), &mut |_, _| {}).await.expect("stored");
    assert_eq!((sent.op, sent.resumed), (world.op, true));
    world.is_there_once().await;
    let another = world.ada.send_file(world.draft(), &mut |_, _| {}).await.expect("stored");
    assert!(another.op != world.op && !another.resumed, "what is done is done: the next is another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_connection_uploads_it_again_by_itself() {
    let world = World::new().await;
    let (_live, _events) = world.ada.live().await.expect("somebody is logged in");
    let store = world.ada.store();
    eventually("the message is stored", PATIENCE, async || {
        let waiting = store.parcels().expect("reads").len();
        waiting + store.dispatched_parcels().expect("reads").len() == 0
    })
    .await;
    world.is_there_once().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_gone_here_too_fails_for_all_to_see() {
    let world = World::new().await;
    std::fs::remove_file(&world.path).expect("it was there");
    let (_live, _events) = world.ada.live().await.expect("somebody is logged in");
    let failed = || {
        let parcels = world.ada.store().parcels().expect("reads");
        parcels.into_iter().find_map(|parcel| Some((parcel.outgoing.op, parcel.failed?.why)))
    };
    eventually("the message has failed", PATIENCE, async || failed().is_some()).await;
    let (op, why) = failed().expect("it has failed");
    assert_eq!(op, world.op);
    assert!(matches!(why, FileFault::Unreadable(_)), "{why:?}");
}
