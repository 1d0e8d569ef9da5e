//! Seeds of the simulated network.

use std::ops::Range;
use std::time::Instant;

use parlor_turmoil::{Points, plan, run};

/// Seeds for [`from_seeds_that_are_asked_for`]: `FIRST..END`.
const SEEDS: &str = "PARLOR_SIMULATE";
/// So many are tried if nobody asks for others.
const FEW: u64 = 4;
/// So many get everywhere.
const MANY: u64 = 30;

#[expect(clippy::print_stdout, reason = "whoever asks for seeds wants to see how they went")]
fn try_all(seeds: Range<u64>) -> Points {
    let mut points = Points::default();
    for seed in seeds {
        let (plan, began) = (plan(seed), Instant::now());
        let ended = run(&plan, None);
        points.add(&ended.points);
        println!("seed {seed}: {:?}, back after {:?}, {:.1?}", plan.kind, ended.back_after, began.elapsed());
        let Some(wrong) = ended.wrong else { continue };
        let steps: String = plan.steps.iter().map(|planned| format!("  {planned}\n")).collect();
        panic!(
            "seed {seed} failed; repeat it with `cargo xtask simulate turmoil --seed {seed}`. These are its steps:\n\
             {steps}{wrong}"
        );
    }
    points
}

#[test]
fn from_seeds_that_are_asked_for() {
    let asked = std::env::var(SEEDS).unwrap_or_else(|_| format!("0..{FEW}"));
    let (first, end) = asked.split_once("..").expect("FIRST..END");
    let seeds = first.parse().unwrap()..end.parse().unwrap();
    let many = seeds.end - seeds.start >= MANY;
    let points = try_all(seeds);
    println!("{points}");
    assert!(!many || points.missing().is_empty(), "no seed got to {:?}", points.missing());
}
