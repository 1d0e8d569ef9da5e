//! What the tests of the way out share: a store and blobs in a folder of their own, and somebody who says what the test
//! wants of who may have what.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use parlor_embedded::Options;
use parlor_runtime::clock::ManualClock;
use parlor_types::{Id as _, MediaId, Op, SessionId, UserId};
use tempfile::TempDir;

use crate::access::{Sharing, Unanswered};
use crate::blobs::{BlobConfig, BlobError, Blobs};
use crate::download::{Downloads, Ending, Pace, Slots, Source};
use crate::http::{Files, PREFIX};
use crate::link::{Link, Links, ends};
use crate::media::{
    Declared, FileName, Finished, Image, MediaType, Preview, Purpose, Sha256, Thumbnail, Variant, random_id,
};
use crate::quota::Quota;
use crate::store::{Begin, Claim, Place, SqliteStore, Store};

/// A day.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Says who may have what; at first nobody anything.
#[derive(Default)]
pub(crate) struct Told {
    readable: Mutex<HashSet<(UserId, MediaId)>>,
    pictures: Mutex<HashSet<MediaId>>,
    away: AtomicBool,
}

impl Told {
    pub(crate) fn lets_read(&self, user: UserId, id: MediaId, may: bool) {
        let mut readable = self.readable.lock().unwrap();
        if may {
            readable.insert((user, id))
        } else {
            readable.remove(&(user, id))
        };
    }

    pub(crate) fn is_picture(&self, id: MediaId) {
        self.pictures.lock().unwrap().insert(id);
    }

    pub(crate) fn answers(&self, answers: bool) {
        self.away.store(!answers, Ordering::SeqCst);
    }
}

#[async_trait]
impl Sharing for Told {
    async fn readable(&self, user: UserId, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        if self.away.load(Ordering::SeqCst) {
            return Err(Unanswered);
        }
        let readable = self.readable.lock().unwrap();
        Ok(media.iter().copied().filter(|id| readable.contains(&(user, *id))).collect())
    }

    async fn pictures(&self, media: &[MediaId]) -> Result<HashSet<MediaId>, Unanswered> {
        let pictures = self.pictures.lock().unwrap();
        Ok(media.iter().copied().filter(|id| pictures.contains(id)).collect())
    }
}

/// Blobs that count the bytes that are read of them.
struct Counted {
    blobs: Blobs,
    read: Arc<AtomicU64>,
}

#[async_trait]
impl Source for Counted {
    async fn read(&self, id: MediaId, variant: Variant, range: Range<u64>) -> Result<Bytes, BlobError> {
        let bytes = self.blobs.read(id, variant, range).await?;
        self.read.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes)
    }
}

/// What a test works with. Nothing waits for a clock but the test's own.
pub(crate) struct Scene {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Blobs,
    pub(crate) told: Arc<Told>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) slots: Slots,
    pub(crate) downloads: Downloads,
    pub(crate) links: Arc<Links>,
    /// Bytes that were read of blobs.
    pub(crate) read: Arc<AtomicU64>,
    ended: Arc<Mutex<HashSet<SessionId>>>,
    blind: Arc<AtomicBool>,
    folder: TempDir,
}

/// Room for two in all, so that a third is refused.
const SLOTS: usize = 2;

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_base("")
    }

    /// Whose addresses begin with `base`.
    pub(crate) fn with_base(base: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(Options::new(folder.path().join("media.db"))).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let blobs = Blobs::open(&BlobConfig::default(), &folder.path().join("blobs")).unwrap();
        let (told, read) = (Arc::new(Told::default()), Arc::<AtomicU64>::default());
        let (ended, blind) = (Arc::<Mutex<HashSet<_>>>::default(), Arc::<AtomicBool>::default());
        let source = Arc::new(Counted { blobs: blobs.clone(), read: Arc::clone(&read) });
        let standing = {
            let (ended, blind) = (Arc::clone(&ended), Arc::clone(&blind));
            Arc::new(move |session| {
                if ended.lock().unwrap().contains(&session) {
                    Err(Ending::SessionEnded)
                } else if blind.load(Ordering::SeqCst) {
                    Err(Ending::Blind)
                } else {
                    Ok(())
                }
            })
        };
        // One user may have all of them, however few are left.
        let slots = Slots::new(SLOTS, 8 * SLOTS);
        let pace = Pace { patience: DAY, least_rate: 0, longest: DAY };
        let sharing = Arc::clone(&told) as _;
        let downloads = Downloads::new(Arc::clone(&store), source, sharing, standing, slots.clone(), pace);
        let links = Arc::new(Links::new(Arc::clone(&store), base, PREFIX));
        let clock = Arc::new(ManualClock::at(SystemTime::now()));
        Self { store, blobs, told, clock, slots, downloads, links, read, ended, blind, folder }
    }

    pub(crate) fn files(&self) -> Files {
        Files::new(self.downloads.clone(), Arc::clone(&self.links), Arc::clone(&self.clock) as _)
    }

    pub(crate) fn end(&self, session: SessionId) {
        self.ended.lock().unwrap().insert(session);
    }

    pub(crate) fn sees_revocations(&self, sees: bool) {
        self.blind.store(!sees, Ordering::SeqCst);
    }

    /// A path of its own in the scene's folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// A file of these bytes, whole and harmless.
    pub(crate) async fn file(
        &self,
        owner: UserId,
        name: &str,
        purpose: Purpose,
        kind: &str,
        bytes: &[u8],
    ) -> MediaId {
        self.put(owner, name, purpose, finished(kind, bytes), bytes).await
    }

    /// One that a scanner has not looked at.
    pub(crate) async fn quarantined(&self, owner: UserId, bytes: &[u8]) -> MediaId {
        let checking = Finished { checking: true, ..finished("text/plain", bytes) };
        self.put(owner, "a.txt", Purpose::File, checking, bytes).await
    }

    /// A picture with a small form.
    pub(crate) async fn picture(&self, owner: UserId, bytes: &[u8], small: &[u8]) -> MediaId {
        let image = Image {
            width: 1000,
            height: 500,
            thumbhash: vec![1],
            animated: false,
            thumbnails: vec![Thumbnail {
                variant: Variant::Small,
                width: 320,
                height: 160,
                size: small.len() as u64,
                sha256: sha256(small),
                media_type: "image/webp".to_owned(),
            }],
        };
        let finished = Finished { preview: Some(Preview::Image(image)), ..finished("image/jpeg", bytes) };
        let id = self.put(owner, "a.jpg", Purpose::Image, finished, bytes).await;
        self.put_blob(id, Variant::Small, small).await;
        id
    }

    /// Says that a profile uses it.
    pub(crate) async fn claim_for_profile(&self, owner: UserId, id: MediaId) {
        let claim = Claim {
            user: owner,
            place: Place::Profile(owner),
            ids: vec![id],
            readable: std::collections::BTreeSet::new(),
            until: SystemTime::now() + DAY,
        };
        self.store.claim(claim).await.unwrap();
    }

    async fn put(
        &self,
        owner: UserId,
        name: &str,
        purpose: Purpose,
        finished: Finished,
        bytes: &[u8],
    ) -> MediaId {
        let declared = Declared {
            name: FileName::new(name).unwrap(),
            media_type: MediaType::default(),
            size: bytes.len() as u64,
            sha256: finished.sha256,
            purpose,
        };
        let quota = Quota {
            file_bytes: 1 << 40,
            avatar_bytes: 1 << 40,
            stored_bytes: 1 << 40,
            uploads_per_day: 1000,
            bytes_per_day: 1 << 40,
            unfinished: 1000,
        };
        let now = SystemTime::now();
        let op = Op::from_bytes(random_id().bytes());
        let begin = Begin { id: random_id(), owner, op, declared, quota, now, expires: now + DAY };
        let id = self.store.begin(begin).await.unwrap().id;
        self.put_blob(id, Variant::Original, bytes).await;
        assert!(self.store.finish(id, finished, now + DAY).await.unwrap());
        id
    }

    async fn put_blob(&self, id: MediaId, variant: Variant, bytes: &[u8]) {
        let path = self.path("staged");
        tokio::fs::write(&path, bytes).await.unwrap();
        self.blobs.put(id, variant, &path).await.unwrap();
    }

    /// The path of an address.
    pub(crate) async fn address(
        &self,
        user: UserId,
        session: SessionId,
        media: MediaId,
        variant: Variant,
    ) -> String {
        let ends = ends(parlor_runtime::clock::Clock::wall(&*self.clock));
        self.links.address(&Link { media, variant, user, session, ends }).await.unwrap()
    }
}

fn finished(kind: &str, bytes: &[u8]) -> Finished {
    Finished {
        media_type: kind.to_owned(),
        size: bytes.len() as u64,
        sha256: sha256(bytes),
        preview: None,
        checking: false,
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    use sha2::Digest as _;
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// So many bytes, of which no two stretches are alike.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    (0..length.div_ceil(8) as u64)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .take(length)
        .collect()
}
