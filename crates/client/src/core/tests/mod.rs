//! The core against a hostile server, from many seeds, and its timers by themselves.

mod server;
mod steps;
mod world;

use world::{Harm, World};

fn run(seeds: std::ops::Range<u64>, harm: Harm) {
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| World::new(seed, harm).run());
        assert!(outcome.is_ok(), "seed {seed} failed");
    }
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    run(0..150, Harm { restore_client: false, restore_server: false });
}

#[test]
fn a_client_put_back_to_an_older_copy_sends_nothing_twice() {
    run(1_000..1_100, Harm { restore_client: true, restore_server: false });
}

#[test]
fn a_server_put_back_to_a_backup_is_followed() {
    run(2_000..2_100, Harm { restore_client: true, restore_server: true });
}
