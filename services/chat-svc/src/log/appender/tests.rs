//! The appender under a hostile store and clients that retry: many seeded runs, and the cases worth a name.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parlor_runtime::limiter::Rate;
use parlor_types::{Id as _, Op, UserId};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::*;
use crate::conversation::{Content, Forbidden, Kind, Settings, State, TextKind};
use crate::log::{Digest, Entry, LaneState};
use crate::store::{Commit, NewEntry};

const SEEDS: u64 = 400;
const RULES: Rules = Rules { max_members: 10, edit_window: Duration::from_secs(60) };

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 16])
}

fn op(number: u64) -> Op {
    let mut bytes = [9; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Op::from_bytes(bytes)
}

fn draft(sender: UserId, number: u64, base: u64, content: Content) -> Draft {
    Draft {
        conversation: ConversationId::from_bytes([1; 16]),
        sender,
        op: op(number),
        base: Seq(base),
        lane: None,
        target: None,
        reply_to: None,
        mentions: Vec::new(),
        labels: BTreeMap::new(),
        content,
        digest: Digest([5; 16]),
        bytes: 10,
    }
}

fn created(members: &[UserId]) -> Content {
    let (kind, settings) = (Kind::Group, Settings::default());
    Content::Created { kind, name: "Tea".into(), members: members.to_vec(), settings }
}

fn text(number: u64) -> Content {
    Content::Text(number.to_string())
}

fn rates() -> Rates {
    let rate = Rate { burst: 1_000_000, per_second: 1e6 };
    Rates::new(rate, rate)
}

/// An appender over a log in memory that may be asked to misbehave.
struct World {
    appender: Appender,
    rates: Rates,
    now: Instant,
    log: Vec<NewEntry>,
    answers: HashMap<u64, Vec<Result<Appended, Refusal>>>,
    published: Vec<Entry>,
    /// Those who were told of the row again.
    retold: Vec<UserId>,
    pending: Vec<Effect>,
    tickets: HashMap<Ticket, u64>,
    next: u64,
}

impl World {
    fn new() -> Self {
        Self {
            appender: Appender::new(ConversationId::from_bytes([1; 16]), RULES),
            rates: rates(),
            now: Instant::now(),
            log: Vec::new(),
            answers: HashMap::new(),
            published: Vec::new(),
            retold: Vec::new(),
            pending: Vec::new(),
            tickets: HashMap::new(),
            next: 0,
        }
    }

    fn input(&mut self, input: Input) {
        let wall: SystemTime = UNIX_EPOCH + Duration::from_secs(1);
        for effect in self.appender.input(self.now, wall, &mut self.rates, input) {
            match effect {
                Effect::Answer(ticket, result, _) => {
                    let number = self.tickets.remove(&ticket).expect("each draft is answered once");
                    self.answers.entry(number).or_default().push(result);
                }
                Effect::Publish(published) => self.published.push(published.entry),
                Effect::Retell(users) => self.retold.extend(users),
                other => self.pending.push(other),
            }
        }
    }

    /// Sends the op `number`.
    fn send(&mut self, number: u64, draft: Draft) {
        self.next += 1;
        self.tickets.insert(Ticket(self.next), number);
        self.input(Input::Append(Ticket(self.next), draft));
    }

    fn load(&mut self, after: Seq) {
        let mut state: Option<State> = None;
        for new in &self.log {
            let (sender, time) = (new.entry.sender, new.entry.time);
            match (&mut state, &new.entry.content) {
                (Some(state), content) => drop(state.apply(sender, content, time)),
                (empty, Content::Created { kind, name, members, settings }) => {
                    *empty = Some(State::created(sender, *kind, name.clone(), members, *settings, time).0);
                }
                (None, _) => panic!("the log begins with Created"),
            }
        }
        let snapshot = state.map(|state| {
            let rows = self.log.iter().map(NewEntry::row).filter(|row| row.seq > after).collect();
            Snapshot { state, before: after, rows }
        });
        self.input(Input::Loaded(Ok(snapshot)));
    }

    /// What an honest store does.
    fn write(&mut self, batch: &Batch) -> Result<Stored, AppendError> {
        if self.log.len() as u64 != batch.after.0 {
            return Err(AppendError::Conflict);
        }
        self.log.extend(batch.entries.iter().cloned());
        Ok(Stored { commit: Commit(self.log.len() as u64), ..Stored::default() })
    }

    /// Carries out all that is pending, honestly.
    fn settle(&mut self) {
        while let Some(effect) = self.pending.pop() {
            match effect {
                Effect::Load(after) => self.load(after.min(Seq(self.log.len() as u64))),
                Effect::Submit(batch, _) => {
                    let result = self.write(&batch);
                    self.input(Input::Stored(result));
                }
                Effect::Look(wanted) => self.look(wanted),
                Effect::Answer(..) | Effect::Publish(_) | Effect::Retell(_) => {}
            }
        }
    }

    /// Every entry but the first is a message of its sender's; nothing is changed in the log.
    fn look(&mut self, wanted: Vec<Wanted>) {
        let find = |seq: Seq| {
            let new = self.log.iter().skip(1).find(|new| new.entry.seq == seq)?;
            let (sender, time) = (new.entry.sender, new.entry.time);
            Some(Target { sender, time, text: Some(TextKind::Body), edits: 0 })
        };
        let found = wanted.into_iter().map(|wanted| (wanted, find(wanted.1))).collect();
        self.input(Input::Looked(Ok(found)));
    }

    fn answer(&self, number: u64) -> &Result<Appended, Refusal> {
        self.answers[&number].last().unwrap()
    }

    fn begin(members: &[UserId]) -> Self {
        let mut world = Self::new();
        world.send(0, draft(user(1), 0, 0, created(members)));
        world.settle();
        assert!(world.answer(0).is_ok());
        world
    }
}

/// One step of a store that may fail, lose, delay or hide what it did; or another writer gets in between.
fn misbehave(world: &mut World, random: &mut SmallRng, foreign: &mut u64) {
    if world.pending.is_empty() {
        return;
    }
    let effect = world.pending.swap_remove(random.random_range(0..world.pending.len()));
    match effect {
        Effect::Load(_) if random.random_bool(0.1) => {
            world.input(Input::Loaded(Err(Refusal::Unavailable)));
        }
        Effect::Load(after) => {
            let head = world.log.len() as u64;
            world.load(after.min(Seq(head.saturating_sub(random.random_range(0..4)))));
        }
        Effect::Submit(batch, _) => {
            if random.random_bool(0.1) && !world.log.is_empty() {
                // Another node appends first.
                *foreign += 1;
                let mut entry = world.log.last().unwrap().clone();
                entry.entry.seq = entry.entry.seq.next();
                entry.entry.op = op(1_000_000 + *foreign);
                entry.entry.sender = user(1);
                entry.entry.content = text(*foreign);
                entry.entry.number += 1;
                entry.changes.clear();
                world.log.push(entry);
            }
            let result = match random.random_range(0..10) {
                0 => Err(AppendError::Full),
                1 => Err(AppendError::Busy),
                2 => Err(AppendError::Uncertain),
                3 => {
                    // Stored, but the answer is lost.
                    let _ = world.write(&batch);
                    Err(AppendError::Uncertain)
                }
                _ => world.write(&batch),
            };
            world.input(Input::Stored(result));
        }
        Effect::Look(wanted) => world.look(wanted),
        Effect::Answer(..) | Effect::Publish(_) | Effect::Retell(_) => {}
    }
}

/// What is stored although the store could not say so.
#[test]
fn g5_what_was_stored_in_doubt_is_told_by_its_row() {
    for certain in [Err(AppendError::Full), Err(AppendError::Busy), Err(AppendError::Uncertain)] {
        let mut world = World::begin(&[user(2)]);
        world.send(1, draft(user(1), 1, 1, text(1)));
        let Some(Effect::Submit(batch, _)) = world.pending.pop() else { panic!("it is written") };
        assert!(world.write(&batch).is_ok());
        world.input(Input::Stored(Err(AppendError::Uncertain)));
        assert!(world.appender.is_in_doubt());
        // What a later attempt says of itself tells nothing of the first.
        world.pending.clear();
        world.input(Input::Stored(certain));
        assert!(world.appender.is_in_doubt() && !world.answers.contains_key(&1));
        world.settle();
        assert!(world.answer(1).as_ref().is_ok_and(|appended| appended.seq == Seq(2)), "G2");
        assert_eq!(world.retold, [user(1), user(2)], "G5");
        assert!(!world.appender.is_in_doubt());
    }
}

fn run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut world = World::begin(&[user(2), user(3)]);
    let (mut number, mut foreign) = (0, 0);
    let mut unanswered: Vec<(u64, Draft)> = Vec::new();
    for _ in 0..300 {
        match random.random_range(0..10) {
            0..=3 => {
                number += 1;
                let base = (world.log.len() as u64).saturating_sub(random.random_range(0..6));
                let draft = draft(user(random.random_range(1..4)), number, base, text(number));
                unanswered.push((number, draft.clone()));
                world.send(number, draft);
            }
            // A retry, unchanged, whether or not an earlier send is still under way or answered.
            4 if !unanswered.is_empty() => {
                let (number, draft) = unanswered[random.random_range(0..unanswered.len())].clone();
                world.send(number, draft);
            }
            _ => misbehave(&mut world, &mut random, &mut foreign),
        }
    }
    world.settle();
    // Clients that were refused for a while send again until it is stored.
    for (number, draft) in unanswered.clone() {
        world.send(number, draft);
        world.settle();
    }
    check(&world, seed, number, &unanswered);
}

fn check(world: &World, seed: u64, last: u64, sent: &[(u64, Draft)]) {
    assert!(world.tickets.is_empty(), "seed {seed}: every send is answered");
    for (index, new) in world.log.iter().enumerate() {
        assert_eq!(new.entry.seq.0, index as u64 + 1, "G3, seed {seed}");
    }
    for number in 1..=last {
        let stored: Vec<u64> =
            world.log.iter().filter(|new| new.entry.op == op(number)).map(|new| new.entry.seq.0).collect();
        assert_eq!(stored.len(), 1, "G2, seed {seed}: op {number} is stored at {stored:?}");
        for answer in world.answers[&number].iter().flatten() {
            assert_eq!(answer.seq.0, stored[0], "G2, seed {seed}: every answer names the one place");
        }
        let fresh = world.answers[&number].iter().flatten().filter(|answer| !answer.duplicate).count();
        assert!(fresh <= 1, "seed {seed}: op {number} is new once");
    }
    assert!(sent.iter().all(|(number, _)| world.answers[number].last().unwrap().is_ok()), "seed {seed}");
    let mut seen: Vec<u64> = world.published.iter().map(|entry| entry.seq.0).collect();
    let in_order = seen.is_sorted();
    seen.dedup();
    assert!(in_order && seen.len() == world.published.len(), "seed {seed}: published once, in order");
}

#[test]
fn retries_against_a_store_that_fails_are_stored_once() {
    for seed in 0..SEEDS {
        run(seed);
    }
}

#[test]
fn a_retry_is_answered_even_after_its_sender_was_removed() {
    let mut world = World::begin(&[user(2)]);
    let first = draft(user(2), 1, 1, text(1));
    world.send(1, first.clone());
    world.send(2, draft(user(1), 2, 1, Content::Remove(vec![user(2)])));
    world.settle();
    world.send(1, first);
    world.send(3, draft(user(2), 3, 2, text(3)));
    world.settle();
    assert!(world.answer(1).as_ref().unwrap().duplicate, "G2");
    assert_eq!(world.answer(3), &Err(Refusal::NotFound), "G7: to an ex-member as to a stranger");
    world.send(4, draft(user(9), 4, 77, text(4)));
    world.settle();
    assert_eq!(world.answer(4), &Err(Refusal::NotFound), "a stranger learns nothing of the head");
}

#[test]
fn what_the_base_says_decides_how_far_dedupe_looks() {
    let mut world = World::begin(&[]);
    let old = draft(user(1), 1, 1, text(1));
    world.send(1, old.clone());
    for number in 2..6000 {
        world.send(number, draft(user(1), number, number, text(number)));
        world.settle();
    }
    world.send(1, old.clone());
    world.settle();
    assert_eq!(world.answer(1), &Err(Refusal::TooOld));
    world.send(1, Draft { base: Seq(3000), ..old.clone() });
    world.settle();
    assert!(
        !world.answer(1).as_ref().unwrap().duplicate,
        "a base above the op's row vouches that it is not there"
    );
    world.send(9999, draft(user(1), 9999, 7000, text(1)));
    world.settle();
    assert_eq!(world.answer(9999), &Err(Refusal::BaseAhead));
    world.send(4000, Draft { digest: Digest([1; 16]), ..draft(user(1), 4000, 3000, text(0)) });
    world.settle();
    assert_eq!(world.answer(4000), &Err(Refusal::OpReused));
}

#[test]
fn g2_a_retry_of_an_op_below_what_is_loaded_is_found() {
    let mut world = World::begin(&[]);
    let old = draft(user(1), 1, 1, text(1));
    world.send(1, old.clone());
    for number in 2..20 {
        world.send(number, draft(user(1), number, number, text(number)));
    }
    world.settle();
    world.appender = Appender::new(ConversationId::from_bytes([1; 16]), RULES);
    let head = world.log.len() as u64;
    world.send(100, draft(user(1), 100, head, text(100)));
    world.settle();
    world.send(1, old);
    world.settle();
    assert!(world.answer(1).as_ref().unwrap().duplicate, "G2");
}

#[test]
fn receivers_are_those_of_each_entry_not_of_the_batch() {
    let mut world = World::begin(&[user(2)]);
    let mut published = Vec::new();
    // The first is being written; the rest become one batch.
    world.send(1, draft(user(1), 1, 1, text(1)));
    world.send(2, draft(user(2), 2, 1, text(2)));
    world.send(3, draft(user(1), 3, 1, Content::Remove(vec![user(2)])));
    world.send(4, draft(user(1), 4, 1, text(4)));
    world.send(5, draft(user(1), 5, 1, Content::Add(vec![user(3)])));
    while let Some(Effect::Submit(batch, _)) = world.pending.pop() {
        let mut stored = world.write(&batch).unwrap();
        stored.withheld = vec![(Seq(3), vec![user(2)])];
        let input = Input::Stored(Ok(stored));
        for effect in world.appender.input(world.now, UNIX_EPOCH, &mut world.rates, input) {
            match effect {
                Effect::Publish(entry) => published.push(entry),
                other => world.pending.push(other),
            }
        }
        world.pending.retain(|effect| matches!(effect, Effect::Submit(..)));
    }
    let receivers: Vec<(u64, Vec<UserId>)> =
        published.iter().map(|one| (one.entry.seq.0, one.receivers.to_vec())).collect();
    let (ada, ben, cay) = (user(1), user(2), user(3));
    let expected =
        [(2, vec![ada, ben]), (3, vec![ada, ben]), (4, vec![ada, ben]), (5, vec![ada]), (6, vec![ada, cay])];
    assert_eq!(receivers, expected, "G7");
    assert_eq!(
        (published[4].newcomers.as_slice(), published[2].leavers.as_slice()),
        (&[cay][..], &[ben][..])
    );
    let withheld: Vec<u64> =
        published.iter().filter(|one| one.withheld == [ben]).map(|one| one.entry.seq.0).collect();
    assert_eq!(withheld, [3], "G7: from whom the store said, and of no other entry");
}

#[test]
fn a_lane_keeps_its_order_across_a_refusal() {
    let mut world = World::begin(&[user(2)]);
    let lane = Arc::new(LaneState::default());
    let send = |world: &mut World, number: u64, sent_with: u32, content: Content| {
        let lane = Some(lane.append(sent_with));
        world.send(number, Draft { lane, ..draft(user(2), number, 1, content) });
    };
    send(&mut world, 1, 0, text(1));
    send(&mut world, 2, 0, Content::Rename("no".into()));
    send(&mut world, 3, 0, text(3));
    send(&mut world, 1, 0, text(1));
    world.settle();
    assert!(world.answer(1).as_ref().unwrap().duplicate, "G2: a stored one is answered on a broken lane too");
    assert_eq!(world.answer(2), &Err(Refusal::Forbidden(Forbidden::Role)));
    assert_eq!(world.answer(3), &Err(Refusal::OutOfOrder), "G4");
    send(&mut world, 3, 1, text(3));
    world.settle();
    assert_eq!(world.answer(3).as_ref().unwrap().seq, Seq(3));
}

fn change(sender: UserId, number: u64, content: Content, target: u64) -> Draft {
    Draft { target: Some(Seq(target)), ..draft(sender, number, 1, content) }
}

#[test]
fn what_a_batch_deletes_is_neither_stored_nor_told() {
    let mut world = World::begin(&[user(2)]);
    world.send(1, draft(user(2), 1, 1, text(1)));
    world.settle();
    // While one batch is being written, the others become the next.
    world.send(2, draft(user(1), 2, 2, text(2)));
    world.send(3, change(user(2), 3, Content::Edit("third".into()), 2));
    world.send(4, change(user(1), 4, Content::Delete, 2));
    world.send(5, change(user(2), 5, Content::Edit("fifth".into()), 2));
    world.send(6, change(user(2), 6, Content::Delete, 2));
    world.settle();
    for answered in [3, 4] {
        assert!(world.answer(answered).is_ok(), "{:?}", world.answers);
    }
    let gone = Err(Refusal::Forbidden(Forbidden::TargetNotFound));
    assert_eq!((world.answer(5), world.answer(6)), (&gone, &gone));
    let [.., edit, delete] = &world.log[..] else { panic!("a log") };
    assert_eq!((&edit.entry.content, edit.entry.rev), (&Content::Deleted(user(1)), Seq(5)));
    assert_eq!((&delete.entry.content, delete.entry.target), (&Content::Delete, Some(Seq(2))));
    assert_eq!(world.published[3..], [edit.entry.clone(), delete.entry.clone()]);
    world.send(3, change(user(2), 3, Content::Edit("third".into()), 2));
    world.settle();
    assert_eq!(world.answer(3).as_ref().map(|found| found.duplicate), Ok(true), "G2");
}

#[test]
fn a_message_that_is_being_written_is_looked_up_afterwards() {
    let mut world = World::begin(&[]);
    world.send(1, draft(user(1), 1, 1, text(1)));
    world.send(2, draft(user(1), 2, 1, text(2)));
    world.send(3, change(user(1), 3, Content::Edit("third".into()), 3));
    world.send(4, change(user(1), 4, Content::Edit("fourth".into()), 9));
    world.settle();
    assert!(world.answer(3).is_ok());
    assert_eq!(world.answer(4), &Err(Refusal::Forbidden(Forbidden::TargetNotFound)), "above the head");
    assert_eq!(world.log.len(), 4);
}

#[test]
fn a_message_is_edited_so_often_and_no_more() {
    let mut world = World::begin(&[]);
    world.send(1, draft(user(1), 1, 1, text(1)));
    world.settle();
    let most = parlor_types::limits::MAX_EDITS as u64;
    for number in 2..=most + 2 {
        world.send(number, change(user(1), number, Content::Edit("again".into()), 2));
    }
    world.settle();
    // Looked up once, counted from there on.
    assert!(world.answer(most + 1).is_ok());
    assert_eq!(world.answer(most + 2), &Err(Refusal::Forbidden(Forbidden::EditTooLate)));
}
