//! Two people with two devices each, over networks that are cut, vanish, hang, lag and hardly carry anything, with every app
//! killed and brought back: once the network is well again, all devices agree with each other and with the server, within the
//! 5 s of G6, on entries, receipts, unread, badges, preferences and people.
//!
//! `PARLOR_SEED` names the chance, `PARLOR_ACTIONS` says how much is done.

mod acting;
mod device;
mod story;
mod truth;
mod world;

use std::time::Duration;

use parlor_tests::{Seed, number};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use device::any_fault;
use world::World;

/// What all devices together do between two times of everything being well.
const ACTIONS: usize = 120;
/// How often everything is made well.
const CALMS: usize = 4;
/// What each device does in the test of two.
const ACTIONS_OF_EACH: usize = 200;
/// Seeds of the test of two.
const SEEDS: u64 = 3;

/// Random things on random devices, and random faults; more or fewer of these.
async fn commotion(world: &mut World, actions: usize, faults: f64, rng: &mut StdRng) {
    for number in 0..actions {
        let device = rng.random_range(0..world.devices.len());
        if rng.random_bool(faults) {
            let fault = any_fault(rng);
            world.devices[device].1.suffer(fault).await;
        } else if rng.random_bool(faults) {
            world.devices[device].1.heal().await;
        }
        let device = rng.random_range(0..world.devices.len());
        acting::act(world, device, number, rng).await;
        let pause = Duration::from_millis(rng.random_range(0..20));
        sleep(pause).await; // waits: so that faults meet things that are under way
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g6_all_devices_agree_within_five_seconds_after_whatever_happened() {
    let seed = Seed::new();
    let mut rng = seed.rng(0);
    let actions = number("PARLOR_ACTIONS").unwrap_or(ACTIONS);
    let mut world = World::new(2, 2).await;
    for calm in 0..CALMS {
        commotion(&mut world, actions, 0.15, &mut rng).await;
        let took = world.heal(&format!("commotion {calm}")).await;
        println!("after {actions} actions all agree in {took:.1?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g6_two_devices_of_one_user_end_equal_after_two_hundred_actions_each() {
    let seed = Seed::new();
    for number in 0..number("PARLOR_SEEDS").unwrap_or(SEEDS) {
        let mut rng = seed.rng(number);
        let mut world = World::new(2, 0).await;
        commotion(&mut world, 2 * ACTIONS_OF_EACH, 0.1, &mut rng).await;
        let took = world.heal(&format!("actions of seed {number}")).await;
        println!("seed {number}: both agree in {took:.1?}");
    }
}
