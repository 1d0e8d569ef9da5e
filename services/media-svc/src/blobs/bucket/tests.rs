use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::memory::InMemory;
use object_store::{PutPayload, PutResult, UploadPart};
use parlor_testkit::{PATIENCE, eventually};

use super::*;

/// What becomes of an upload in parts.
#[derive(Debug, Default)]
struct Seen {
    parts: AtomicUsize,
    given_up: AtomicUsize,
}

/// An upload of which the part of some number fails, or all hang.
#[derive(Debug)]
struct Fake {
    seen: Arc<Seen>,
    fails_at: usize,
    hangs: bool,
}

#[async_trait::async_trait]
impl MultipartUpload for Fake {
    fn put_part(&mut self, _: PutPayload) -> UploadPart {
        let (number, hangs) = (self.seen.parts.fetch_add(1, Ordering::SeqCst), self.hangs);
        let fails = number == self.fails_at;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            let full = || object_store::Error::Generic {
                store: "fake",
                source: std::io::Error::from(std::io::ErrorKind::StorageFull).into(),
            };
            if fails { Err(full()) } else { Ok(()) }
        })
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        unreachable!("not all parts were put")
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.seen.given_up.fetch_add(1, Ordering::SeqCst);
        Err(object_store::Error::NotImplemented {
            operation: "abort".to_owned(),
            implementer: "fake".to_owned(),
        })
    }
}

async fn put_fake(seen: &Arc<Seen>, fails_at: usize, hangs: bool) -> Result<(), BlobError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, vec![7; 3 * PART]).unwrap();
    let mut file = File::open(path).await.unwrap();
    let first = part(&mut file).await.unwrap();
    put_large(Box::new(Fake { seen: Arc::clone(seen), fails_at, hangs }), first, &mut file).await
}

#[tokio::test]
async fn an_upload_in_parts_that_fails_is_given_up_and_its_first_error_told() {
    let seen = Arc::<Seen>::default();
    let refused = put_fake(&seen, 1, false).await;
    assert!(matches!(refused, Err(BlobError::Full)), "{refused:?}");
    eventually("it is given up", PATIENCE, async || seen.given_up.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn an_upload_in_parts_that_is_dropped_halfway_is_given_up() {
    let seen = Arc::<Seen>::default();
    let putting = tokio::spawn({
        let seen = Arc::clone(&seen);
        async move { put_fake(&seen, usize::MAX, true).await }
    });
    eventually("two parts are under way", PATIENCE, async || seen.parts.load(Ordering::SeqCst) == 2).await;
    putting.abort();
    eventually("it is given up", PATIENCE, async || seen.given_up.load(Ordering::SeqCst) == 1).await;
    assert_eq!(seen.parts.load(Ordering::SeqCst), 2, "more were on their way at once");
}

#[tokio::test]
async fn files_of_any_size_are_put_whole() {
    let (store, folder) = (InMemory::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("file");
    for size in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 5] {
        let bytes: Vec<u8> = (0..size).map(|number| number.to_le_bytes()[number % 3]).collect();
        fs::write(&path, &bytes).unwrap();
        let key = Key::from("a/b");
        put(&store, &key, &path).await.unwrap();
        let found = store.get(&key).await.unwrap().bytes().await.unwrap();
        assert!(found == bytes, "{size} bytes");
    }
}
