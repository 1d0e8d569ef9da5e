//! A thousand random days of claims, appends, deletions, crashes and rounds, on the plain store, with a model of what
//! chat-svc and auth-svc have acked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::FutureExt as _;
use parlor_runtime::time::from_millis;
use parlor_types::{ConversationId, Op, UserId};
use proptest::prelude::*;

use super::*;
use crate::media::{Declared, FileName, Finished, MediaType, Purpose, Sha256, random_id};
use crate::quota::Quota;
use crate::store::memory::MemoryStore;
use crate::store::{Begin, Claim, Place, Release, Store};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KEEP: u64 = DAY;
const RECHECK: u64 = 7 * DAY;
/// As `PROFILE_SETTLES`: what claims a picture of a profile has stored it by then, or never will.
const SETTLES: u64 = 10 * MINUTE;
/// Files that a round takes.
const LIMIT: u32 = 2;

#[derive(Clone, Debug)]
enum Step {
    /// Somebody uploads a file.
    Upload,
    /// A file is claimed for an entry of its own.
    ClaimEntry(usize),
    /// A file is claimed for the one profile.
    ClaimProfile(usize),
    /// What was claimed is stored and acked.
    Commit(usize),
    /// chat-svc or auth-svc crashes before that.
    Abandon(usize),
    /// An entry is deleted.
    DeleteEntry(usize),
    /// The profile has no picture any more.
    ClearProfile,
    /// The word that a place uses a file no more comes, or is lost.
    Release(usize),
    LoseRelease(usize),
    /// It is time for a round.
    Round,
    /// One of the effects is carried out; a question may go unanswered.
    Run(usize, bool),
    /// What came of one is heard.
    Hear(usize),
    /// media-svc crashes, and sweeps when it is back.
    Crash,
    /// Minutes pass.
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0_usize..8;
    prop_oneof![
        2 => Just(Step::Upload),
        4 => n().prop_map(Step::ClaimEntry),
        2 => n().prop_map(Step::ClaimProfile),
        6 => n().prop_map(Step::Commit),
        1 => n().prop_map(Step::Abandon),
        3 => n().prop_map(Step::DeleteEntry),
        1 => Just(Step::ClearProfile),
        3 => n().prop_map(Step::Release),
        1 => n().prop_map(Step::LoseRelease),
        3 => Just(Step::Round),
        8 => (n(), prop::bool::weighted(0.1)).prop_map(|(n, fails)| Step::Run(n, fails)),
        8 => n().prop_map(Step::Hear),
        1 => Just(Step::Crash),
        2 => (0_u64..20).prop_map(Step::Wait),
        2 => (0_u64..2 * 24 * 60).prop_map(Step::Wait),
    ]
}

/// A use that is about to be stored.
#[derive(Clone, Copy, Debug)]
struct Pending {
    place: Place,
    media: MediaId,
    claimed: u64,
}

#[derive(Default)]
struct World {
    store: MemoryStore,
    machine: Collector,
    effects: Vec<Effect>,
    heard: Vec<Input>,
    rounds: i64,
    now: u64,
    uploads: Vec<MediaId>,
    bytes: BTreeSet<MediaId>,
    pending: Vec<Pending>,
    entries: BTreeMap<Place, MediaId>,
    profile: Option<MediaId>,
    releases: Vec<(Place, MediaId)>,
}

fn user() -> UserId {
    use parlor_types::Id as _;
    UserId::from_bytes([1; 16])
}

fn pick<T: Clone>(all: &[T], n: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[n % all.len()].clone())
}

fn take<T>(all: &mut Vec<T>, n: usize) -> Option<T> {
    (!all.is_empty()).then(|| all.remove(n % all.len()))
}

/// The plain store answers at once.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}

impl World {
    fn time(&self, seconds: u64) -> std::time::SystemTime {
        from_millis(i64::try_from(seconds * 1000).unwrap())
    }

    fn upload(&mut self) {
        let id = random_id();
        let declared = Declared {
            name: FileName::new("a").unwrap(),
            media_type: MediaType::default(),
            size: 1,
            sha256: Sha256([0; 32]),
            purpose: Purpose::Image,
        };
        let quota = Quota {
            file_bytes: 1,
            avatar_bytes: 1,
            stored_bytes: u64::MAX,
            uploads_per_day: u32::MAX,
            bytes_per_day: u64::MAX,
            unfinished: u32::MAX,
        };
        let (now, expires) = (self.time(self.now), self.time(self.now + DAY));
        at_once(self.store.begin(Begin { id, owner: user(), op: Op::new(), declared, quota, now, expires }))
            .unwrap();
        let finished = Finished {
            media_type: String::new(),
            size: 1,
            sha256: Sha256([0; 32]),
            preview: None,
            checking: false,
        };
        self.bytes.insert(id);
        assert!(at_once(self.store.finish(id, finished, self.time(self.now + KEEP))).unwrap());
        self.uploads.push(id);
    }

    fn claim(&mut self, media: MediaId, place: Place) {
        let claim = Claim {
            user: user(),
            place,
            ids: vec![media],
            readable: BTreeSet::new(),
            until: self.time(self.now + KEEP),
        };
        if at_once(self.store.claim(claim)).is_ok() {
            self.pending.push(Pending { place, media, claimed: self.now });
        }
    }

    fn commit(&mut self, pending: Pending) {
        match pending.place {
            Place::Entry(..) if self.now < pending.claimed + KEEP => {
                self.entries.insert(pending.place, pending.media);
            }
            Place::Profile(_) if self.now < pending.claimed + SETTLES => {
                let before = self.profile.replace(pending.media).filter(|before| *before != pending.media);
                self.releases.extend(before.map(|before| (pending.place, before)));
            }
            // Too late: whoever claimed it had given up.
            Place::Entry(..) | Place::Profile(_) => {}
        }
    }

    fn run(&mut self, effect: Effect, fails: bool) {
        let heard = match effect {
            Effect::Condemn(round) => {
                let ids = at_once(self.store.condemn(round, self.time(self.now), LIMIT)).unwrap();
                Input::Condemned { full: ids.len() == LIMIT as usize, ids }
            }
            Effect::Ask(witness, _) if fails => Input::Answered(witness, Err(Unanswered)),
            Effect::Ask(witness, ids) => {
                let used = |id: &MediaId| match witness {
                    Witness::Chat => self.entries.values().any(|used| used == id),
                    Witness::Auth => self.profile.as_ref() == Some(id),
                };
                Input::Answered(witness, Ok(ids.into_iter().filter(used).collect()))
            }
            Effect::Collect { round, unused, used } => {
                let next = self.time(self.now + RECHECK);
                Input::Collected(at_once(self.store.collect(round, unused, used, next)).unwrap())
            }
            Effect::Delete(ids) => return self.bytes.retain(|id| !ids.contains(id)),
            Effect::Again => self.next_round(),
        };
        self.heard.push(heard);
    }

    fn next_round(&mut self) -> Input {
        self.rounds += 1;
        Input::Begin(Round(self.rounds))
    }

    fn step(&mut self, step: Step) {
        let profile = Place::Profile(user());
        match step {
            Step::Upload => self.upload(),
            Step::ClaimEntry(n) => {
                let place = Place::Entry(ConversationId::direct(user(), user()), Op::new());
                pick(&self.uploads, n).into_iter().for_each(|media| self.claim(media, place));
            }
            Step::ClaimProfile(n) => {
                pick(&self.uploads, n).into_iter().for_each(|media| self.claim(media, profile));
            }
            Step::Commit(n) => {
                take(&mut self.pending, n).into_iter().for_each(|pending| self.commit(pending))
            }
            Step::Abandon(n) => drop(take(&mut self.pending, n)),
            Step::DeleteEntry(n) => {
                let entries: Vec<_> = self.entries.keys().copied().collect();
                let place = pick(&entries, n);
                let gone = place.and_then(|place| self.entries.remove_entry(&place));
                self.releases.extend(gone);
            }
            Step::ClearProfile => {
                let gone = self.profile.take();
                self.releases.extend(gone.map(|media| (profile, media)));
            }
            Step::Release(n) => {
                if let Some((place, media)) = take(&mut self.releases, n) {
                    let settles = match place {
                        Place::Entry(..) => 0,
                        Place::Profile(_) => SETTLES,
                    };
                    let (now, settles) = (self.time(self.now), Duration::from_secs(settles));
                    at_once(self.store.release(Release { place, ids: vec![media], now, settles })).unwrap();
                }
            }
            Step::LoseRelease(n) => drop(take(&mut self.releases, n)),
            Step::Round => {
                let begin = self.next_round();
                self.heard.push(begin);
            }
            Step::Run(n, fails) => {
                take(&mut self.effects, n).into_iter().for_each(|effect| self.run(effect, fails));
            }
            Step::Hear(n) => {
                if let Some(input) = take(&mut self.heard, n) {
                    self.effects.extend(self.machine.handle(input));
                }
            }
            Step::Crash => self.crash(),
            Step::Wait(minutes) => self.now += minutes * MINUTE,
        }
    }

    fn crash(&mut self) {
        self.machine = Collector::default();
        self.effects.clear();
        self.heard.clear();
        self.sweep();
    }

    fn sweep(&mut self) {
        let ids: Vec<_> = self.bytes.iter().copied().collect();
        let records = at_once(self.store.records(ids.clone())).unwrap();
        let pairs = ids.into_iter().zip(records);
        self.bytes = pairs.filter(|(_, record)| record.is_some()).map(|(id, _)| id).collect();
    }

    fn used(&self) -> BTreeSet<MediaId> {
        self.entries.values().copied().chain(self.profile).collect()
    }

    fn kept(&self) -> BTreeSet<MediaId> {
        let records = at_once(self.store.records(self.uploads.clone())).unwrap();
        records.into_iter().flatten().map(|record| record.id).collect()
    }

    /// All that goes on comes to its end, and the next round with it.
    fn settle(&mut self) {
        self.pending.clear();
        self.crash();
        self.now += RECHECK + KEEP;
        let mut todo = VecDeque::from([self.next_round()]);
        while let Some(input) = todo.pop_front() {
            for effect in self.machine.handle(input) {
                self.run(effect, false);
            }
            todo.extend(self.heard.drain(..));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_used_is_lost_and_nothing_else_stays(steps in prop::collection::vec(step(), 1..200)) {
        let mut world = World::default();
        for step in steps {
            world.step(step.clone());
            let (used, kept) = (world.used(), world.kept());
            prop_assert!(used.is_subset(&kept), "G1: a file in use is gone after {step:?}");
            prop_assert!(used.is_subset(&world.bytes), "G1: bytes in use are gone after {step:?}");
        }
        world.settle();
        prop_assert_eq!(world.kept(), world.used(), "files that nobody uses are kept for ever");
        prop_assert_eq!(&world.bytes, &world.used(), "bytes that nobody uses are kept for ever");
    }
}

#[test]
fn without_both_answers_nothing_is_deleted() {
    let ids = vec![random_id()];
    let mut machine = Collector::default();
    let round = Round(1);
    assert_eq!(machine.handle(Input::Begin(round)), [Effect::Condemn(round)]);
    assert_eq!(machine.handle(Input::Condemned { ids: ids.clone(), full: true }).len(), 2);
    assert_eq!(machine.handle(Input::Begin(Round(2))), [], "one at a time");
    assert_eq!(machine.handle(Input::Answered(Witness::Chat, Ok(BTreeSet::new()))), []);
    assert_eq!(machine.handle(Input::Answered(Witness::Chat, Ok(BTreeSet::new()))), [], "twice the same");
    assert_eq!(machine.handle(Input::Answered(Witness::Auth, Err(Unanswered))), []);
    assert_eq!(machine.handle(Input::Answered(Witness::Auth, Ok(BTreeSet::new()))), [], "the round is over");
    assert_eq!(machine.handle(Input::Begin(Round(3))), [Effect::Condemn(Round(3))]);
}
