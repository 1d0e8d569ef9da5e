use std::fs::OpenOptions;
use std::time::{Instant, SystemTime};

use parlor_runtime::clock::ManualClock;

use super::*;
use crate::media::{FileName, MediaType, Purpose, Sha256};
use crate::parts::PART_BYTES;
use crate::store::memory::MemoryStore;

fn rules() -> Rules {
    let quota = Quota {
        file_bytes: 1 << 40,
        avatar_bytes: 1 << 40,
        stored_bytes: 1 << 40,
        uploads_per_day: 100,
        bytes_per_day: 1 << 40,
        unfinished: 100,
    };
    let (expires, save_every) = (Duration::from_secs(100), Duration::from_secs(1));
    Rules { quota, window: 1 << 40, expires, save_bytes: 4 * PART_BYTES, save_every }
}

struct Scene {
    uploads: Uploads,
    store: Arc<MemoryStore>,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(MemoryStore::default());
    let staging = Staging::open(&folder.path().join("uploads")).unwrap();
    let parts = Gate::new(8, 8, Duration::from_secs(5));
    let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
    let uploads = Uploads::new(Arc::clone(&store) as _, staging, OpenUploads::new(8), parts, rules(), clock);
    Scene { uploads, store, _folder: folder }
}

fn declared(parts: u64) -> Declared {
    Declared {
        name: FileName::new("a").unwrap(),
        media_type: MediaType::default(),
        size: parts * PART_BYTES,
        sha256: Sha256([0; 32]),
        purpose: Purpose::File,
    }
}

fn part(byte: u8) -> Bytes {
    vec![byte; usize::try_from(PART_BYTES).unwrap()].into()
}

impl Scene {
    async fn begin(&self, owner: UserId, parts: u64) -> MediaId {
        self.uploads.begin(owner, Op::new(), declared(parts)).await.unwrap().id
    }

    async fn safe(&self, id: MediaId) -> u64 {
        match self.store.records(vec![id]).await.unwrap().remove(0).unwrap().stage {
            Stage::Uploading { parts, .. } => parts.received_bytes(),
            Stage::Finished(_) | Stage::Refused => panic!("it is an upload"),
        }
    }
}

#[tokio::test]
async fn g1_a_full_disk_loses_nothing() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 3).await;
    scene.uploads.part(owner, id, 0, part(1)).await.unwrap();
    scene.uploads.save_all().await;
    // From now on there is no room.
    scene.uploads.open.end(id);
    let full = OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
    let mut parts = Parts::none(3 * PART_BYTES);
    parts.insert(0);
    let progress = Progress::new(parts, SystemTime::UNIX_EPOCH, false, Instant::now());
    scene.uploads.open.insert(Upload::new(id, owner, full.into(), progress)).unwrap();
    for _ in 0..2 {
        let refused = scene.uploads.part(owner, id, PART_BYTES, part(2)).await;
        assert!(matches!(refused, Err(Failure::Full)), "{refused:?}");
    }
    let status = scene.uploads.status(owner, id).await.unwrap();
    assert_eq!(status.parts.unwrap().received_bytes(), PART_BYTES, "G1: what is not there is not said to be");
    // There is room again.
    scene.uploads.open.end(id);
    scene.uploads.part(owner, id, PART_BYTES, part(2)).await.unwrap();
    scene.uploads.part(owner, id, 2 * PART_BYTES, part(3)).await.unwrap();
    scene.uploads.save_all().await;
    assert_eq!(scene.safe(id).await, 3 * PART_BYTES);
    let written = std::fs::read(scene.uploads.staging.path(id)).unwrap();
    assert_eq!(written, [part(1), part(2), part(3)].concat());
}

#[tokio::test]
async fn g1_what_the_store_says_is_what_was_synced() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 6).await;
    for index in 0..3 {
        scene.uploads.part(owner, id, index * PART_BYTES, part(1)).await.unwrap();
    }
    assert_eq!(scene.safe(id).await, 0, "not yet");
    scene.uploads.part(owner, id, 3 * PART_BYTES, part(1)).await.unwrap();
    assert_eq!(scene.safe(id).await, 4 * PART_BYTES, "after so many bytes");
    scene.uploads.part(owner, id, 4 * PART_BYTES, part(1)).await.unwrap();
    // A crash: what was not saved is missing again.
    scene.uploads.open.end(id);
    let status = scene.uploads.status(owner, id).await.unwrap();
    assert_eq!(status.parts.unwrap().received_bytes(), 4 * PART_BYTES);
    // A restored backup without the files of uploads: all of it is.
    scene.uploads.open.end(id);
    std::fs::remove_file(scene.uploads.staging.path(id)).unwrap();
    let status = scene.uploads.status(owner, id).await.unwrap();
    assert_eq!(status.parts.unwrap().received_bytes(), 0, "G1");
    scene.uploads.save_all().await;
    assert_eq!(scene.safe(id).await, 0, "G1");
}

#[tokio::test]
async fn a_save_that_is_given_up_halfway_is_made_up_for() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 2).await;
    scene.uploads.part(owner, id, 0, part(1)).await.unwrap();
    let upload = scene.uploads.open.get(id).unwrap();
    {
        let mut save = std::pin::pin!(scene.uploads.save(&upload));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // Polled once: it waits for the disk when its caller goes.
        assert!(save.as_mut().poll(&mut context).is_pending());
    }
    scene.uploads.save_all().await;
    assert_eq!(scene.safe(id).await, PART_BYTES);
}

#[tokio::test]
async fn g8_an_idle_upload_makes_room_and_a_busy_one_does_not() {
    let (scene, owner) = (scene(), UserId::new());
    let busy = scene.begin(owner, 2).await;
    scene.uploads.part(owner, busy, 0, part(1)).await.unwrap();
    for _ in 0..30 {
        let id = scene.begin(owner, 1).await;
        scene.uploads.part(owner, id, 0, part(1)).await.unwrap();
        let upload = scene.uploads.open.get(id).unwrap();
        scene.uploads.save(&upload).await.unwrap();
    }
    assert_eq!(scene.uploads.open.all().len(), 8, "G8");
    assert!(scene.uploads.open.get(busy).is_some(), "what is not safe stays open");
    let held = scene.uploads.open.all();
    let id = scene.begin(owner, 1).await;
    let refused = scene.uploads.part(owner, id, 0, part(1)).await;
    assert!(matches!(refused, Err(Failure::Overloaded)), "G8: {refused:?}");
    drop(held);
    scene.uploads.part(owner, id, 0, part(1)).await.unwrap();
}

fn finished() -> crate::media::Finished {
    crate::media::Finished {
        media_type: "text/plain".to_owned(),
        size: 2 * PART_BYTES,
        sha256: Sha256([0; 32]),
        preview: None,
        checking: false,
    }
}

#[tokio::test]
async fn late_parts_of_a_finished_upload_are_taken_and_dropped() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 2).await;
    for offset in [0, PART_BYTES] {
        scene.uploads.part(owner, id, offset, part(1)).await.unwrap();
    }
    scene.uploads.save_all().await;
    let before = scene.uploads.record(owner, id).await.unwrap();
    assert!(scene.store.finish(id, finished(), SystemTime::UNIX_EPOCH).await.unwrap());
    // It is open still, as it is for a moment.
    assert_eq!(scene.uploads.part(owner, id, 0, part(1)).await.unwrap(), 2 * PART_BYTES);
    scene.uploads.discard(id).await;
    // Whoever has read the record before comes too late to make a file again.
    let opened = scene.uploads.open(before.clone()).await.unwrap();
    assert!(matches!(opened, Err(Record { stage: Stage::Finished(_), .. })), "{opened:?}");
    assert_eq!(scene.uploads.staging.ids().await.unwrap(), [], "a file is left");
    assert!(scene.uploads.open.all().is_empty());
    assert_eq!(scene.uploads.part(owner, id, 0, part(1)).await.unwrap(), 2 * PART_BYTES);

    let forgotten = Record { id: random_id(), ..before };
    assert!(matches!(scene.uploads.open(forgotten).await, Err(Failure::NotFound)));
    assert_eq!(scene.uploads.staging.ids().await.unwrap(), [], "a file is left");
}

#[tokio::test]
async fn a_part_that_makes_it_save_after_the_end_is_answered_as_finished() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 8).await;
    for index in 0..3 {
        scene.uploads.part(owner, id, index * PART_BYTES, part(1)).await.unwrap();
    }
    assert!(scene.store.finish(id, finished(), SystemTime::UNIX_EPOCH).await.unwrap());
    // The fourth is as much as is saved at once.
    assert_eq!(scene.uploads.part(owner, id, 3 * PART_BYTES, part(1)).await.unwrap(), 8 * PART_BYTES);
    assert_eq!(scene.uploads.staging.ids().await.unwrap(), [], "a file is left");
}

#[tokio::test]
async fn an_upload_that_has_ended_is_not_opened_again_while_a_part_is_being_written() {
    let (scene, owner) = (scene(), UserId::new());
    let id = scene.begin(owner, 2).await;
    scene.uploads.part(owner, id, 0, part(1)).await.unwrap();
    let open = scene.uploads.open.get(id).unwrap();
    let admitted = open.progress().admit(PART_BYTES, PART_BYTES, PART_BYTES);
    assert!(matches!(admitted, Ok(Admission::Write(1))));
    scene.uploads.open.end(id);
    let again = scene.uploads.part(owner, id, PART_BYTES, part(2)).await;
    assert!(matches!(again, Err(Failure::Unavailable(_))), "two write one part: {again:?}");
    assert!(
        matches!(scene.uploads.save(&open).await, Err(Failure::Unavailable(_))),
        "G1: a later sync says nothing"
    );
    open.progress().failed(1);
    scene.uploads.part(owner, id, PART_BYTES, part(2)).await.unwrap();
    assert!(!Arc::ptr_eq(&open, &scene.uploads.open.get(id).unwrap()));
}
