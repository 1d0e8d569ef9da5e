//! Many uploads that end at once, and what may hold them up: each other, a scanner, their own end.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use media_svc::{Config, ScannerConfig};
use parlor_testkit::{PATIENCE, eventually, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::*;
use tempfile::TempDir;

use crate::support::*;

/// Says that it has begun, and nothing more before the file `go` is there.
const WAITS: &str = "touch \"$0.began.$$\"; while ! test -e \"$0.go\"; do sleep 0.02; done";

/// A service with a scanner that waits to be told to go on.
async fn scene(folder: &Path, finish_wait: Duration, config: Config) -> Scene {
    let script = folder.join("scanner");
    std::fs::write(&script, format!("#!/bin/sh\n{WAITS}\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let scanner = ScannerConfig {
        command: vec![script.display().to_string()],
        finish_wait,
        at_once: 8,
        ..ScannerConfig::default()
    };
    Scene::with(Config { scanner, ..config }).await
}

fn began(folder: &Path) -> usize {
    files_in(folder).iter().filter(|path| path.to_string_lossy().contains("began")).count()
}

fn go(folder: &Path) {
    std::fs::write(folder.join("scanner.go"), "").unwrap();
}

/// Complete, and not finished.
async fn complete(user: &User, seed: u8) -> String {
    let content = bytes(100, seed);
    let id = user.begin(User::saying(&content)).await.unwrap().media_id;
    user.send_all(&id, &content).await;
    id
}

#[tokio::test]
async fn g8_one_owner_does_not_take_all_places_to_finish_in() {
    let folder = TempDir::new().unwrap();
    let few = Config { finish_jobs: 1, finish_waiting: 5, finish_per_user: 2, ..config() };
    let scene = scene(folder.path(), Duration::from_secs(60), few).await;
    let (ada, ben) = (Arc::new(scene.user().await), Arc::new(scene.user().await));
    let mut finishing = Vec::new();
    let mut finish = |user: &Arc<User>, id: String| {
        let user = Arc::clone(user);
        finishing.push(tokio::spawn(async move { user.finish(&id).await }));
    };
    for seed in 0..3 {
        finish(&ada, complete(&ada, seed).await);
    }
    eventually("half of the places are taken", PATIENCE, async || began(folder.path()) == 3).await;
    let late = complete(&ada, 3).await;
    assert_eq!(reason(ada.finish(&late).await), ErrorReason::Overloaded, "G8: one owner takes them all");
    finish(&ben, complete(&ben, 4).await);
    eventually("another owner has a place", PATIENCE, async || began(folder.path()) == 4).await;
    go(folder.path());
    for finishing in finishing {
        finishing.await.unwrap().unwrap();
    }
    ada.finish(&late).await.unwrap();
}

#[tokio::test]
async fn g8_a_scanner_that_hangs_holds_nobody_up() {
    let folder = TempDir::new().unwrap();
    let few = Config { finish_jobs: 1, finish_waiting: 0, ..config() };
    let scene = scene(folder.path(), Duration::from_millis(100), few).await;
    let ada = scene.user().await;
    for seed in 0..3 {
        let id = complete(&ada, seed).await;
        let request = FinishUploadRequest { media_id: id };
        let answer = ada.media.clone().finish_upload(request).await.unwrap().into_inner();
        assert!(answer.checking, "without a verdict it is in quarantine");
    }
    go(folder.path());
}

#[tokio::test]
async fn what_is_deleted_while_it_is_finished_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let scene = scene(folder.path(), Duration::from_secs(60), config()).await;
    let ada = Arc::new(scene.user().await);
    let id = complete(&ada, 1).await;
    let finishing = tokio::spawn({
        let (ada, id) = (Arc::clone(&ada), id.clone());
        async move { ada.finish(&id).await }
    });
    eventually("it is being looked at", PATIENCE, async || began(folder.path()) == 1).await;
    ada.delete(&id).await.unwrap();
    go(folder.path());
    assert_eq!(reason(finishing.await.unwrap()), ErrorReason::MediaNotFound, "that it is gone is no fault");
    let kept: Vec<_> = scene.files("uploads").into_iter().chain(scene.files("blobs")).collect();
    assert!(kept.is_empty(), "{kept:?}");
}
