//! What every store does, checked on each of them; and a property test of one against the other.

use std::sync::{Arc, Mutex};

use parlor_runtime::time::from_millis;
use parlor_types::{Id as _, UserId};
use proptest::prelude::*;
use tempfile::TempDir;

use super::memory::MemoryStore;
use super::{OnStatus, SqliteStore, Store};
use crate::presence::Record;
use crate::status::{Appearance, Status, StatusText};
use crate::time::Minute;

/// What a store has told of statuses.
pub(super) type Told = Arc<Mutex<Vec<(UserId, Status)>>>;

/// A new, empty store.
pub(super) struct Fixture {
    pub(super) store: Arc<dyn Store>,
    pub(super) told: Told,
    pub(super) _folder: Option<TempDir>,
}

pub(super) fn listener(told: &Told) -> OnStatus {
    let told = Arc::clone(told);
    Arc::new(move |user, status| told.lock().unwrap().push((user, status.clone())))
}

/// The suite, as tests of the module that calls it.
macro_rules! suite {
    ($fixture:path) => {
        $crate::store::conformance::suite! { $fixture:
            nothing_is_the_default, each_half_keeps_the_other, records_come_in_order, statuses_are_told_in_order
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

pub(super) fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

pub(super) fn status(appearance: Appearance, text: &str, until: Option<i64>) -> Status {
    Status { appearance, text: StatusText::new(text).unwrap(), until: until.map(from_millis) }
}

async fn record(store: &dyn Store, n: u8) -> Record {
    store.records(vec![user(n)]).await.unwrap().pop().unwrap()
}

pub(super) async fn nothing_is_the_default(f: Fixture) {
    assert_eq!(
        f.store.records(vec![user(1), user(2)]).await.unwrap(),
        [Record::default(), Record::default()]
    );
    assert_eq!(f.store.records(Vec::new()).await.unwrap(), []);
    assert_eq!(f.store.set_last_seen(Vec::new()).await, Ok(()));
}

pub(super) async fn each_half_keeps_the_other(f: Fixture) {
    let away = status(Appearance::Away, "ünder wäy", Some(1_234_567));
    f.store.set_status(user(1), away.clone()).await.unwrap();
    assert_eq!(record(&*f.store, 1).await, Record { status: away.clone(), last_seen: None });
    f.store.set_last_seen(vec![(user(1), Minute(7)), (user(2), Minute(-8))]).await.unwrap();
    assert_eq!(record(&*f.store, 1).await, Record { status: away, last_seen: Some(Minute(7)) });
    assert_eq!(record(&*f.store, 2).await, Record { last_seen: Some(Minute(-8)), ..Record::default() });
    f.store.set_last_seen(vec![(user(1), Minute(6))]).await.unwrap();
    f.store.set_status(user(1), Status::default()).await.unwrap();
    assert_eq!(record(&*f.store, 1).await, Record { last_seen: Some(Minute(6)), ..Record::default() });
}

pub(super) async fn records_come_in_order(f: Fixture) {
    f.store.set_last_seen((1..=3).map(|n| (user(n), Minute(n.into()))).collect()).await.unwrap();
    let records = f.store.records([3, 9, 1, 3].map(user).to_vec()).await.unwrap();
    let seen: Vec<_> = records.iter().map(|record| record.last_seen.map(|minute| minute.0)).collect();
    assert_eq!(seen, [Some(3), None, Some(1), Some(3)]);
}

pub(super) async fn statuses_are_told_in_order(f: Fixture) {
    let all = [
        Appearance::Online,
        Appearance::Away,
        Appearance::DoNotDisturb,
        Appearance::Invisible,
        Appearance::Online,
    ];
    for appearance in all {
        f.store.set_status(user(1), status(appearance, "", None)).await.unwrap();
        assert_eq!(record(&*f.store, 1).await.status.appearance, appearance);
    }
    f.store.set_last_seen(vec![(user(1), Minute(1))]).await.unwrap();
    let told: Vec<_> = f.told.lock().unwrap().iter().map(|(who, told)| (*who, told.appearance)).collect();
    assert_eq!(told, all.map(|appearance| (user(1), appearance)));
}

#[derive(Clone, Debug)]
enum Step {
    Status(u8, Status),
    Seen(Vec<(UserId, Minute)>),
}

fn step() -> impl Strategy<Value = Step> {
    let appearances = [Appearance::Online, Appearance::Away, Appearance::DoNotDisturb, Appearance::Invisible];
    let until = prop::option::of(-1_000_000_000_000_i64..4_000_000_000_000);
    let chosen = (prop::sample::select(appearances.to_vec()), "[a-zä'☃]{0,4}", until);
    let seen = prop::collection::vec((0_u8..4, -5_i64..100_000_000), 0..5);
    prop_oneof![
        (0_u8..4, chosen)
            .prop_map(|(n, (appearance, text, until))| Step::Status(n, status(appearance, &text, until))),
        seen.prop_map(|seen| Step::Seen(seen.into_iter().map(|(n, at)| (user(n), Minute(at))).collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_alike(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (told_memory, told_sqlite) = (Told::default(), Told::default());
        let memory = MemoryStore::new(listener(&told_memory));
        let options = parlor_embedded::Options::new(folder.path().join("presence.db"));
        let sqlite = SqliteStore::open(options, listener(&told_sqlite)).unwrap();
        for step in &steps {
            let mut answers = Vec::new();
            for store in [&memory as &dyn Store, &sqlite] {
                runtime.block_on(async {
                    match step.clone() {
                        Step::Status(n, status) => store.set_status(user(n), status).await.unwrap(),
                        Step::Seen(seen) => store.set_last_seen(seen).await.unwrap(),
                    }
                    answers.push(store.records((0..4).map(user).collect()).await.unwrap());
                });
            }
            prop_assert_eq!(&answers[1], &answers[0], "{:?}", step);
        }
        prop_assert_eq!(&*told_sqlite.lock().unwrap(), &*told_memory.lock().unwrap());
    }
}
