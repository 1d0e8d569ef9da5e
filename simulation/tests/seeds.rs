//! Seeds of the simulation.

use std::ops::Range;

use parlor_simulation::{Points, plan, run, shrunk};

/// Seeds for [`from_seeds_that_are_asked_for`]: `FIRST..END`.
const SEEDS: &str = "PARLOR_SIMULATE";

#[expect(clippy::print_stdout, reason = "shrinking takes a while: whoever waits sees what for")]
fn try_all(seeds: Range<u64>) -> Points {
    let mut points = Points::default();
    for seed in seeds {
        let steps = plan(seed);
        let ended = run(seed, &steps, None);
        points.add(&ended.points);
        let Some(wrong) = ended.wrong else { continue };
        println!("seed {seed} fails, and is shrunk: {wrong}");
        let left = shrunk(&steps, |steps| run(seed, steps, None).wrong.is_some());
        let wrong_still = run(seed, &left, None).wrong.unwrap_or(wrong);
        let left: String = left.iter().map(|planned| format!("  {planned}\n")).collect();
        panic!(
            "seed {seed} failed; repeat it with `cargo xtask simulate system --seed {seed}`. No more steps than these are \
             needed:\n{left}{wrong_still}"
        );
    }
    points
}

#[test]
fn the_same_seed_does_the_same() {
    let traces: Vec<u64> = (0..4).map(|seed| run(seed, &plan(seed), None).trace).collect();
    let again: Vec<u64> = (0..4).map(|seed| run(seed, &plan(seed), None).trace).collect();
    assert_eq!(traces, again);
    let mut different = traces.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), traces.len(), "each seed does something else");
}

#[test]
fn from_seeds_that_are_asked_for() {
    let asked = std::env::var(SEEDS).unwrap_or_else(|_| "0..32".to_owned());
    let (first, end) = asked.split_once("..").expect("FIRST..END");
    let seeds = first.parse().unwrap()..end.parse().unwrap();
    let many = seeds.end - seeds.start >= 32;
    let points = try_all(seeds);
    println!("{points}");
    assert!(!many || points.missing().is_empty(), "no seed got to {:?}", points.missing());
}
