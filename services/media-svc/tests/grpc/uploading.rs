//! Parts come in any order, more than once, or not where they belong.

use std::time::Duration;

use parlor_testkit::reason;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::media::v1::*;

use crate::support::*;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_file_arrives_whole_whatever_the_order() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(3 * PART + 17, 1);
    let upload = ada.begin(User::saying(&content)).await.unwrap();
    let id = &upload.media_id;
    assert_eq!((upload.part_bytes as usize, upload.window_bytes as usize), (PART, 16 * MIB));
    assert_eq!(upload.missing, [ByteRange { offset: 0, length: content.len() as u64 }]);
    assert!(!upload.finished && upload.expires_at.is_some());
    assert_eq!(ada.send(id, &content, 3).await.unwrap(), 17);
    assert_eq!(ada.send(id, &content, 1).await.unwrap(), 17 + PART as u64);
    assert_eq!(ada.send(id, &content, 1).await.unwrap(), 17 + PART as u64, "a part sent twice is harmless");
    // Even if it says something else: what is there is there.
    assert_eq!(ada.part(id, PART, &bytes(PART, 9)).await.unwrap(), 17 + PART as u64);
    let range = |first: usize| ByteRange { offset: (first * PART) as u64, length: PART as u64 };
    assert_eq!(ada.upload(id).await.unwrap().missing, [range(0), range(2)]);
    assert_eq!(reason(ada.finish(id).await), ErrorReason::UploadIncomplete);
    ada.send(id, &content, 2).await.unwrap();
    assert_eq!(ada.send(id, &content, 0).await.unwrap(), content.len() as u64);

    let media = ada.finish(id).await.unwrap();
    assert_eq!((media.size, &media.sha256[..]), (content.len() as u64, &sha256(&content)[..]));
    assert_eq!((media.name.as_str(), media.purpose()), ("a file", Purpose::File));
    assert_eq!(media.preview, None);
    assert_eq!(scene.blob(id, "original").unwrap(), content);
    assert_eq!(scene.files("uploads"), Vec::<std::path::PathBuf>::new());
    // It is finished, however often that is said.
    assert_eq!(ada.finish(id).await.unwrap(), media, "G2");
    assert_eq!(ada.part(id, PART, b"x").await.unwrap(), content.len() as u64, "taken and dropped");
    let upload = ada.upload(id).await.unwrap();
    assert!(upload.finished && upload.missing.is_empty() && upload.expires_at.is_none());
    assert_eq!(scene.blob(id, "original").unwrap(), content);
}

#[tokio::test]
async fn parts_have_their_places() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(2 * PART + 100, 2);
    let id = ada.begin(User::saying(&content)).await.unwrap().media_id;
    for (offset, length) in [
        (0, 0),
        (0, PART - 1),
        (0, 100),
        (2 * PART, 99),
        (2 * PART, 101),
        (2 * PART, PART),
        (1, PART),
        (PART / 2, PART),
        (3 * PART, 100),
        (usize::MAX, 100),
    ] {
        let refused = ada.part(&id, offset, &vec![0; length]).await;
        assert_eq!(reason(refused), ErrorReason::FieldInvalid, "{length} at {offset}");
    }
    assert_eq!(reason(ada.part(&id, 0, &vec![0; PART + 1]).await), ErrorReason::FieldInvalid);
    assert_eq!(reason(ada.part(&id, 0, &vec![0; 2 * PART]).await), ErrorReason::MessageTooLarge);
    assert_eq!(ada.upload(&id).await.unwrap().missing.len(), 1, "nothing of it counts");
    ada.send_all(&id, &content).await;
    ada.finish(&id).await.unwrap();
}

#[tokio::test]
async fn g8_no_part_comes_from_beyond_the_window() {
    let scene = Scene::with(media_svc::Config { window_bytes: 2 * PART as u64, ..config() }).await;
    let ada = scene.user().await;
    let content = bytes(5 * PART, 3);
    let id = ada.begin(User::saying(&content)).await.unwrap().media_id;
    assert_eq!(reason(ada.send(&id, &content, 3).await), ErrorReason::PartAhead, "G8");
    ada.send(&id, &content, 2).await.unwrap();
    ada.send(&id, &content, 0).await.unwrap();
    ada.send(&id, &content, 3).await.unwrap();
    assert_eq!(reason(ada.send(&id, &content, 4).await), ErrorReason::PartAhead, "G8");
    ada.send(&id, &content, 1).await.unwrap();
    ada.send(&id, &content, 4).await.unwrap();
    ada.finish(&id).await.unwrap();
    assert_eq!(scene.blob(&id, "original").unwrap(), content);
}

#[tokio::test]
async fn g2_one_op_is_one_upload() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let content = bytes(PART + 1, 4);
    let saying = User::saying(&content);
    let at_once = (0..20).map(|_| ada.begin(saying.clone()));
    let uploads = futures_util::future::try_join_all(at_once).await.unwrap();
    let id = &uploads[0].media_id;
    assert!(uploads.iter().all(|upload| upload.media_id == *id), "G2: {uploads:?}");
    assert_eq!(ada.usage().await.uploads_today, 1, "G2");
    let mut others = vec![saying.clone(); 5];
    others[0].size += 1;
    others[1].name.push('x');
    others[2].media_type = "text/plain".to_owned();
    others[3].sha256 = vec![0; 32].into();
    others[4].purpose = Purpose::Image.into();
    for other in others {
        assert_eq!(reason(ada.begin(other).await), ErrorReason::OpReused);
    }
    assert_ne!(ben.begin(saying.clone()).await.unwrap().media_id, *id, "another's op is another op");
    // Everybody sends everything at once.
    let parts = (0..10).flat_map(|_| [0, 1]).map(|index| ada.send(id, &content, index));
    futures_util::future::try_join_all(parts).await.unwrap();
    let finished = futures_util::future::try_join_all((0..5).map(|_| ada.finish(id))).await.unwrap();
    assert!(finished.windows(2).all(|pair| pair[0] == pair[1]), "G2: {finished:?}");
    assert!(ada.begin(saying).await.unwrap().finished, "G2");
    assert_eq!(scene.blob(id, "original").unwrap(), content);
}

#[tokio::test]
async fn g7_an_upload_is_its_owners_alone() {
    let scene = Scene::start().await;
    let (ada, eve) = (scene.user().await, scene.user().await);
    let content = bytes(10, 5);
    let upload = ada.begin(User::saying(&content)).await.unwrap().media_id;
    let file = ada.file(&bytes(20, 6)).await.id;
    for id in [&upload, &file] {
        let refusals = async |id: &str| {
            [
                eve.upload(id).await.map(drop).unwrap_err(),
                eve.part(id, 0, &content).await.map(drop).unwrap_err(),
                eve.finish(id).await.map(drop).unwrap_err(),
            ]
        };
        for (theirs, unknown) in refusals(id).await.into_iter().zip(refusals(&nothing()).await) {
            assert_eq!(theirs.code(), unknown.code(), "G7");
            assert_eq!(theirs.message(), unknown.message(), "G7");
            assert_eq!(theirs.details(), unknown.details(), "G7");
        }
        eve.delete(id).await.unwrap();
        assert!(ada.has(id).await, "G7");
    }
    eve.delete(&nothing()).await.unwrap();
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart_and_ends_a_day_after_its_last_part() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let content = bytes(2 * PART, 7);
    let (slow, other) =
        (ada.begin(User::saying(&content)).await.unwrap(), ada.begin(User::saying(&content)).await.unwrap());
    let (slow, other) = (slow.media_id, other.media_id);
    ada.send(&slow, &content, 1).await.unwrap();
    ada.send(&other, &content, 1).await.unwrap();
    scene.clock.advance(KEEP - Duration::from_secs(1));
    ada.send(&slow, &content, 1).await.unwrap();
    let scene = scene.restart().await;
    let ada = scene.again(ada.person).await;
    let missing = ada.upload(&slow).await.unwrap().missing;
    assert_eq!(missing, [ByteRange { offset: 0, length: PART as u64 }], "G1");
    scene.clock.advance(Duration::from_secs(2));
    parlor_testkit::eventually("the other expires", parlor_testkit::PATIENCE, async || {
        !ada.has(&other).await
    })
    .await;
    assert_eq!(reason(ada.send(&other, &content, 0).await), ErrorReason::MediaNotFound);
    ada.send(&slow, &content, 0).await.unwrap();
    ada.finish(&slow).await.unwrap();
    assert_eq!(scene.blob(&slow, "original").unwrap(), content);
    let left = async || scene.files("uploads").is_empty();
    parlor_testkit::eventually("nothing is left of uploads", parlor_testkit::PATIENCE, left).await;
    assert_eq!(ada.usage().await.stored_bytes, content.len() as u64);
}
