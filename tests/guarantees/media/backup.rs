//! G1: backups of a server while files come and go. In each of them every file there is has its bytes.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parlor_testkit::in_time;
use parlor_tests::account::Login;
use parlor_tests::samples::jpeg;
use parlor_tests::uploads::{self, MediaClient};
use parlor_tests::{Server, run};
use parlor_wire::media::v1::{DeleteMediaRequest, GetMediaRequest, Purpose, Variant};
use tonic::Code;

/// Backups taken, one after the other.
const BACKUPS: usize = 4;
/// People who upload all the time.
const BUSY: usize = 4;

/// A file that has been finished, with its bytes.
#[derive(Clone)]
struct Known {
    id: String,
    bytes: Arc<[u8]>,
}

/// Uploads until told to stop, and deletes every second file soon after; answers what was finished.
async fn come_and_go(media: MediaClient, stop: Arc<AtomicBool>, number: usize) -> Vec<Known> {
    let mut known: Vec<Known> = Vec::new();
    let mut doomed = None;
    while !stop.load(Ordering::Relaxed) {
        let bytes: Arc<[u8]> = format!("{number}.{}", known.len()).repeat(50_000).into_bytes().into();
        let file = uploads::upload(&media, "noise", Purpose::File, &bytes).await.expect("uploads");
        known.push(Known { id: file.id.clone(), bytes });
        if let Some(media_id) = doomed.take() {
            media.clone().delete_media(DeleteMediaRequest { media_id }).await.expect("it is used nowhere");
        } else {
            doomed = Some(file.id);
        }
    }
    known
}

/// How many of these there are; each is whole.
async fn all_whole(media: &MediaClient, known: &[Known]) -> usize {
    let mut there = 0;
    for file in known {
        match media.clone().get_media(GetMediaRequest { media_id: file.id.clone() }).await {
            Ok(_) => {
                there += 1;
                let bytes = uploads::download(media, &file.id, Variant::Original).await;
                let bytes = bytes.unwrap_or_else(|status| panic!("G1: a file without its bytes: {status:?}"));
                assert!(*bytes == *file.bytes, "G1: a file with other bytes");
            }
            Err(status) => assert_eq!(status.code(), Code::NotFound, "{status:?}"),
        }
    }
    there
}

async fn command(name: &str, to: &Path, data: &Path) {
    run(&[OsStr::new(name), to.as_os_str(), OsStr::new("--data"), data.as_os_str()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_every_file_in_a_backup_taken_under_load_has_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start_with(&data, &["media.uploads_per_day=1000000"]).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (mut people, mut busy) = (Vec::new(), Vec::new());
    for number in 0..BUSY {
        let person = Login::register(server.channel(), "busy").await;
        busy.push(tokio::spawn(come_and_go(person.media(), Arc::clone(&stop), number)));
        people.push(person);
    }
    let ada = Login::register(server.channel(), "ada").await;
    let picture =
        uploads::upload(&ada.media(), "a.jpg", Purpose::Image, &jpeg(900, 600, 1)).await.expect("uploads");
    // What has come of this one is in no backup: it begins anew.
    let begun_bytes: bytes::Bytes = vec![7; 600_000].into();
    let request = uploads::beginning("begun", Purpose::File, &begun_bytes);
    let begun = uploads::begin(&ada.media(), &request).await.expect("begins");
    ada.media().upload_part(uploads::part(&begun, &begun_bytes, 0)).await.expect("taken");

    let copies: Vec<_> = (0..BACKUPS).map(|number| folder.path().join(format!("copy {number}"))).collect();
    for copy in &copies {
        command("backup", copy, &data).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut known = Vec::new();
    for task in busy {
        known.push(in_time("the last upload", task).await.expect("no panic"));
    }
    server.end().await;

    let mut counts = Vec::new();
    for copy in &copies {
        let restored = copy.with_extension("restored");
        command("restore", copy, &restored).await;
        let server = Server::start(&restored).await;
        let mut there = 0;
        for (person, known) in people.iter().zip(&known) {
            there += all_whole(&person.over(server.channel()).media(), known).await;
        }
        counts.push(there);
        let ada = ada.over(server.channel());
        for variant in [Variant::Original, Variant::Large, Variant::Small] {
            let taken = uploads::download(&ada.media(), &picture.id, variant).await;
            assert!(
                variant == Variant::Large || taken.is_ok(),
                "G1: {variant:?} is not in the backup: {taken:?}"
            );
        }
        let again = uploads::begin(&ada.media(), &request).await.expect("the same op is the same upload");
        assert_eq!(again.media_id, begun.media_id);
        uploads::send_missing(&ada.media(), &again, &begun_bytes).await.expect("taken");
        let file = uploads::finish(&ada.media(), &again.media_id).await.expect("G1: it is whole in the end");
        assert_eq!(file.sha256, uploads::sha256(&begun_bytes));
        server.end().await;
    }
    let all: usize = known.iter().map(Vec::len).sum();
    println!("{all} files came, {counts:?} were in the backups");
    assert!(counts.iter().any(|count| *count > 0), "no backup was taken while there were files");
}
