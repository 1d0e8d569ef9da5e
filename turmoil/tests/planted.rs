//! Faults planted in the network and in how the server is run are found, each within a few seeds, and as what they are.

use parlor_turmoil::{Kind, Planted, plan, run};

/// How many seeds are tried.
const SEEDS: usize = 6;

#[expect(clippy::print_stdout, reason = "whoever adds one wants to know how easily it is found")]
fn finds(planted: Planted, promise: &str, kind: Kind) {
    let seeds = (0..).filter(|seed| Kind::of(*seed) == kind).take(SEEDS);
    let mut found = seeds.filter_map(|seed| Some((seed, run(&plan(seed), Some(planted)).wrong?)));
    let Some((seed, wrong)) = found.next() else {
        panic!("{promise}: {planted:?} is not found by {SEEDS} seeds");
    };
    println!("{planted:?} is found by seed {seed}: {wrong}");
    assert!(wrong.starts_with(promise), "{planted:?} breaks {promise}, and this is found: {wrong}");
}

#[test]
fn a_server_that_never_pings() {
    finds(Planted::ServerNeverPings, "keep-alive: Server", Kind::Few);
}

#[test]
fn clients_whose_pings_find_nothing() {
    finds(Planted::PingsAnsweredNearby, "keep-alive: Client", Kind::Few);
}

#[test]
fn a_server_that_stops_without_a_word() {
    finds(Planted::StopsWithoutAWord, "goodbye", Kind::Few);
}

#[test]
fn clients_that_come_at_once() {
    finds(Planted::ComeAtOnce, "jitter", Kind::Crowd);
}
