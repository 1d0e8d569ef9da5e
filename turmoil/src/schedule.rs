//! What a seed does to the network and to the server, and what people say meanwhile.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// For how long things happen.
const LASTS: Duration = Duration::from_secs(75);
/// Conversations.
pub const GROUPS: usize = 2;

/// Who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A few clients, each at a place of its own, with much trouble.
    Few,
    /// Many clients at a few places, who lose their server together.
    Crowd,
}

impl Kind {
    /// Of three seeds one is a crowd.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        if seed.is_multiple_of(3) { Self::Crowd } else { Self::Few }
    }

    /// Places, each with a link of its own to the server.
    #[must_use]
    pub fn places(self) -> usize {
        match self {
            Self::Few => 5,
            Self::Crowd => 8,
        }
    }

    /// Clients at each place.
    #[must_use]
    pub fn clients_each(self) -> usize {
        match self {
            Self::Few => 1,
            Self::Crowd => 4,
        }
    }

    /// Clients in all.
    #[must_use]
    pub fn clients(self) -> usize {
        self.places() * self.clients_each()
    }
}

/// Something that somebody does, or that befalls somebody. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A client says something in a conversation, so many times.
    Say(usize, usize, u32),
    /// It shows all that it holds.
    Read(usize),
    /// Its user comes to look.
    Foreground(usize),
    /// A place and the server are cut off from each other for so long.
    Partition(usize, u64),
    /// What the place says (`true`) or what it is told is lost for so long.
    OneWay(usize, bool, u64),
    /// What either says is held for so long, and then comes.
    Hold(usize, u64),
    /// Up to so much later comes what either says, for so long.
    Slow(usize, u64, u64),
    /// The server dies, and its machine tells its peers; it is away for so long.
    Die(u64),
    /// The server dies with its machine, and nobody tells its peers.
    DieSilently(u64),
    /// The server is asked to stop. So long after it has it comes back.
    Stop(u64),
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

/// All of a seed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whose it is.
    pub seed: u64,
    /// Who is there.
    pub kind: Kind,
    /// In order.
    pub steps: Vec<Planned>,
}

/// What a seed stands for.
#[must_use]
pub fn plan(seed: u64) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let kind = Kind::of(seed);
    let mut steps = Vec::new();
    let mut every = |rng: &mut StdRng, millis: u64, step: &dyn Fn(&mut StdRng) -> Step| {
        let mut at = Duration::ZERO;
        loop {
            at += Duration::from_millis(rng.random_range(0..2 * millis));
            if at >= LASTS {
                return;
            }
            steps.push(Planned { at, step: step(rng) });
        }
    };
    every(&mut rng, 700, &|rng| act(kind, rng));
    match kind {
        Kind::Few => {
            every(&mut rng, 5_000, &|rng| trouble(kind, rng));
            every(&mut rng, 40_000, &|rng| end(rng));
        }
        Kind::Crowd => {
            every(&mut rng, 25_000, &|rng| trouble(kind, rng));
            every(&mut rng, 20_000, &|rng| end(rng));
        }
    }
    steps.sort_by_key(|planned| planned.at);
    Plan { seed, kind, steps }
}

fn act(kind: Kind, rng: &mut StdRng) -> Step {
    let client = rng.random_range(0..kind.clients());
    match rng.random_range(0..10) {
        0..7 => Step::Say(client, rng.random_range(0..GROUPS), 1),
        7 => Step::Say(client, rng.random_range(0..GROUPS), rng.random_range(2..12)),
        8 => Step::Read(client),
        _ => Step::Foreground(client),
    }
}

fn trouble(kind: Kind, rng: &mut StdRng) -> Step {
    let place = rng.random_range(0..kind.places());
    // Some end before keep-alive finds them, some do not.
    let (short, long) = (rng.random_range(50..400), rng.random_range(1_000..55_000));
    match rng.random_range(0..10) {
        0..3 => Step::Partition(place, long),
        3..5 => Step::OneWay(place, rng.random_bool(0.5), long),
        5 => Step::OneWay(place, rng.random_bool(0.5), short),
        // Long enough, often, for the client to look for another connection meanwhile.
        6..8 => Step::Hold(place, rng.random_range(1_000..70_000)),
        _ => Step::Slow(place, short, long),
    }
}

fn end(rng: &mut StdRng) -> Step {
    let away = rng.random_range(200..8_000);
    match rng.random_range(0..10) {
        0..3 => Step::Die(away),
        3..6 => Step::DieSilently(away),
        _ => Step::Stop(away),
    }
}
