use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use parlor_types::UserId;

use super::*;
use crate::app::testing::{Scene, noise};
use crate::download::Refusal;
use crate::media::{Purpose, Variant};

/// Says what it was told to, by the first byte; at first nothing. Remembers what it saw.
#[derive(Debug, Default)]
struct Oracle {
    verdicts: Mutex<HashMap<u8, Verdict>>,
    seen: Mutex<Vec<Vec<u8>>>,
}

impl Oracle {
    fn says(&self, byte: u8, verdict: Verdict) {
        self.verdicts.lock().unwrap().insert(byte, verdict);
    }

    fn seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[async_trait]
impl Scanner for Oracle {
    async fn scan(&self, file: &std::path::Path) -> Verdict {
        let bytes = std::fs::read(file).unwrap();
        let verdict = self.verdicts.lock().unwrap().get(&bytes[0]).copied();
        self.seen.lock().unwrap().push(bytes);
        verdict.unwrap_or(Verdict::Unknown)
    }
}

fn later(scene: &Scene, oracle: &Arc<Oracle>) -> Later {
    let config = ScannerConfig::default();
    let file = scene.path("scanned");
    let clock = Arc::clone(&scene.clock) as _;
    Later::new(Arc::clone(&scene.store), scene.blobs.clone(), Arc::clone(oracle) as _, &config, clock, file)
}

async fn find(scene: &Scene, user: UserId, id: MediaId) -> Result<(), Refusal> {
    scene.downloads.find(user, id, Variant::Original).await.map(drop)
}

#[tokio::test]
async fn a_file_without_a_verdict_stays_in_quarantine_and_is_tried_less_and_less_often() {
    let (scene, oracle) = (Scene::new(), Arc::new(Oracle::default()));
    let mut later = later(&scene, &oracle);
    let ada = UserId::new();
    let bytes = [&[1], &noise(300_000)[..]].concat();
    let id = scene.quarantined(ada, &bytes).await;
    later.look().await.unwrap();
    assert!(*oracle.seen.lock().unwrap() == [bytes], "it saw all of it");
    for wait in [10, 20, 40] {
        let before = oracle.seen();
        scene.clock.advance(Duration::from_secs(wait) - Duration::from_millis(1));
        later.look().await.unwrap();
        assert_eq!(oracle.seen(), before, "before {wait} s");
        scene.clock.advance(Duration::from_millis(1));
        later.look().await.unwrap();
        assert_eq!(oracle.seen(), before + 1, "after {wait} s");
        assert!(matches!(find(&scene, ada, id).await, Err(Refusal::Checking)));
        assert!(!scene.path("scanned").exists(), "what was looked at is left behind");
    }
    oracle.says(1, Verdict::Harmless);
    scene.clock.advance(Duration::from_secs(80));
    later.look().await.unwrap();
    find(&scene, ada, id).await.unwrap();
    let before = oracle.seen();
    scene.clock.advance(Duration::from_secs(10_000));
    later.look().await.unwrap();
    assert_eq!(oracle.seen(), before, "it has its verdict");
}

#[tokio::test]
async fn what_is_harmful_is_gone_and_the_others_are_not() {
    let (scene, oracle) = (Scene::new(), Arc::new(Oracle::default()));
    oracle.says(1, Verdict::Harmful);
    oracle.says(2, Verdict::Harmless);
    let mut later = later(&scene, &oracle);
    let ada = UserId::new();
    let mut files = Vec::new();
    for byte in [1, 2, 3] {
        files.push(scene.quarantined(ada, &[byte; 10]).await);
    }
    let old = scene.file(ada, "a", Purpose::File, "", &[1; 10]).await;
    later.look().await.unwrap();
    assert_eq!(oracle.seen(), 3);
    assert!(matches!(find(&scene, ada, files[0]).await, Err(Refusal::Refused)));
    assert!(scene.blobs.read(files[0], Variant::Original, 0..10).await.is_err(), "its bytes are kept");
    find(&scene, ada, files[1]).await.unwrap();
    assert!(matches!(find(&scene, ada, files[2]).await, Err(Refusal::Checking)));
    find(&scene, ada, old).await.unwrap();
}

#[tokio::test]
async fn bytes_that_cannot_be_fetched_do_not_stop_the_others() {
    let (scene, oracle) = (Scene::new(), Arc::new(Oracle::default()));
    oracle.says(2, Verdict::Harmless);
    let mut later = later(&scene, &oracle);
    let ada = UserId::new();
    let mut files = Vec::new();
    for _ in 0..4 {
        files.push(scene.quarantined(ada, &[2; 10]).await);
    }
    files.sort();
    scene.blobs.delete(files[0]).await.unwrap();
    later.look().await.unwrap();
    assert!(matches!(find(&scene, ada, files[0]).await, Err(Refusal::Checking)));
    for id in &files[1..] {
        find(&scene, ada, *id).await.unwrap();
    }
}
