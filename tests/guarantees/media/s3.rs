//! G1 with the bytes in a bucket: a real S3 server, which is killed and comes back; and a start with a wrong secret, which says so.

use std::path::Path;

use bytes::Bytes;
use parlor_testkit::{PATIENCE, eventually};
use parlor_tests::account::Login;
use parlor_tests::samples::photo;
use parlor_tests::{Binary, Minio, Server, binary, uploads};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::{DeleteMediaRequest, Purpose, Variant};
use parlor_wire::reason::from_status;
use tokio::process::Command;
use tokio::time::timeout;

const MIB: usize = 1024 * 1024;

/// What makes a server keep its files there.
fn settings(minio: &Minio, secret: &str) -> Vec<String> {
    let url = minio.url();
    let blobs = [
        ("store", "s3"),
        ("bucket", Minio::BUCKET),
        ("region", Minio::REGION),
        ("endpoint", &url),
        ("allow_http", "true"),
        ("access_key_id", Minio::KEY),
        ("secret_access_key", secret),
        ("prefix", "files"),
    ];
    blobs.iter().map(|(key, value)| format!("media.blobs.{key}={value}")).collect()
}

async fn start(data: &Path, minio: &Minio) -> Server {
    let settings = settings(minio, Minio::SECRET);
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    Server::start_with(data, &settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_files_in_a_bucket_are_whole_over_crashes_of_both_servers() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(mut minio) = Minio::start(&folder.path().join("minio")).await else { return };
    let server = start(&data, &minio).await;
    let ada = Login::register(server.channel(), "ada").await;
    // More than one part of S3's.
    let large: Bytes =
        (0..12 * MIB).map(|number| number.to_le_bytes()[number % 3]).collect::<Vec<_>>().into();
    let file = uploads::upload(&ada.media(), "large", Purpose::File, &large).await.expect("uploads");
    let picture = uploads::upload(&ada.media(), "a.jpg", Purpose::Image, &photo()).await.expect("uploads");
    assert_eq!(minio.objects().len(), 4, "a file, a picture and its two thumbnails: {:?}", minio.objects());
    for (media, variant) in [
        (&file, Variant::Original),
        (&picture, Variant::Original),
        (&picture, Variant::Small),
        (&picture, Variant::Large),
    ] {
        uploads::download(&ada.media(), &media.id, variant).await.expect("it is there, as announced");
    }
    let from = 5 * MIB + 17;
    let rest = uploads::download_from(&ada.media(), &file.id, Variant::Original, from as u64).await;
    assert!(rest.expect("a range").1 == large[from..], "the range that was asked for");
    assert!(
        !data.join("blobs").exists()
            || std::fs::read_dir(data.join("blobs")).expect("a folder").next().is_none()
    );

    // The bucket is away when an upload ends, and both are killed.
    let late: Bytes = vec![3; 6 * MIB].into();
    let request = uploads::beginning("late", Purpose::File, &late);
    let upload = uploads::begin(&ada.media(), &request).await.expect("begins");
    uploads::send_missing(&ada.media(), &upload, &late).await.expect("uploads need no bucket");
    minio.kill().await;
    let media = ada.media();
    let id = upload.media_id.clone();
    let finishing = tokio::spawn(async move { uploads::finish(&media, &id).await });
    let media = ada.media();
    match timeout(PATIENCE, uploads::download(&media, &file.id, Variant::Original)).await {
        Ok(answer) => {
            let reason = from_status(&answer.expect_err("its bytes are away")).reason();
            assert_ne!(reason, ErrorReason::MediaNotFound, "G1: what is merely away is said to be gone");
        }
        Err(_) => println!("a download waits for the bucket"),
    }
    server.kill().await;
    // The server was killed before there was a bucket to put it into.
    finishing.await.expect("no panic").expect_err("it cannot be finished");
    minio.revive().await;
    let server = start(&data, &minio).await;
    let ada = ada.over(server.channel());
    let again = uploads::begin(&ada.media(), &request).await.expect("the same op is the same upload");
    assert_eq!(again.media_id, upload.media_id);
    uploads::send_missing(&ada.media(), &again, &late).await.expect("what the crash forgot");
    let finished = uploads::finish(&ada.media(), &again.media_id).await.expect("G1: it is whole in the end");
    assert_eq!(finished.sha256, uploads::sha256(&late));
    let bytes =
        uploads::download(&ada.media(), &file.id, Variant::Original).await.expect("G1: it is still there");
    assert!(bytes == large);

    for media_id in [file.id, picture.id, finished.id] {
        ada.media().delete_media(DeleteMediaRequest { media_id }).await.expect("used nowhere");
    }
    eventually("what was deleted is gone from the bucket", PATIENCE, async || minio.objects().is_empty())
        .await;
    server.end().await;
}

#[tokio::test]
async fn a_wrong_secret_is_said_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(minio) = Minio::start(&folder.path().join("minio")).await else { return };
    let mut command = Command::new(binary(Binary::Server));
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
    for setting in settings(&minio, "not the secret") {
        command.args(["--set", &setting]);
    }
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await;
    let output = output.expect("it ends by itself").expect("the program can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "it serves without its bucket: {said}");
    assert!(said.contains("media.blobs"), "it says which keys to look at: {said}");
    assert!(!said.contains("not the secret"), "G7: it says the secret: {said}");
}
