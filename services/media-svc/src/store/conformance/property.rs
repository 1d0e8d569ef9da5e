//! Random days of three people, on both stores at once.

use proptest::prelude::*;

use super::*;
use crate::store::SqliteStore;
use crate::store::memory::MemoryStore;

#[derive(Clone, Debug)]
enum Step {
    Begin(u16, u16, u64),
    Save(u16, u16),
    Finish(u16, u16, u64),
    Drop(u16, u16),
    Expire(u32),
    Claim(u16, Vec<u16>, u16),
    Release(Vec<u16>, u16, u64),
    Condemn(i64, u32),
    CondemnOwn(i64, u16, u16),
    Collect(i64, Vec<u16>, Vec<u16>),
    Checked(u16, bool),
    Tidy,
    Wait(i64),
}

/// Ids as [`begin`] makes them.
fn media() -> impl Strategy<Value = u16> {
    (0_u16..3, 0_u16..3).prop_map(|(owner, op)| owner * 100 + op)
}

fn step() -> impl Strategy<Value = Step> {
    let few = || prop::collection::vec(media(), 1..3);
    let (owner, op, round) = (0_u16..3, 0_u16..3, 0_i64..3);
    prop_oneof![
        3 => (owner.clone(), op.clone(), 1_u64..500).prop_map(|(owner, op, size)| Step::Begin(owner, op, size)),
        1 => (owner.clone(), op.clone()).prop_map(|(owner, op)| Step::Save(owner, op)),
        3 => (owner.clone(), op.clone(), 0_u64..500).prop_map(|(owner, op, size)| Step::Finish(owner, op, size)),
        1 => (owner.clone(), op).prop_map(|(owner, op)| Step::Drop(owner, op)),
        1 => (0_u32..4).prop_map(Step::Expire),
        3 => (owner.clone(), few(), 0_u16..3).prop_map(|(owner, ids, place)| Step::Claim(owner, ids, place)),
        2 => (few(), 0_u16..3, 0_u64..90).prop_map(|(ids, place, settles)| Step::Release(ids, place, settles)),
        2 => (round.clone(), 0_u32..4).prop_map(|(round, limit)| Step::Condemn(round, limit)),
        1 => (round.clone(), media(), owner).prop_map(|(round, id, owner)| Step::CondemnOwn(round, id, owner)),
        2 => (round, few(), few()).prop_map(|(round, unused, used)| Step::Collect(round, unused, used)),
        1 => (media(), any::<bool>()).prop_map(|(id, harmless)| Step::Checked(id, harmless)),
        1 => Just(Step::Tidy),
        3 => (0_i64..7200).prop_map(Step::Wait),
    ]
}

fn ids(numbers: Vec<u16>) -> Vec<MediaId> {
    numbers.into_iter().map(id).collect()
}

/// Does it, and says what came of it.
async fn act(store: &dyn Store, step: Step, now: &mut i64) -> String {
    let time = at(*now);
    match step {
        Step::Begin(owner, op, size) => {
            let quota = Quota { bytes_per_day: 3000, ..QUOTA };
            let begin = Begin { quota, now: time, expires: at(*now + 3600), ..begin(owner, op, size) };
            format!("{:?}", store.begin(begin).await)
        }
        Step::Save(owner, op) => {
            let id = id(owner * 100 + op);
            let found = store.records(vec![id]).await.unwrap().remove(0);
            let mut parts = Parts::none(found.map_or(1, |record| record.declared.size));
            parts.insert(0);
            format!("{:?}", store.save_parts(id, parts, at(*now + 7200)).await)
        }
        Step::Finish(owner, op, size) => {
            let finished = if size % 2 == 0 { plain(size) } else { Finished { checking: true, ..image() } };
            format!("{:?}", store.finish(id(owner * 100 + op), finished, at(*now + 3600)).await)
        }
        Step::Drop(owner, op) => format!("{:?}", store.drop_upload(id(owner * 100 + op)).await),
        Step::Expire(limit) => format!("{:?}", store.expire(time, limit).await),
        Step::Claim(owner, numbers, place) => {
            let readable = [id(0), id(101)].into();
            let claim = Claim { readable, ..claim(owner, &ids(numbers), place, *now + 3600) };
            format!("{:?}", store.claim(claim).await)
        }
        Step::Release(numbers, place, settles) => {
            let settles = Duration::from_secs(settles * 60);
            let release = Release { settles, ..release(&ids(numbers), place, *now) };
            format!("{:?}", store.release(release).await)
        }
        Step::Condemn(round, limit) => format!("{:?}", store.condemn(Round(round), time, limit).await),
        Step::CondemnOwn(round, number, owner) => {
            format!("{:?}", store.condemn_own(Round(round), id(number), user(owner), time).await)
        }
        Step::Collect(round, unused, used) => {
            format!("{:?}", store.collect(Round(round), ids(unused), ids(used), at(*now + 9000)).await)
        }
        Step::Checked(number, harmless) => format!("{:?}", store.checked(id(number), harmless).await),
        Step::Tidy => format!("{:?}", store.tidy(time).await),
        Step::Wait(by) => {
            *now += by;
            String::new()
        }
    }
}

/// All that can be seen.
async fn look(store: &dyn Store, now: i64) -> String {
    let all = (0..3).flat_map(|owner| (0..3).map(move |op| id(owner * 100 + op))).collect();
    let mut seen = format!("{:?} {:?}", store.records(all).await, store.unchecked(None, 99).await);
    for owner in 0..3 {
        seen += &format!("{:?}", store.usage(user(owner), at(now)).await);
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_alike(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let memory = MemoryStore::default();
        let options = parlor_embedded::Options::new(folder.path().join("media.db"));
        let sqlite = SqliteStore::open(options).unwrap();
        let (mut now, mut other) = (0, 0);
        for step in steps {
            runtime.block_on(async {
                let wanted = act(&memory, step.clone(), &mut now).await;
                let found = act(&sqlite, step.clone(), &mut other).await;
                prop_assert_eq!(found, wanted, "{:?}", step);
                prop_assert_eq!(look(&sqlite, now).await, look(&memory, now).await, "{:?}", step);
                Ok(())
            })?;
        }
    }
}
