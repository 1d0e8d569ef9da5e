//! What nobody uses goes; what somebody uses, or is about to, stays.

use std::time::Duration;

use media_svc::Config;
use parlor_testkit::{PATIENCE, eventually, reason};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::{ClaimRequest, ReleaseRequest};

use crate::support::*;

const MINUTE: Duration = Duration::from_secs(60);

async fn gone(scene: &Scene, user: &User, id: &str) {
    eventually("the file goes", PATIENCE, async || !user.has(id).await).await;
    eventually("its bytes go", PATIENCE, async || scene.blob(id, "original").is_none()).await;
}

/// A round that ends after this call has begun after it.
async fn a_round(scene: &Scene) {
    let witness = scene.user().await;
    let file = witness.file(b"canary").await.id;
    let op = op();
    scene.claim(&witness, &op, &[&file], &[]).await.unwrap();
    scene.release(&op, &[&file]).await;
    gone(scene, &witness, &file).await;
}

#[tokio::test]
async fn a_file_that_nobody_uses_goes_after_a_day() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (unused, used, shown, claimed) = (
        ada.file(&bytes(10, 1)).await.id,
        ada.file(&bytes(10, 2)).await.id,
        ada.file(&bytes(10, 3)).await.id,
        ada.file(&bytes(10, 4)).await.id,
    );
    scene.uses.in_entry(&used, true);
    scene.uses.in_profile(&shown, true);
    scene.clock.advance(KEEP - MINUTE);
    scene.claim(&ada, &op(), &[&claimed], &[]).await.unwrap();
    a_round(&scene).await;
    assert!(ada.has(&unused).await, "its day is not over");
    scene.clock.advance(MINUTE);
    gone(&scene, &ada, &unused).await;
    for id in [&used, &shown, &claimed] {
        assert!(ada.has(id).await && scene.blob(id, "original").is_some(), "G1");
    }
    // What was in use is asked about again; what was claimed and never used goes.
    scene.uses.in_entry(&used, false);
    scene.clock.advance(8 * KEEP);
    gone(&scene, &ada, &used).await;
    gone(&scene, &ada, &claimed).await;
    assert!(ada.has(&shown).await, "G1");
    assert_eq!(ada.usage().await.stored_bytes, 10);
}

#[tokio::test]
async fn nothing_goes_while_either_service_does_not_answer() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let file = ada.file(b"a").await.id;
    for (chat, auth) in [(false, true), (true, false)] {
        scene.uses.answer(chat, auth);
        assert_eq!(reason(ada.delete(&file).await), ErrorReason::Unavailable);
        assert!(ada.has(&file).await);
    }
    scene.uses.answer(false, true);
    scene.clock.advance(2 * KEEP);
    // waits: some rounds that ask in vain
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(ada.has(&file).await, "G1");
    scene.uses.answer(true, true);
    gone(&scene, &ada, &file).await;
}

#[tokio::test]
async fn what_is_given_up_goes_at_once() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (one, two) = (ada.file(b"one").await.id, ada.file(b"two").await.id);
    let (first, second) = (op(), op());
    scene.claim(&ada, &first, &[&one, &two], &[]).await.unwrap();
    scene.claim(&ada, &second, &[&two], &[]).await.unwrap();
    scene.release(&first, &[&one, &two]).await;
    gone(&scene, &ada, &one).await;
    assert!(ada.has(&two).await, "G1: somebody else is about to use it");
    scene.uses.in_entry(&two, true);
    scene.release(&second, &[&two]).await;
    a_round(&scene).await;
    assert!(ada.has(&two).await, "G1: it is used");
    scene.uses.in_entry(&two, false);
    scene.release(&second, &[&two]).await;
    gone(&scene, &ada, &two).await;
}

#[tokio::test]
async fn a_profiles_picture_may_be_put_back() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let file = ada.file(b"me").await.id;
    let mut service = scene.service().await;
    let claim = ClaimRequest {
        user_id: ada.person.id(),
        r#use: Some(profile(&ada)),
        media_ids: vec![file.clone()],
        readable_ids: vec![],
    };
    let release = ReleaseRequest { r#use: Some(profile(&ada)), media_ids: vec![file.clone()] };
    service.claim(claim.clone()).await.unwrap();
    service.claim(claim).await.unwrap();
    // The word of the first time comes after that of the second, which is not stored yet.
    service.release(release.clone()).await.unwrap();
    a_round(&scene).await;
    assert!(ada.has(&file).await, "G1");
    scene.clock.advance(11 * MINUTE);
    gone(&scene, &ada, &file).await;
}

#[tokio::test]
async fn g7_one_claims_ones_own_and_what_one_can_read() {
    let scene = Scene::start().await;
    let (ada, ben) = (scene.user().await, scene.user().await);
    let (mine, theirs) = (ada.file(b"mine").await, ben.file(b"theirs").await);
    let upload = ada.begin(User::saying(b"more")).await.unwrap().media_id;
    for other in [&theirs.id, &upload, &nothing()] {
        let refused = scene.claim(&ada, &op(), &[&mine.id, other], &[]).await;
        assert_eq!(reason(refused), ErrorReason::MediaNotFound, "G7");
    }
    let refused = scene.claim(&ada, &op(), &[&upload], &[&upload]).await;
    assert_eq!(reason(refused), ErrorReason::MediaNotFound, "it is not whole");
    let claimed = scene.claim(&ada, &op(), &[&theirs.id, &mine.id, &theirs.id], &[&theirs.id]).await.unwrap();
    assert_eq!(claimed, [theirs.clone(), mine, theirs], "as they were described");
}

#[tokio::test]
async fn one_deletes_what_one_does_not_use() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let (claimed, used, shown) = (ada.file(b"1").await.id, ada.file(b"2").await.id, ada.file(b"3").await.id);
    let place = op();
    scene.claim(&ada, &place, &[&claimed], &[]).await.unwrap();
    scene.uses.in_entry(&used, true);
    scene.uses.in_profile(&shown, true);
    for id in [&claimed, &used, &shown] {
        assert_eq!(reason(ada.delete(id).await), ErrorReason::MediaInUse);
        assert!(ada.has(id).await && scene.blob(id, "original").is_some());
    }
    scene.uses.in_entry(&used, false);
    ada.delete(&used).await.unwrap();
    ada.delete(&used).await.unwrap();
    assert_eq!(reason(scene.claim(&ada, &op(), &[&used], &[]).await), ErrorReason::MediaNotFound);
    assert_eq!(scene.blob(&used, "original"), None);
    let upload = ada.begin(User::saying(b"xy")).await.unwrap().media_id;
    ada.part(&upload, 0, b"xy").await.unwrap();
    ada.delete(&upload).await.unwrap();
    assert_eq!(reason(ada.upload(&upload).await), ErrorReason::MediaNotFound);
    assert_eq!(scene.files("uploads"), Vec::<std::path::PathBuf>::new());
    assert_eq!(ada.usage().await.stored_bytes, 2);
}

/// A store that was given the files of another may be a mistake: there is time to mend it.
#[tokio::test]
async fn finished_files_that_the_store_does_not_know_outlive_the_first_sweep() {
    let scene = Scene::start().await;
    let (lost, staged) = (nothing(), nothing());
    let root = scene.folder.path().to_owned();
    std::fs::create_dir_all(root.join("blobs").join(&lost)).unwrap();
    std::fs::write(root.join("blobs").join(&lost).join("original"), b"lost").unwrap();
    std::fs::write(root.join("uploads").join(&staged), b"lost").unwrap();
    let scene = scene.restart().await;
    eventually("the sweep has been", PATIENCE, async || scene.files("uploads").is_empty()).await;
    let scene = scene.restart().await;
    assert_eq!(scene.blob(&lost, "original").unwrap(), b"lost");
}

#[tokio::test]
async fn files_of_another_store_are_not_swept_and_stop_the_start() {
    let scene = Scene::with(Config { sweep_every: Duration::from_millis(50), ..config() }).await;
    let root = scene.folder.path().join("blobs");
    eventually("the place is marked", PATIENCE, async || root.join("owner").exists()).await;
    scene.app.probe().await.unwrap();
    let (theirs, own) = ("ab".repeat(16), std::fs::read_to_string(root.join("owner")).unwrap());
    std::fs::write(root.join("owner"), &theirs).unwrap();
    let lost = nothing();
    std::fs::create_dir_all(root.join(&lost)).unwrap();
    std::fs::write(root.join(&lost).join("original"), b"lost").unwrap();
    let scene = scene.restart().await;
    let refused = scene.app.probe().await.unwrap_err().to_string();
    assert!(refused.contains(&theirs) && refused.contains("media.blobs.adopt"), "{refused}");
    // A file of an upload that is not known goes in the same sweep as one of a finished file would, before it.
    for _ in 0..3 {
        let staged = scene.folder.path().join("uploads").join(nothing());
        std::fs::write(&staged, b"lost").unwrap();
        eventually("a sweep has been", PATIENCE, async || !staged.exists()).await;
    }
    assert_eq!(scene.blob(&lost, "original").unwrap(), b"lost", "a file of another store is gone");
    std::fs::write(root.join("owner"), own).unwrap();
    scene.app.probe().await.unwrap();
    eventually("its own are swept", PATIENCE, async || scene.blob(&lost, "original").is_none()).await;
}

#[tokio::test]
async fn what_the_scanner_was_looking_at_when_the_process_ended_is_cleared_away() {
    let scene = Scene::start().await;
    let left = scene.folder.path().join("scanned");
    std::fs::write(&left, b"harm").unwrap();
    let _scene = scene.restart().await;
    assert!(!left.exists());
}

#[tokio::test]
async fn bytes_that_belong_to_nothing_are_swept() {
    let scene = Scene::with(Config { sweep_every: Duration::from_millis(100), ..config() }).await;
    let ada = scene.user().await;
    let file = ada.file(b"kept").await.id;
    let upload = ada.begin(User::saying(b"ab")).await.unwrap().media_id;
    ada.part(&upload, 0, b"ab").await.unwrap();
    let root = scene.folder.path().to_owned();
    let (lost, staged) = (nothing(), nothing());
    std::fs::create_dir_all(root.join("blobs").join(&lost)).unwrap();
    for name in ["original", "small", "small#1"] {
        std::fs::write(root.join("blobs").join(&lost).join(name), b"lost").unwrap();
    }
    std::fs::write(root.join("blobs").join(&file).join("large#7"), b"lost").unwrap();
    std::fs::write(root.join("uploads").join(&staged), b"lost").unwrap();
    std::fs::create_dir_all(root.join("uploads").join(format!("{staged}.out"))).unwrap();
    let scene = scene.restart().await;
    let ada = scene.again(ada.person).await;
    let left = |scene: &Scene| scene.files("uploads").len() + scene.files("blobs").len();
    eventually("what is lost is gone", PATIENCE, async || left(&scene) == 2).await;
    assert_eq!(scene.blob(&file, "original").unwrap(), b"kept");
    ada.finish(&upload).await.unwrap();
}
