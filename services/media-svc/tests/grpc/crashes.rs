//! A media-svc that is gone from one moment to the next, as in a crash, wherever it was: an upload can be gone on with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlor_runtime::clock::ManualClock;
use parlor_testkit::TestAuth;
use parlor_wire::media::v1::*;
use tempfile::TempDir;

use crate::support::*;

/// How often it crashes.
const CRASHES: u64 = 60;
/// Uploads at once.
const UPLOADS: usize = 3;

/// One life: as much as can be done before it ends.
struct Life {
    auth: TestAuth,
    uses: Uses,
    folder: Arc<TempDir>,
    clock: Arc<ManualClock>,
}

impl Life {
    /// Runs until `work` is done or the time is over; then nothing of it goes on. What `work` has given, if it was done.
    fn live<T>(&self, time: Option<Duration>, work: impl AsyncFnOnce(Scene) -> T) -> Option<T> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (auth, uses) = (self.auth.clone(), self.uses.clone());
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        let done = runtime.block_on(async move {
            let config = media_svc::Config { save_bytes: PART as u64, ..config() };
            let scene = Scene::open(auth, uses, folder, clock, config).await;
            match time {
                Some(time) => tokio::time::timeout(time, work(scene)).await.ok(),
                None => Some(work(scene).await),
            }
        });
        runtime.shutdown_timeout(Duration::from_secs(10));
        done
    }
}

/// Goes on with an upload from wherever it is. Every answer is checked against what was answered before.
async fn go_on(user: &User, saying: &CreateUploadRequest, content: &[u8]) -> Media {
    let upload = user.begin(saying.clone()).await.unwrap();
    for range in upload.missing {
        let first = usize::try_from(range.offset).unwrap() / PART;
        let parts = usize::try_from(range.length).unwrap().div_ceil(PART);
        for index in first..first + parts {
            user.send(&upload.media_id, content, index).await.unwrap();
        }
    }
    user.finish(&upload.media_id).await.unwrap()
}

#[test]
fn g1_after_a_crash_anywhere_an_upload_goes_on_and_ends_whole() {
    let life = Life {
        auth: TestAuth::new(),
        uses: Uses::default(),
        folder: Arc::new(tempfile::tempdir().unwrap()),
        clock: Arc::new(ManualClock::at(SystemTime::now())),
    };
    let person = person(&life.auth);
    let mut finished: Vec<(Media, Vec<u8>)> = Vec::new();
    let mut unfinished = 0;
    let mut all: Vec<(CreateUploadRequest, Vec<u8>)> = Vec::new();
    for crash in 0..CRASHES {
        while all.len() < UPLOADS {
            let content = bytes(5 * PART + 1, u8::try_from(crash + all.len() as u64).unwrap());
            all.push((User::saying(&content), content));
        }
        // Between nothing and all that can be done.
        let time = Duration::from_millis(crash * 7 % 90);
        let (person, work) = (person.clone(), all.clone());
        let done = life.live(Some(time), async move |scene: Scene| {
            let user = scene.again(person).await;
            let each = work.iter().map(|(saying, content)| go_on(&user, saying, content));
            futures_util::future::join_all(each).await
        });
        match done {
            Some(media) => finished.extend(media.into_iter().zip(all.drain(..).map(|(_, content)| content))),
            None => unfinished += 1,
        }
    }
    assert!(unfinished > 5, "too few crashes were in the middle of something: {unfinished}");
    let person = person.clone();
    life.live(None, async move |scene: Scene| {
        let user = scene.again(person).await;
        for (saying, content) in all {
            let media = go_on(&user, &saying, &content).await;
            finished.push((media, content));
        }
        for (media, content) in &finished {
            assert_eq!(user.finish(&media.id).await.unwrap(), *media, "G1: it was acked");
            assert_eq!(scene.blob(&media.id, "original").as_ref(), Some(content), "G1: it was acked");
        }
        let kept = user.usage().await.stored_bytes;
        assert_eq!(kept, finished.iter().map(|(media, _)| media.size).sum::<u64>(), "nothing counts twice");
        let nothing_else =
            async || scene.files("uploads").is_empty() && scene.files("blobs").len() == finished.len();
        parlor_testkit::eventually("nothing else is left", parlor_testkit::PATIENCE, nothing_else).await;
    });
}
