//! What a seed does to the world, and what people do in it: a list of steps, each of which can be left out.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Clients whose user takes part; the last of them can be removed.
pub const PHONES: usize = 4;
/// Conversations.
pub const CONVERSATIONS: usize = 2;
/// For how long things happen in a loud seed.
const LOUD_FOR: Duration = Duration::from_secs(30);
/// For how long in a quiet one.
const QUIET_AFTER: Duration = Duration::from_secs(6);
/// How long before that everybody is cut off, and how long before it a last word is said in each conversation.
const LAST: Duration = Duration::from_millis(900);
/// One step in this many milliseconds, on average.
const EVERY: u64 = 90;

/// Something that somebody does, or that befalls somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A phone says something in a conversation.
    Say(usize, usize),
    /// As fast as it can, so many times.
    SayMuch(usize, usize, u32),
    /// It changes one of the messages of a conversation, counted from the newest.
    Edit(usize, usize, u64),
    /// It takes one away.
    Delete(usize, usize, u64),
    /// It shows all that it holds.
    Read(usize, usize),
    /// It asks for what is older.
    FetchOlder(usize, usize),
    /// Somebody types.
    Type(usize, usize),
    /// The app comes to the front.
    Foreground(usize),
    /// The app goes behind.
    Background(usize),
    /// The first removes the last from the group.
    Remove,
    /// The first brings the last back.
    Add,
    /// A phone's connections break.
    Cut(usize),
    /// They go half-open.
    Lose(usize),
    /// What is on its way to and from it is late by so many milliseconds.
    Stall(usize, u64),
    /// It dies after so many steps.
    Crash(usize, u32),
    /// It stands still for so many milliseconds.
    Freeze(usize, u64),
    /// What it has saved is copied.
    KeepCopy(usize),
    /// It goes on from that copy.
    GoBack(usize),
    /// The session of a phone is ended; chat-svc hears of it after so many milliseconds.
    EndSession(usize, u64),
    /// chat-svc dies, for so many milliseconds; `true` with its machine, whose connections are never closed.
    CrashService(u64, bool),
    /// chat-svc stands still for so many milliseconds.
    FreezeService(u64),
    /// chat-svc asks everybody to leave.
    Drain,
    /// The time of day jumps by so many seconds.
    SetClock(i64),
    /// The store has no room for so many milliseconds.
    Full(u64),
    /// It has too much to do.
    Busy(u64),
    /// It cannot be read.
    Unreadable(u64),
    /// Everything takes 200 ms longer in it.
    Slow(u64),
    /// The next batch is stored, and it cannot be said.
    LoseAnswer,
    /// The next batch is not stored, and it cannot be said.
    FailCommit,
    /// With the next batch the store stops for good; `true` if that one is stored. chat-svc ends of it, and starts again.
    StopStore(bool),
    /// What is stored is copied.
    BackUp,
    /// chat-svc ends, and starts again on the copy, with a new generation.
    Restore,
    /// The liar does something, as this number says.
    Lie(u64),
}

/// A step and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When.
    pub at: Duration,
    /// What.
    pub step: Step,
}

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6} ms  {:?}", self.at.as_millis(), self.step)
    }
}

/// How a seed ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// With everybody in the middle of what they do; then each looks whether anything is new.
    Loud,
    /// Early: everybody is cut off, a last word is said in each conversation while they come back, and then nobody does
    /// anything. What gets lost here no later message makes good.
    Quiet,
}

impl Kind {
    /// Of two seeds one is quiet.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        if seed % 2 == 1 { Self::Quiet } else { Self::Loud }
    }

    /// For how long things happen.
    #[must_use]
    pub fn lasts(self) -> Duration {
        match self {
            Self::Loud => LOUD_FOR,
            Self::Quiet => QUIET_AFTER,
        }
    }
}

/// All steps of a seed, in order.
#[must_use]
pub fn plan(seed: u64) -> Vec<Planned> {
    let mut rng = StdRng::seed_from_u64(seed);
    let kind = Kind::of(seed);
    let mut steps = until(kind, seed, &mut rng);
    if kind == Kind::Quiet {
        last(&mut rng, &mut steps);
    }
    steps
}

fn until(kind: Kind, seed: u64, rng: &mut StdRng) -> Vec<Planned> {
    let end = if kind == Kind::Quiet { QUIET_AFTER - LAST } else { LOUD_FOR };
    // Some seeds hurt a little, some much; some put something back.
    let harm = [5, 15, 30][usize::try_from(seed % 3).unwrap_or_default()];
    let restores = matches!(seed % 8, 1 | 6);
    let (mut at, mut steps) = (Duration::ZERO, Vec::new());
    loop {
        at += Duration::from_millis(rng.random_range(0..2 * EVERY));
        if at >= end {
            return steps;
        }
        let step = match rng.random_range(0..100) {
            hurt if hurt < harm => fault(rng, restores),
            _ => act(rng),
        };
        steps.push(Planned { at, step });
    }
}

/// All are cut off, more or less at once, and come back; meanwhile somebody says something, for the last time.
fn last(rng: &mut StdRng, steps: &mut Vec<Planned>) {
    let mut ending = Vec::new();
    let mut plan = |millis: Range<u64>, rng: &mut StdRng, step| {
        let into = Duration::from_millis(rng.random_range(millis));
        ending.push(Planned { at: QUIET_AFTER - LAST + into, step });
    };
    for phone in 0..PHONES {
        plan(0..200, rng, Step::Cut(phone));
    }
    if rng.random_bool(0.4) {
        plan(0..600, rng, Step::LoseAnswer);
    }
    for conversation in 0..CONVERSATIONS {
        let sender = rng.random_range(0..PHONES);
        let step = if rng.random_bool(0.3) {
            Step::SayMuch(sender, conversation, rng.random_range(12..40))
        } else {
            Step::Say(sender, conversation)
        };
        plan(100..900, rng, step);
    }
    ending.sort_by_key(|planned| planned.at);
    steps.extend(ending);
}

fn act(rng: &mut StdRng) -> Step {
    let (phone, conversation) = (rng.random_range(0..PHONES), rng.random_range(0..CONVERSATIONS));
    match rng.random_range(0..100) {
        0..48 => Step::Say(phone, conversation),
        48..52 => Step::SayMuch(phone, conversation, rng.random_range(4..24)),
        52..60 => Step::Edit(phone, conversation, rng.random_range(0..6)),
        60..66 => Step::Delete(phone, conversation, rng.random_range(0..6)),
        66..80 => Step::Read(phone, conversation),
        80..84 => Step::FetchOlder(phone, conversation),
        84..88 => Step::Type(phone, conversation),
        88..91 => Step::Foreground(phone),
        91..93 => Step::Background(phone),
        93..95 => Step::Remove,
        95..98 => Step::Add,
        _ => Step::Lie(rng.random()),
    }
}

fn fault(rng: &mut StdRng, restores: bool) -> Step {
    let phone = rng.random_range(0..PHONES);
    let mut millis = |most| rng.random_range(100..most);
    let (short, long) = (millis(1_500), millis(9_000));
    match rng.random_range(0..100) {
        0..14 => Step::Cut(phone),
        14..22 => Step::Lose(phone),
        22..28 => Step::Stall(phone, long),
        28..42 => Step::Crash(phone, rng.random_range(1..12)),
        42..46 => Step::Freeze(phone, long),
        46..48 => Step::EndSession(phone, rng.random_range(0..500)),
        48..51 => Step::KeepCopy(phone),
        51..54 if restores => Step::GoBack(phone),
        54..62 => Step::CrashService(short, rng.random_bool(0.3)),
        62..65 => Step::FreezeService(short),
        65..68 => Step::Drain,
        68..71 => Step::SetClock(rng.random_range(-600..600)),
        71..74 => Step::Full(short),
        74..76 => Step::Busy(short),
        76..79 => Step::Unreadable(short),
        79..82 => Step::Slow(long),
        82..87 => Step::LoseAnswer,
        87..90 => Step::FailCommit,
        90..93 => Step::StopStore(rng.random_bool(0.5)),
        93..96 => Step::BackUp,
        96..98 if restores => Step::Restore,
        _ => Step::Lie(rng.random()),
    }
}
