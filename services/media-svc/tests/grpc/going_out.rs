//! Files on their way out of the whole service: over gRPC, over plain HTTP, past the scanner.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use media_svc::{Config, ScannerConfig};
use parlor_grpc_kit::{Listener, ServeOptions};
use parlor_testkit::{PATIENCE, eventually, in_time, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::download_response::Part;
use parlor_wire::media::v1::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Status;

use crate::support::*;

impl User {
    async fn download(&self, id: &str) -> Result<Vec<u8>, Status> {
        let request = DownloadRequest { media_id: id.to_owned(), ..DownloadRequest::default() };
        let mut parts = self.media.clone().download(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(message) = parts.message().await? {
            if let Some(Part::Data(data)) = message.part {
                bytes.extend(data);
            }
        }
        Ok(bytes)
    }

    async fn url(&self, id: &str) -> String {
        let item = MediaVariant { media_id: id.to_owned(), variant: Variant::Original.into() };
        let request = BatchGetMediaUrlsRequest { items: vec![item] };
        let answer = self.media.clone().batch_get_media_urls(request).await.unwrap();
        answer.into_inner().urls.pop().expect("an address").url
    }
}

/// Serves the service's plain HTTP as the server does; ends with the test.
async fn serve(scene: &Scene) -> SocketAddr {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let listener = listener.also(scene.app.http());
    let (address, routes) = (listener.address(), scene.app.public());
    tokio::spawn(
        async move { listener.serve(routes, &ServeOptions::default(), std::future::pending()).await },
    );
    address
}

/// The status of the answer, and its body.
async fn get(server: SocketAddr, path: &str) -> (u16, Vec<u8>) {
    let mut tcp = TcpStream::connect(server).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: parlor\r\nConnection: close\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    in_time("the answer", tcp.read_to_end(&mut answer)).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let status = std::str::from_utf8(&answer[..end]).unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_off(end + 4))
}

#[tokio::test]
async fn an_uploaded_file_is_got_over_grpc_and_over_plain_http() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(3 * PART + 5, 1);
    let id = ada.file(&content).await.id;
    assert!(ada.download(&id).await.unwrap() == content, "other bytes");
    let (status, got) = get(serve(&scene).await, &ada.url(&id).await).await;
    assert_eq!(status, 200);
    assert!(got == content, "other bytes");
}

#[tokio::test]
async fn g7_an_address_dies_with_its_session() {
    let scene = Scene::start().await;
    let server = serve(&scene).await;
    let ada = scene.user().await;
    let phone = scene.again(scene.auth.another_session(&ada.person)).await;
    let id = ada.file(b"some bytes").await.id;
    let (of_ada, of_phone) = (ada.url(&id).await, phone.url(&id).await);
    assert_eq!(get(server, &of_phone).await.0, 200);
    scene.auth.revoke(&phone.person);
    eventually("G7: the session's address gives nothing", PATIENCE, async || {
        get(server, &of_phone).await.0 == 404
    })
    .await;
    assert_eq!(get(server, &of_ada).await.0, 200, "the other session's goes on");
}

/// A service whose scanner is this script.
async fn scanned(script: &Path, time_limit: Duration) -> Scene {
    let scanner = ScannerConfig {
        command: vec![script.display().to_string()],
        time_limit,
        retry_first: Duration::from_millis(10),
        ..ScannerConfig::default()
    };
    Scene::with(Config { scanner, ..config() }).await
}

fn say(script: &Path, text: &str) {
    fs::write(script, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn what_the_scanner_calls_harmful_is_refused_and_nothing_of_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("scanner");
    say(&script, "grep -q EICAR \"$1\" && exit 1; exit 0");
    let scene = scanned(&script, PATIENCE).await;
    let ada = scene.user().await;
    let harmful = b"some EICAR bytes";
    let id = ada.begin(User::saying(harmful)).await.unwrap().media_id;
    ada.send_all(&id, harmful).await;
    assert_eq!(reason(ada.finish(&id).await), ErrorReason::MediaRefused);
    assert_eq!(reason(ada.upload(&id).await), ErrorReason::MediaNotFound);
    assert!(scene.files("uploads").is_empty() && scene.files("blobs").is_empty(), "something is kept");
    let harmless = ada.file(b"other bytes").await;
    assert_eq!(ada.download(&harmless.id).await.unwrap(), b"other bytes");
}

#[tokio::test]
async fn a_file_is_in_quarantine_until_the_scanner_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("scanner");
    for silent in [None, Some("exit 2"), Some("sleep 1000")] {
        match silent {
            None => drop(fs::remove_file(&script)),
            Some(text) => say(&script, text),
        }
        let scene = scanned(&script, Duration::from_millis(300)).await;
        let ada = scene.user().await;
        let (good, bad) = (ada.file(b"good").await.id, ada.file(b"bad").await.id);
        assert_eq!(reason(ada.download(&good).await), ErrorReason::MediaChecking, "{silent:?}");
        // Renamed into its place: a script that is being written cannot be run.
        let next = folder.path().join("next");
        say(&next, "grep -q good \"$1\"");
        fs::rename(&next, &script).unwrap();
        eventually("both have their verdict", PATIENCE, async || {
            scene.clock.advance(Duration::from_secs(10));
            let refused = |refusal| reason(Err::<(), _>(refusal)) == ErrorReason::MediaRefused;
            ada.download(&good).await.is_ok_and(|bytes| bytes == b"good")
                && ada.download(&bad).await.is_err_and(refused)
        })
        .await;
        assert!(scene.blob(&bad, "original").is_none(), "{silent:?}: the harmful bytes are kept");
        assert!(!scene.folder.path().join("scanned").exists(), "{silent:?}");
    }
}
