//! Faults planted at the seams are found, each within a few seeds, and as a breach of the guarantee that they break.

use parlor_simulation::{Planted, plan, run};

/// Seeds, and the next ones: loud ones, quiet ones, and ones in which a backup is brought back.
const LOUD: (u64, usize) = (0, 2);
const QUIET: (u64, usize) = (1, 2);
const RESTORES: (u64, usize) = (6, 8);
/// How many are tried.
const SEEDS: usize = 32;

#[expect(clippy::print_stdout, reason = "whoever adds one wants to know how easily it is found")]
fn finds(planted: Planted, guarantee: &str, (first, step): (u64, usize)) {
    let seeds = (first..).step_by(step).take(SEEDS);
    let mut found = seeds.filter_map(|seed| Some((seed, run(seed, &plan(seed), Some(planted)).wrong?)));
    let Some((seed, wrong)) = found.next() else {
        panic!("{guarantee}: {planted:?} is not found by {SEEDS} seeds from {first}");
    };
    println!("{planted:?} is found by seed {seed}: {wrong}");
    assert!(wrong.contains(guarantee), "{planted:?} breaks {guarantee}, and this is found: {wrong}");
}

#[test]
fn g1_a_store_that_never_syncs() {
    finds(Planted::NeverSynced, "G1", LOUD);
}

#[test]
fn g1_a_store_that_acks_early() {
    finds(Planted::AcksEarly, "G1", LOUD);
}

#[test]
fn g1_a_store_that_acks_what_failed() {
    finds(Planted::AcksTheUncertain, "G1", LOUD);
}

#[test]
fn g2_a_store_that_forgets_ops() {
    finds(Planted::ForgetsOps, "G2", LOUD);
}

#[test]
fn g4_lanes_that_are_ignored() {
    finds(Planted::IgnoresLanes, "G4", LOUD);
}

#[test]
fn g5_a_router_that_drops() {
    finds(Planted::DropsDeliveries, "G5", QUIET);
}

#[test]
fn g5_heads_that_are_dropped() {
    finds(Planted::DropsHeads, "G5", QUIET);
}

#[test]
fn g5_a_router_that_knows_of_streams_late() {
    finds(Planted::KnowsLate, "G5", QUIET);
}

#[test]
fn g5_a_cursor_that_is_ahead() {
    finds(Planted::CursorAhead, "G5", QUIET);
}

#[test]
fn g5_a_restored_store_that_keeps_its_generation() {
    finds(Planted::SameGeneration, "G", RESTORES);
}

#[test]
fn g5_rows_that_are_never_told_again() {
    finds(Planted::NeverRetells, "G5", QUIET);
}

#[test]
fn g6_own_marks_that_are_not_told() {
    finds(Planted::OwnMarksUntold, "G6", LOUD);
}

#[test]
fn g6_marks_that_go_back() {
    finds(Planted::MarksGoBack, "G6", LOUD);
}

#[test]
fn g6_sent_is_taken_for_received() {
    finds(Planted::SentIsReceived, "G6", LOUD);
}

#[test]
fn g7_entries_after_a_removal() {
    finds(Planted::GoesOnAfterRemoval, "G7", LOUD);
}

#[test]
fn g7_sessions_that_go_on_after_their_end() {
    finds(Planted::EndedSessionsGoOn, "G7", LOUD);
}
