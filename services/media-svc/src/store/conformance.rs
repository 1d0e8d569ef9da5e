//! What every store does, checked on each of them; and a property test of one against the other.

mod property;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlor_runtime::time::from_millis;
use parlor_types::{ConversationId, MediaId, Op, UserId};
use tempfile::TempDir;

use super::{Begin, BeginError, Claim, ClaimError, Condemned, Place, Random, Release, Round, Store};
use crate::media::{
    Declared, FileName, Finished, Image, MediaType, Preview, Purpose, Sha256, Stage, Thumbnail, Variant,
};
use crate::parts::{PART_BYTES, Parts};
use crate::quota::{Exceeded, Quota};

/// A new, empty store.
pub(super) struct Fixture {
    pub(super) store: Arc<dyn Store>,
    pub(super) _folder: Option<TempDir>,
}

/// The suite, as tests of the module that calls it.
macro_rules! suite {
    ($fixture:path) => {
        $crate::store::conformance::suite! { $fixture:
            an_op_begins_one_upload, quotas_hold, parts_are_kept, a_file_is_kept_as_it_was_described,
            expired_uploads_go, claims_are_all_or_none, a_claim_takes_back_what_was_condemned,
            a_release_waits_for_other_claims, all_forms_count, only_the_round_that_condemned_collects, owners_condemn_their_own,
            the_scanner_has_the_last_word
        }
    };
    ($fixture:path: $($name:ident),+) => {
        $(#[tokio::test]
        async fn $name() {
            $crate::store::conformance::$name($fixture()).await;
        })+
    };
}
pub(super) use suite;

const QUOTA: Quota = Quota {
    file_bytes: 1 << 40,
    avatar_bytes: 1 << 40,
    stored_bytes: 1000,
    uploads_per_day: 4,
    bytes_per_day: 2000,
    unfinished: 3,
};
const HOUR: i64 = 3600;

fn id<T: parlor_types::Id>(n: u16) -> T {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    T::from_bytes(bytes)
}

pub(super) fn user(n: u16) -> UserId {
    id(n)
}

/// Seconds since 1970.
pub(super) fn at(seconds: i64) -> SystemTime {
    from_millis(seconds * 1000)
}

/// An upload of some bytes, under an op, with an id of its own for each owner and op.
pub(super) fn begin(owner: u16, op: u16, size: u64) -> Begin {
    let declared = Declared {
        name: FileName::new("ünder wäy.jpg").unwrap(),
        media_type: MediaType::new("image/jpeg").unwrap(),
        size,
        sha256: Sha256([op.to_be_bytes()[1]; 32]),
        purpose: Purpose::Image,
    };
    let quota = Quota {
        stored_bytes: 1 << 50,
        uploads_per_day: 9999,
        bytes_per_day: 1 << 50,
        unfinished: 9999,
        ..QUOTA
    };
    Begin {
        id: id(owner * 100 + op),
        owner: user(owner),
        op: id(op),
        declared,
        quota,
        now: at(0),
        expires: at(100),
    }
}

fn place(n: u16) -> Place {
    Place::Entry(id::<ConversationId>(n), id::<Op>(n))
}

fn claim(user: u16, ids: &[MediaId], n: u16, until: i64) -> Claim {
    let (ids, readable) = (ids.to_vec(), BTreeSet::new());
    Claim { user: self::user(user), place: place(n), ids, readable, until: at(until) }
}

fn release(ids: &[MediaId], n: u16, now: i64) -> Release {
    Release { place: place(n), ids: ids.to_vec(), now: at(now), settles: Duration::ZERO }
}

pub(super) fn plain(size: u64) -> Finished {
    let media_type = "application/pdf".to_owned();
    Finished { media_type, size, sha256: Sha256([9; 32]), preview: None, checking: false }
}

pub(super) fn image() -> Finished {
    let thumbnail = |variant, pixels| Thumbnail {
        variant,
        width: pixels,
        height: pixels / 2,
        size: u64::from(pixels),
        sha256: Sha256([3; 32]),
        media_type: "image/png".to_owned(),
    };
    let image = Image {
        width: 4000,
        height: 2000,
        thumbhash: vec![1, 2, 3],
        animated: true,
        thumbnails: vec![thumbnail(Variant::Small, 320), thumbnail(Variant::Large, 1280)],
    };
    Finished { preview: Some(Preview::Image(image)), ..plain(7) }
}

/// A finished file of a user; may be collected from the 10th second on.
async fn file(f: &Fixture, owner: u16, op: u16) -> MediaId {
    let record = f.store.begin(begin(owner, op, 5)).await.unwrap();
    assert!(f.store.finish(record.id, plain(4), at(10)).await.unwrap());
    record.id
}

async fn exists(f: &Fixture, id: MediaId) -> bool {
    f.store.records(vec![id]).await.unwrap()[0].is_some()
}

pub(super) async fn an_op_begins_one_upload(f: Fixture) {
    let first = f.store.begin(begin(1, 1, 5)).await.unwrap();
    let again = Begin { id: id(999), now: at(9), ..begin(1, 1, 5) };
    assert_eq!(f.store.begin(again).await.unwrap(), first, "G2");
    assert_eq!(f.store.begin(Begin { id: id(999), ..begin(1, 1, 6) }).await, Err(BeginError::OpReused));
    let other = f.store.begin(begin(2, 1, 6)).await.unwrap();
    let found = f.store.records(vec![other.id, id(998), first.id]).await.unwrap();
    assert_eq!(found, [Some(other), None, Some(first)]);
    assert_eq!(f.store.usage(user(1), at(0)).await.unwrap().uploads_today, 1, "G2");
}

pub(super) async fn quotas_hold(f: Fixture) {
    let begin = |op, size, hour| Begin { quota: QUOTA, now: at(hour * HOUR), ..begin(1, op, size) };
    let refused = async |begin| match f.store.begin(begin).await {
        Err(BeginError::Exceeded(exceeded)) => Some(exceeded),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(refused(begin(1, 600, 0)).await, None);
    assert_eq!(refused(begin(2, 401, 0)).await, Some(Exceeded::Stored));
    // What is kept is what has become of it.
    assert!(f.store.finish(id(101), plain(500), at(0)).await.unwrap());
    assert_eq!(refused(begin(2, 500, 1)).await, None);
    assert!(f.store.drop_upload(id(102)).await.unwrap());
    let usage = f.store.usage(user(1), at(HOUR)).await.unwrap();
    assert_eq!((usage.stored_bytes, usage.unfinished), (500, 0));
    assert_eq!((usage.uploads_today, usage.bytes_today), (2, 1100), "what is gone was begun all the same");
    for op in [3, 4] {
        assert_eq!(refused(begin(op, 1, 2)).await, None);
    }
    let wait = Duration::from_secs(22 * 3600);
    assert_eq!(refused(begin(5, 1, 2)).await, Some(Exceeded::Day(wait)));
    assert_eq!(refused(begin(5, 1, 24)).await, None, "the first is a day old");
    assert_eq!(refused(begin(6, 1, 50)).await, Some(Exceeded::Unfinished));
    assert_eq!(f.store.usage(user(2), at(0)).await.unwrap(), crate::quota::Usage::default());
    f.store.tidy(at(50 * HOUR)).await.unwrap();
    assert_eq!(f.store.usage(user(1), at(50 * HOUR)).await.unwrap().uploads_today, 0);
}

pub(super) async fn all_forms_count(f: Fixture) {
    let stored = async || f.store.usage(user(1), at(0)).await.unwrap().stored_bytes;
    let (image, due) = (image(), at(1));
    assert!(image.stored_bytes() > image.size, "its thumbnails too");
    for (op, checking) in [(1, false), (2, true)] {
        let id = f.store.begin(begin(1, op, 10)).await.unwrap().id;
        assert_eq!(stored().await, 10, "what was announced");
        assert!(f.store.finish(id, Finished { checking, ..image.clone() }, due).await.unwrap());
        assert_eq!(stored().await, image.stored_bytes());
        if checking {
            assert!(f.store.checked(id, false).await.unwrap());
        } else {
            assert_eq!(f.store.condemn(Round(1), due, 10).await, Ok(vec![id]));
            assert_eq!(f.store.collect(Round(1), vec![id], vec![], due).await, Ok(vec![id]));
        }
        assert_eq!(stored().await, 0, "and nothing once it is gone");
    }
}

pub(super) async fn parts_are_kept(f: Fixture) {
    let record = f.store.begin(begin(1, 1, 3 * PART_BYTES)).await.unwrap();
    let mut parts = Parts::none(3 * PART_BYTES);
    parts.insert(1);
    assert!(f.store.save_parts(record.id, parts.clone(), at(200)).await.unwrap());
    let found = f.store.records(vec![record.id]).await.unwrap().remove(0).unwrap();
    assert_eq!(found.stage, Stage::Uploading { parts: parts.clone(), expires: at(200) }, "G1");
    assert!(f.store.finish(record.id, plain(4), at(10)).await.unwrap());
    assert!(!f.store.save_parts(record.id, parts.clone(), at(300)).await.unwrap(), "it is finished");
    assert!(!f.store.save_parts(id(9), parts, at(300)).await.unwrap());
    assert!(exists(&f, record.id).await);
}

pub(super) async fn a_file_is_kept_as_it_was_described(f: Fixture) {
    let millis = Duration::from_millis(61_234);
    let audio = Some(Preview::Audio { duration: millis, waveform: vec![0, 255, 3] });
    let video = Some(Preview::Video { duration: millis, width: 1920, height: 1080 });
    let all = [
        plain(1),
        image(),
        Finished { preview: audio, ..plain(2) },
        Finished { preview: video, checking: true, ..plain(3) },
    ];
    for (op, finished) in (1..).zip(all) {
        let record = f.store.begin(begin(1, op, 9)).await.unwrap();
        assert!(f.store.finish(record.id, finished.clone(), at(10)).await.unwrap());
        let found = f.store.records(vec![record.id]).await.unwrap().remove(0).unwrap();
        assert_eq!(found.finished(), Some(&finished));
        assert_eq!(found.declared, record.declared);
        assert!(!f.store.finish(record.id, plain(99), at(10)).await.unwrap(), "once");
        assert!(!f.store.drop_upload(record.id).await.unwrap(), "it is no upload any more");
    }
    assert_eq!(f.store.usage(user(1), at(0)).await.unwrap().stored_bytes, 1 + image().stored_bytes() + 2 + 3);
}

pub(super) async fn expired_uploads_go(f: Fixture) {
    for (op, expires) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        f.store.begin(Begin { expires: at(expires), ..begin(1, op, 5) }).await.unwrap();
    }
    let finished = file(&f, 1, 5).await;
    assert_eq!(f.store.expire(at(10), 9).await.unwrap(), []);
    assert_eq!(f.store.expire(at(25), 2).await.unwrap(), [id(102), id(104)]);
    assert_eq!(f.store.expire(at(25), 2).await.unwrap(), [id(103)]);
    assert!(exists(&f, id(101)).await && exists(&f, finished).await && !exists(&f, id(103)).await);
    let usage = f.store.usage(user(1), at(0)).await.unwrap();
    assert_eq!((usage.unfinished, usage.stored_bytes), (1, 5 + 4));
    // The op may begin another.
    f.store.begin(begin(1, 2, 6)).await.unwrap();
}

pub(super) async fn claims_are_all_or_none(f: Fixture) {
    let (mine, theirs) = (file(&f, 1, 1).await, file(&f, 2, 1).await);
    let upload = f.store.begin(begin(1, 2, 5)).await.unwrap().id;
    for bad in [upload, theirs, id(999)] {
        assert_eq!(f.store.claim(claim(1, &[mine, bad], 1, 50)).await, Err(ClaimError::NotFound));
    }
    assert_eq!(f.store.condemn(Round(1), at(20), 9).await.unwrap(), [mine, theirs], "nothing was claimed");
    let both = Claim { readable: [theirs].into(), ..claim(1, &[theirs, mine, theirs], 1, 50) };
    let records = f.store.claim(both).await.unwrap();
    assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [theirs, mine, theirs]);
    assert!(!records[0].was_avatar);
    assert_eq!(f.store.condemn(Round(2), at(49), 9).await.unwrap(), []);
    assert_eq!(f.store.condemn(Round(2), at(50), 1).await.unwrap(), [mine]);
    let profile = Claim { place: Place::Profile(user(1)), ..claim(1, &[mine], 1, 60) };
    assert!(f.store.claim(profile).await.unwrap()[0].was_avatar);
    assert!(f.store.records(vec![mine]).await.unwrap()[0].as_ref().unwrap().was_avatar);
}

pub(super) async fn a_claim_takes_back_what_was_condemned(f: Fixture) {
    let (one, two) = (file(&f, 1, 1).await, file(&f, 1, 2).await);
    assert_eq!(f.store.condemn(Round(1), at(10), 9).await.unwrap(), [one, two]);
    f.store.claim(claim(1, &[one], 1, 50)).await.unwrap();
    assert_eq!(f.store.collect(Round(1), vec![one, two], vec![], at(99)).await.unwrap(), [two]);
    assert!(exists(&f, one).await && !exists(&f, two).await);
    assert_eq!(f.store.claim(claim(1, &[two], 1, 50)).await, Err(ClaimError::NotFound));
    assert_eq!(f.store.usage(user(1), at(0)).await.unwrap().stored_bytes, 4);
}

pub(super) async fn a_release_waits_for_other_claims(f: Fixture) {
    let file = file(&f, 1, 1).await;
    f.store.claim(claim(1, &[file], 1, 50)).await.unwrap();
    f.store.claim(claim(1, &[file], 2, 40)).await.unwrap();
    f.store.release(release(&[file, id(999)], 1, 20)).await.unwrap();
    assert_eq!(f.store.condemn(Round(1), at(39), 9).await.unwrap(), []);
    f.store.release(release(&[file], 2, 25)).await.unwrap();
    assert_eq!(f.store.condemn(Round(1), at(24), 9).await.unwrap(), []);
    assert_eq!(f.store.condemn(Round(1), at(25), 9).await.unwrap(), [file]);
    // In use, and not asked about for long; a release of what was claimed long ago counts.
    assert_eq!(f.store.collect(Round(1), vec![], vec![file], at(900)).await.unwrap(), []);
    f.store.tidy(at(60)).await.unwrap();
    assert_eq!(f.store.condemn(Round(2), at(899), 9).await.unwrap(), []);
    f.store.release(release(&[file], 2, 100)).await.unwrap();
    assert_eq!(f.store.condemn(Round(2), at(100), 9).await.unwrap(), [file]);
    // One that settles only shortens what is left.
    f.store.claim(claim(1, &[file], 3, 200)).await.unwrap();
    let settles = Duration::from_secs(30);
    f.store.release(Release { settles, ..release(&[file], 3, 110) }).await.unwrap();
    assert_eq!(f.store.condemn(Round(3), at(139), 9).await.unwrap(), []);
    f.store.release(Release { settles, ..release(&[file], 3, 120) }).await.unwrap();
    assert_eq!(f.store.condemn(Round(3), at(140), 9).await.unwrap(), [file]);
}

pub(super) async fn only_the_round_that_condemned_collects(f: Fixture) {
    let file = file(&f, 1, 1).await;
    f.store.condemn(Round(1), at(10), 9).await.unwrap();
    f.store.condemn(Round(2), at(10), 9).await.unwrap();
    assert_eq!(f.store.collect(Round(1), vec![file], vec![], at(99)).await.unwrap(), []);
    assert_eq!(f.store.collect(Round(1), vec![], vec![file], at(99)).await.unwrap(), []);
    assert_eq!(f.store.collect(Round(2), vec![file, file], vec![], at(99)).await.unwrap(), [file]);
    assert!(!exists(&f, file).await);
}

pub(super) async fn owners_condemn_their_own(f: Fixture) {
    let (file, upload) = (file(&f, 1, 1).await, f.store.begin(begin(1, 2, 5)).await.unwrap().id);
    let condemn =
        async |id, owner, now| f.store.condemn_own(Round(1), id, user(owner), at(now)).await.unwrap();
    assert_eq!(condemn(id(999), 1, 0).await, Condemned::Gone);
    assert_eq!(condemn(file, 2, 0).await, Condemned::Gone);
    assert_eq!(condemn(upload, 2, 0).await, Condemned::Gone);
    assert_eq!(condemn(upload, 1, 0).await, Condemned::Dropped);
    assert!(!exists(&f, upload).await);
    f.store.claim(claim(1, &[file], 1, 50)).await.unwrap();
    assert_eq!(condemn(file, 1, 49).await, Condemned::Claimed);
    assert_eq!(f.store.collect(Round(1), vec![file], vec![], at(99)).await.unwrap(), []);
    assert_eq!(condemn(file, 1, 50).await, Condemned::ByRound);
    assert_eq!(f.store.collect(Round(1), vec![file], vec![], at(99)).await.unwrap(), [file]);
}

pub(super) async fn the_scanner_has_the_last_word(f: Fixture) {
    let mut ids = Vec::new();
    for op in 1..=3 {
        let id = f.store.begin(begin(1, op, 5)).await.unwrap().id;
        assert!(f.store.finish(id, Finished { checking: true, ..image() }, at(10)).await.unwrap());
        ids.push(id);
    }
    assert_eq!(f.store.unchecked(None, 2).await.unwrap(), ids[..2]);
    assert_eq!(f.store.unchecked(Some(ids[1]), 2).await.unwrap(), ids[2..]);
    assert_eq!(f.store.checked(ids[0], true).await, Ok(true));
    assert_eq!(f.store.checked(ids[0], false).await, Ok(false), "it was looked at before");
    assert_eq!(f.store.checked(ids[1], false).await, Ok(true));
    assert_eq!(f.store.unchecked(None, 9).await.unwrap(), ids[2..]);
    let records = f.store.records(ids.clone()).await.unwrap();
    assert_eq!(records[0].as_ref().unwrap().finished(), Some(&image()));
    assert_eq!(records[1].as_ref().unwrap().stage, Stage::Refused);
    assert_eq!(f.store.claim(claim(1, &ids[1..2], 1, 50)).await, Err(ClaimError::Refused));
    assert_eq!(f.store.claim(claim(2, &ids[1..2], 1, 50)).await, Err(ClaimError::NotFound));
    f.store.claim(claim(1, &ids[2..], 1, 50)).await.unwrap();
    assert_eq!(f.store.usage(user(1), at(0)).await.unwrap().stored_bytes, 2 * image().stored_bytes());
    assert_eq!(f.store.condemn(Round(1), at(10), 9).await.unwrap(), ids[..2]);
    assert_eq!(f.store.collect(Round(1), ids.clone(), vec![], at(9)).await.unwrap(), ids[..2]);
    assert_eq!(f.store.usage(user(1), at(0)).await.unwrap().stored_bytes, image().stored_bytes());
    let key = f.store.random(Random::LinkKey, [1; 32]).await.unwrap();
    assert_eq!((key, f.store.random(Random::LinkKey, [2; 32]).await), ([1; 32], Ok([1; 32])));
    assert_eq!(f.store.random(Random::StoreId, [3; 32]).await, Ok([3; 32]), "each has its own");
}
