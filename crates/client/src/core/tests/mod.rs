//! The core against a hostile server, from many seeds, and its timers by themselves.
//!
//! A seed decides everything: what the app does, what the server does, what the network does to both. Every run has to
//! end with every device equal to the server. `cargo xtask simulate` runs as many seeds as one likes.

mod alive;
mod server;
mod steps;
mod world;

use std::ops::Range;

use world::{Harm, World};

/// Seeds for [`from_seeds_that_are_asked_for`]: `FIRST..END`.
const SEEDS: &str = "PARLOR_SIMULATE";

fn run(seeds: Range<u64>, harm: impl Fn(u64) -> Harm) {
    for seed in seeds {
        let harm = harm(seed);
        let outcome = std::panic::catch_unwind(|| World::new(seed, harm).run());
        assert!(outcome.is_ok(), "seed {seed} failed");
    }
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    run(0..100, |_| Harm { devices: 1, restore_client: false, restore_server: false });
}

#[test]
fn a_client_put_back_to_an_older_copy_sends_nothing_twice() {
    run(1_000..1_050, |_| Harm { devices: 1, restore_client: true, restore_server: false });
}

#[test]
fn a_server_put_back_to_a_backup_is_followed() {
    run(2_000..2_050, |_| Harm { devices: 1, restore_client: true, restore_server: true });
}

#[test]
fn two_devices_of_one_user_end_alike() {
    run(3_000..3_300, |_| Harm { devices: 2, restore_client: false, restore_server: false });
}

#[test]
fn from_seeds_that_are_asked_for() {
    let asked = std::env::var(SEEDS).unwrap_or_else(|_| "0..10".to_owned());
    let (first, end) = asked.split_once("..").expect("FIRST..END");
    run(first.parse().unwrap()..end.parse().unwrap(), Harm::of);
}
