//! What is not what was announced is refused, and nothing of it is kept.

use std::path::PathBuf;

use media_svc::{Config, MismatchedType};
use parlor_testkit::reason;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::media::Preview;
use parlor_wire::media::v1::*;

use crate::support::*;

/// A picture of 3 by 2 pixels, with a comment in it.
fn png() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [&kind[..], data].concat();
        png.extend(&body);
        png.extend(crc32(&body).to_be_bytes());
    };
    chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
    chunk(b"tEXt", b"Comment\0canary-51c0");
    // Two rows of a filter byte and three grey pixels each, stored and not compressed.
    let rows = [0_u8, 10, 20, 30, 0, 40, 50, 60];
    let mut data = vec![0x78, 0x01, 1, 8, 0, !8, !0];
    data.extend(rows);
    let (a, b) =
        rows.iter().fold((1_u32, 0_u32), |(a, b), byte| (a + u32::from(*byte), b + a + u32::from(*byte)));
    data.extend(((b << 16) | a).to_be_bytes());
    chunk(b"IDAT", &data);
    chunk(b"IEND", &[]);
    png
}

fn crc32(bytes: &[u8]) -> u32 {
    let fold = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    };
    !bytes.iter().fold(u32::MAX, fold)
}

/// Uploads what was announced differently, and why it was refused.
async fn refused(scene: &Scene, saying: CreateUploadRequest, sent: &[u8]) -> ErrorReason {
    let ada = scene.user().await;
    let id = ada.begin(saying).await.unwrap().media_id;
    ada.send_all(&id, sent).await;
    let why = reason(ada.finish(&id).await);
    assert_eq!(reason(ada.upload(&id).await), ErrorReason::MediaNotFound, "nothing is kept");
    assert_eq!(reason(ada.finish(&id).await), why, "the answer may have been lost");
    let eve = scene.user().await;
    assert_eq!(reason(eve.finish(&id).await), ErrorReason::MediaNotFound, "G7");
    let kept: Vec<PathBuf> = scene.files("uploads").into_iter().chain(scene.files("blobs")).collect();
    assert_eq!(kept, Vec::<PathBuf>::new(), "nothing is kept");
    let usage = ada.usage().await;
    assert_eq!((usage.stored_bytes, usage.uploads_today), (0, 1), "its room is free again");
    why
}

#[tokio::test]
async fn other_bytes_than_announced() {
    let scene = Scene::start().await;
    let content = bytes(PART + 5, 1);
    let mut other = content.clone();
    other[PART] ^= 1;
    assert_eq!(refused(&scene, User::saying(&content), &other).await, ErrorReason::HashMismatch);
    let hash = CreateUploadRequest { sha256: vec![7; 32].into(), ..User::saying(&content) };
    assert_eq!(refused(&scene, hash, &content).await, ErrorReason::HashMismatch);
}

#[tokio::test]
async fn shorter_or_longer_than_announced() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(2 * PART, 2);
    let id = ada.begin(User::saying(&content)).await.unwrap().media_id;
    ada.send(&id, &content, 0).await.unwrap();
    assert_eq!(reason(ada.finish(&id).await), ErrorReason::UploadIncomplete);
    assert_eq!(reason(ada.part(&id, PART, &content[PART..PART + 5]).await), ErrorReason::FieldInvalid);
    assert_eq!(reason(ada.part(&id, 2 * PART, b"more").await), ErrorReason::FieldInvalid);
    ada.send(&id, &content, 1).await.unwrap();
    assert_eq!(ada.finish(&id).await.unwrap().size, 2 * PART as u64, "the upload stayed");
}

#[tokio::test]
async fn another_type_than_asked_for() {
    let scene = Scene::start().await;
    for purpose in [Purpose::Image, Purpose::Voice, Purpose::Video, Purpose::Avatar] {
        let text = b"just a text".to_vec();
        let saying = CreateUploadRequest {
            purpose: purpose.into(),
            media_type: "image/png".to_owned(),
            ..User::saying(&text)
        };
        assert_eq!(refused(&scene, saying, &text).await, ErrorReason::MediaTypeMismatch, "{purpose:?}");
    }
    // A file may be anything; what it is not it is not called.
    let ada = scene.user().await;
    let text = b"just a text".to_vec();
    let saying = CreateUploadRequest { media_type: "image/png".to_owned(), ..User::saying(&text) };
    let id = ada.begin(saying).await.unwrap().media_id;
    ada.send_all(&id, &text).await;
    assert_ne!(ada.finish(&id).await.unwrap().media_type, "image/png");
}

#[tokio::test]
async fn another_type_than_was_named_where_that_is_refused() {
    let scene = Scene::with(Config { mismatched_type: MismatchedType::Refuse, ..config() }).await;
    let (text, picture) = (b"just a text".to_vec(), png());
    let saying = |purpose: Purpose, bytes: &[u8], named: &str| CreateUploadRequest {
        purpose: purpose.into(),
        media_type: named.to_owned(),
        ..User::saying(bytes)
    };
    for (purpose, bytes, named) in [
        (Purpose::File, &text, "image/png"),
        (Purpose::File, &picture, "text/plain"),
        (Purpose::Image, &picture, "image/jpeg"),
    ] {
        let why = refused(&scene, saying(purpose, bytes, named), bytes).await;
        assert_eq!(why, ErrorReason::MediaMislabeled, "{purpose:?} {named}");
    }
    // First what it is for: under another name it would not do either.
    let why = refused(&scene, saying(Purpose::Image, &text, "image/png"), &text).await;
    assert_eq!(why, ErrorReason::MediaTypeMismatch);
    let ada = scene.user().await;
    for (purpose, bytes, named, kept) in [
        (Purpose::File, &text, "", "application/octet-stream"),
        (Purpose::File, &text, "text/csv", "application/octet-stream"),
        (Purpose::File, &picture, "image/x-png", "image/png"),
        (Purpose::Image, &picture, "", "image/png"),
    ] {
        let id = ada.begin(saying(purpose, bytes, named)).await.unwrap().media_id;
        ada.send_all(&id, bytes).await;
        assert_eq!(ada.finish(&id).await.unwrap().media_type, kept, "{purpose:?} {named}");
    }
}

#[tokio::test]
async fn a_picture_is_cleaned_and_described() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let picture = png();
    let saying = CreateUploadRequest { purpose: Purpose::Image.into(), ..User::saying(&picture) };
    let id = ada.begin(saying.clone()).await.unwrap().media_id;
    ada.send_all(&id, &picture).await;
    let media = ada.finish(&id).await.unwrap();
    assert_eq!(media.media_type, "image/png");
    let Some(Preview::Image(image)) = &media.preview else { panic!("no preview: {media:?}") };
    assert_eq!((image.width, image.height, image.animated), (3, 2, false));
    assert!(!image.thumbhash.is_empty());
    let kept = scene.blob(&id, "original").unwrap();
    assert_eq!((media.size, &media.sha256[..]), (kept.len() as u64, &sha256(&kept)[..]));
    assert!(!kept.windows(6).any(|bytes| bytes == b"canary"), "G7: the comment is still there");
    assert_eq!(ada.usage().await.stored_bytes, kept.len() as u64);
    assert_eq!(ada.finish(&id).await.unwrap(), media, "G2");
    let scene = scene.restart().await;
    let ada = scene.again(ada.person).await;
    assert_eq!(ada.finish(&id).await.unwrap(), media, "G1");

    let broken = &picture[..picture.len() - 30];
    let saying = CreateUploadRequest { purpose: Purpose::Image.into(), ..User::saying(broken) };
    let id = ada.begin(saying).await.unwrap().media_id;
    ada.send_all(&id, broken).await;
    assert_eq!(reason(ada.finish(&id).await), ErrorReason::MediaUnreadable);
    assert!(!ada.has(&id).await, "nothing is kept");
}

#[tokio::test]
async fn what_cannot_be_put_now_can_be_finished_later() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(PART + 1, 3);
    let id = ada.begin(User::saying(&content)).await.unwrap().media_id;
    ada.send_all(&id, &content).await;
    // A file where the folder of the blob belongs.
    let in_the_way = scene.folder.path().join("blobs").join(&id);
    std::fs::write(&in_the_way, b"").unwrap();
    assert_eq!(reason(ada.finish(&id).await), ErrorReason::Internal);
    let upload = ada.upload(&id).await.unwrap();
    assert!(!upload.finished && upload.missing.is_empty(), "nothing is lost");
    std::fs::remove_file(in_the_way).unwrap();
    ada.finish(&id).await.unwrap();
    assert_eq!(scene.blob(&id, "original").unwrap(), content);
}

#[tokio::test]
async fn a_try_that_fails_leaves_nothing_but_the_upload() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let picture = png();
    let saying = CreateUploadRequest { purpose: Purpose::Image.into(), ..User::saying(&picture) };
    let id = ada.begin(saying).await.unwrap().media_id;
    ada.send_all(&id, &picture).await;
    // Where its bytes are to go something else is.
    let taken = scene.folder.path().join("blobs").join(&id);
    std::fs::write(&taken, "in the way").unwrap();
    assert_eq!(reason(ada.finish(&id).await), ErrorReason::Internal);
    let left = scene.files("uploads");
    assert!(left.len() == 1 && left[0].ends_with(&id), "what the inspection made is left: {left:?}");
    std::fs::remove_file(&taken).unwrap();
    ada.finish(&id).await.unwrap();
}
