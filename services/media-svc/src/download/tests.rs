use futures_util::TryStreamExt as _;
use parlor_types::{SessionId, UserId};

use super::*;
use crate::app::testing::{Scene, noise, sha256};
use crate::media::random_id;

async fn all(reading: Reading) -> Vec<u8> {
    reading.try_collect::<Vec<_>>().await.unwrap().concat()
}

#[tokio::test]
async fn what_is_found_is_read_in_each_form() {
    let scene = Scene::new();
    let reader = Reader { user: UserId::new(), session: SessionId::new() };
    let (large, small) = (noise(300_000), noise(900));
    let id = scene.picture(reader.user, &large, &small).await;
    for (variant, bytes) in [(Variant::Original, &large), (Variant::Small, &small)] {
        let found = scene.downloads.find(reader.user, id, variant).await.unwrap();
        assert_eq!((found.size, found.sha256), (bytes.len() as u64, sha256(bytes)));
        let whole = scene.downloads.read(reader, &found, 0..found.size).await.unwrap();
        assert!(all(whole).await == *bytes);
        let part = scene.downloads.read(reader, &found, 7..found.size - 7).await.unwrap();
        assert!(all(part).await == bytes[7..bytes.len() - 7]);
        let none = scene.downloads.read(reader, &found, found.size..found.size).await.unwrap();
        assert!(all(none).await.is_empty());
    }
    let missing = scene.downloads.find(reader.user, id, Variant::Large).await;
    assert!(matches!(missing, Err(Refusal::NotFound)), "{missing:?}");
}

#[tokio::test]
async fn g7_nobody_but_those_who_may_have_it_learns_that_it_is_in_quarantine() {
    let scene = Scene::new();
    let (ada, ben) = (UserId::new(), UserId::new());
    let id = scene.quarantined(ada, b"harm").await;
    let find = async |user, id| scene.downloads.find(user, id, Variant::Original).await;
    assert!(matches!(find(ada, id).await, Err(Refusal::Checking)));
    assert!(matches!(find(ben, id).await, Err(Refusal::NotFound)), "G7");
    assert!(scene.store.checked(id, false).await.unwrap());
    assert!(matches!(find(ada, id).await, Err(Refusal::Refused)));
    assert!(matches!(find(ben, id).await, Err(Refusal::NotFound)), "G7");
    assert!(matches!(find(ada, random_id()).await, Err(Refusal::NotFound)));
}

#[tokio::test]
async fn lost_bytes_do_not_look_like_a_file_that_never_was() {
    let scene = Scene::new();
    let reader = Reader { user: UserId::new(), session: SessionId::new() };
    let id = scene.file(reader.user, "a", Purpose::File, "", b"abc").await;
    let found = scene.downloads.find(reader.user, id, Variant::Original).await.unwrap();
    scene.blobs.delete(id).await.unwrap();
    let gone = scene.downloads.read(reader, &found, 0..3).await;
    assert!(matches!(gone, Err(Refusal::Blob(BlobError::NotFound))), "{gone:?}");
    assert_eq!(scene.slots.in_use(), 0);
}
