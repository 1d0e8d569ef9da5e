//! G1 to G5 over faults of all that serves: SIGKILL at random moments under load, a start on the same folder, and on; between
//! them processes that are frozen, and networks that break. With `PARLOR_TOPOLOGY=four` each of the four is killed and frozen
//! by itself, and also all at once, and the networks between them break too.
//!
//! Writers repeat what has no answer, readers follow, people come and go, files are sent. At the end everything is well
//! again, and all that was asked, answered and read is held against the logs. `PARLOR_KILLS` says how many kills,
//! `PARLOR_FREEZE_SECONDS` how long a process is frozen at most, `PARLOR_SEED` which chance.

mod faults;
mod others;
mod talk;
mod truth;
mod world;

use std::ops::Range;
use std::time::Duration;

use parlor_testkit::compose;
use parlor_tests::{Caller, Seed, number};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use faults::Tally;
use world::World;

/// Kills, if `PARLOR_KILLS` does not say; so many in each topology.
const KILLS: u64 = 30;
/// How often something is frozen: after so many kills.
const FREEZE_EVERY: u64 = 15;
/// Seconds that something is frozen at most, if `PARLOR_FREEZE_SECONDS` does not say.
const FREEZE_SECONDS: u64 = 2;
/// How long the server lives: from just started to well into the load.
const LIFE: Range<Duration> = Duration::from_millis(1)..Duration::from_millis(700);
/// How long everything may take to be delivered after the last fault.
const SETTLE: Duration = Duration::from_secs(60);

/// A random moment within these.
async fn a_while(within: Range<Duration>, rng: &mut StdRng) {
    // waits: the random moment is what is tested
    sleep(rng.random_range(within)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_to_g5_hold_over_kills_freezes_and_broken_networks() {
    let seed = Seed::new();
    let kills = number("PARLOR_KILLS").unwrap_or(KILLS);
    let longest = Duration::from_secs(number("PARLOR_FREEZE_SECONDS").unwrap_or(FREEZE_SECONDS));
    let mut rng = seed.rng(0);
    let mut world = World::new().await;
    let mut load = world.load(&seed);
    let mut tally = Tally::default();
    let mut inviting = Caller::new("ada, who invites", world.ada.chat(), world.recorder.clone());
    for kill in 0..kills {
        a_while(LIFE, &mut rng).await;
        if kill % FREEZE_EVERY == FREEZE_EVERY / 2 {
            world.freeze(longest, &mut rng, &mut tally).await;
        }
        if kill == kills / 2 {
            // Under way when the server dies, so that a change of members is interrupted too.
            let invitation = inviting.append(world.group, compose::add(&[world.eve.id()]));
            let (_, ()) = tokio::join!(invitation, world.kill(&mut rng, &mut tally));
        } else {
            world.kill(&mut rng, &mut tally).await;
        }
        if let Some(failed) = load.try_join_next() {
            failed.expect("nobody gives up");
        }
    }
    world.rest(load).await;
    let found = world.check().await;
    println!("{tally}; {found:?}");
    assert!(found.acked as u64 >= 5 * kills, "too little load to prove anything: {found:?}");
    assert!(found.unknown > 0, "no fault ever cut off an answer");
    assert!(kills < KILLS || found.files + found.accounts > 0, "too little was at stake: {found:?}");
}
