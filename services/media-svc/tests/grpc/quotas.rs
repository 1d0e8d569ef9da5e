//! How much one person may upload and keep, and how much the server takes at once.

use std::time::Duration;

use media_svc::Config;
use parlor_testkit::{PATIENCE, eventually, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::*;
use parlor_wire::reason::from_status;

use crate::support::*;

#[tokio::test]
async fn files_have_a_largest_size() {
    let config = Config { max_file_bytes: 1000, max_avatar_bytes: 100, ..config() };
    let scene = Scene::with(config).await;
    let ada = scene.user().await;
    let begin = async |size: usize, purpose: Purpose| {
        let purpose = purpose.into();
        ada.begin(CreateUploadRequest { purpose, ..User::saying(&bytes(size, 1)) }).await
    };
    begin(1000, Purpose::File).await.unwrap();
    begin(100, Purpose::Avatar).await.unwrap();
    assert_eq!(reason(begin(1001, Purpose::Image).await), ErrorReason::MediaTooLarge);
    assert_eq!(reason(begin(101, Purpose::Avatar).await), ErrorReason::MediaTooLarge);
    let endless = CreateUploadRequest { size: u64::MAX, ..User::saying(b"x") };
    assert_eq!(reason(ada.begin(endless).await), ErrorReason::MediaTooLarge);
    assert_eq!(ada.usage().await.stored_bytes, 1100);
}

#[tokio::test]
async fn what_is_announced_counts_until_it_is_gone() {
    let scene = Scene::with(Config { max_user_bytes: 1000, ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let file = ada.file(&bytes(600, 1)).await;
    let upload = ada.begin(User::saying(&bytes(300, 2))).await.unwrap();
    let one_more = User::saying(&bytes(101, 3));
    assert_eq!(reason(ada.begin(one_more.clone()).await), ErrorReason::QuotaExceeded);
    ben.begin(one_more.clone()).await.unwrap();
    let usage = ada.usage().await;
    assert_eq!((usage.stored_bytes, usage.max_stored_bytes), (900, 1000));
    assert_eq!((usage.uploads_today, usage.uploaded_bytes_today), (2, 900));
    ada.delete(&upload.media_id).await.unwrap();
    ada.begin(one_more).await.unwrap();
    ada.delete(&file.id).await.unwrap();
    let usage = ada.usage().await;
    assert_eq!(usage.stored_bytes, 101);
    assert_eq!((usage.uploads_today, usage.uploaded_bytes_today), (3, 1001), "it was uploaded all the same");
    assert_eq!(scene.blob(&file.id, "original"), None);
}

#[tokio::test]
async fn a_day_has_an_end() {
    let scene = Scene::with(Config { uploads_per_day: 2, bytes_per_day: 100, ..config() }).await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    ben.begin(User::saying(&bytes(60, 1))).await.unwrap();
    assert_eq!(reason(ben.begin(User::saying(&bytes(41, 2))).await), ErrorReason::DailyQuotaExceeded);
    ben.begin(User::saying(&bytes(40, 3))).await.unwrap();
    for seed in 0..2 {
        ada.delete(&ada.file(&bytes(1, seed)).await.id).await.unwrap();
    }
    let refused = from_status(&ada.begin(User::saying(b"x")).await.unwrap_err());
    assert_eq!(refused.reason(), ErrorReason::DailyQuotaExceeded);
    let wait = Duration::try_from(refused.retry_after.expect("when to come back")).unwrap();
    assert!(wait > Duration::from_secs(22 * 3600) && wait <= Duration::from_secs(24 * 3600), "{wait:?}");
    scene.clock.advance(wait);
    assert_eq!(ada.usage().await.uploads_today, 0);
}

#[tokio::test]
async fn g8_unfinished_uploads_are_few() {
    let scene = Scene::with(Config { unfinished_uploads: 2, ..config() }).await;
    let ada = scene.user().await;
    let first = ada.begin(User::saying(b"1")).await.unwrap().media_id;
    ada.begin(User::saying(b"2")).await.unwrap();
    assert_eq!(reason(ada.begin(User::saying(b"3")).await), ErrorReason::TooManyUploads, "G8");
    ada.send_all(&first, b"1").await;
    ada.finish(&first).await.unwrap();
    ada.begin(User::saying(b"3")).await.unwrap();
}

#[tokio::test]
async fn g8_few_uploads_are_open_at_once_and_all_of_them_go_on() {
    let scene = Scene::with(Config { open_uploads: 2, ..config() }).await;
    let ada = scene.user().await;
    let content = bytes(2 * PART, 1);
    let mut ids = Vec::new();
    for _ in 0..6 {
        // Those before are closed as soon as what came of them is safe.
        let saying = User::saying(&content);
        let mut begun = Err(tonic::Status::unknown("not yet"));
        eventually("there is a place", PATIENCE, async || {
            begun = ada.begin(saying.clone()).await;
            begun.is_ok()
        })
        .await;
        ids.push(begun.unwrap().media_id);
    }
    for index in 0..2 {
        for id in &ids {
            eventually("there is a place", PATIENCE, async || ada.send(id, &content, index).await.is_ok())
                .await;
        }
    }
    for id in &ids {
        eventually("there is a place", PATIENCE, async || ada.finish(id).await.is_ok()).await;
        assert_eq!(scene.blob(id, "original").unwrap(), content);
    }
}

#[tokio::test]
async fn without_room_in_the_store_uploads_are_refused_and_nothing_is_lost() {
    let scene = Scene::with(Config {
        store_max_bytes: 1024 * 1024,
        unfinished_uploads: 100_000,
        uploads_per_day: 100_000,
        ..config()
    })
    .await;
    let ada = scene.user().await;
    let content = bytes(PART, 1);
    let file = ada.file(&content).await;
    let begun = ada.begin(User::saying(&content)).await.unwrap().media_id;
    let mut refused = None;
    for _ in 0..200 {
        let many = (0..50).map(|_| {
            let name = "n".repeat(255);
            ada.begin(CreateUploadRequest { name, ..User::saying(&content) })
        });
        let answers = futures_util::future::join_all(many).await;
        refused = answers.into_iter().find_map(Result::err);
        if refused.is_some() {
            break;
        }
    }
    let refused = from_status(&refused.expect("a megabyte is full at some time"));
    assert_eq!(refused.reason(), ErrorReason::StorageFull);
    assert!(refused.retry_after.is_some());
    assert_eq!(ada.finish(&file.id).await.unwrap(), file);
    assert_eq!(ada.upload(&begun).await.unwrap().missing.len(), 1);
    assert_eq!(scene.blob(&file.id, "original").unwrap(), content);
}
