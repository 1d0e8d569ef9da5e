//! Seeds of the simulation.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use parlor_simulation::{Points, plan, run, shrunk};

/// Seeds for [`from_seeds_that_are_asked_for`]: `FIRST..END`.
const SEEDS: &str = "PARLOR_SIMULATE";

/// What a run met, or all that there is to say of a seed that fails.
#[expect(clippy::print_stdout, reason = "shrinking takes a while: whoever waits sees what for")]
fn try_one(seed: u64) -> Result<Points, String> {
    let steps = plan(seed);
    let ended = run(seed, &steps, None);
    let Some(wrong) = ended.wrong else { return Ok(ended.points) };
    println!("seed {seed} fails, and is shrunk: {wrong}");
    let left = shrunk(&steps, |steps| run(seed, steps, None).wrong.is_some());
    let wrong_still = run(seed, &left, None).wrong.unwrap_or(wrong);
    let left: String = left.iter().map(|planned| format!("  {planned}\n")).collect();
    Err(format!(
        "seed {seed} failed; repeat it with `cargo xtask simulate system --seed {seed}`. No more steps than these are \
         needed:\n{left}{wrong_still}"
    ))
}

/// One after the other on each processor, until one fails.
fn try_all(seeds: Range<u64>) -> Points {
    let (next, met) = (AtomicU64::new(seeds.start), Mutex::new(Ok(Points::default())));
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= seeds.end {
            return;
        }
        let tried = try_one(seed);
        let mut met = met.lock().expect("nobody panics while it is held");
        match (&mut *met, tried) {
            (Ok(points), Ok(more)) => points.add(&more),
            (Ok(_), Err(failed)) => {
                next.store(seeds.end, Ordering::Relaxed);
                *met = Err(failed);
            }
            (Err(_), _) => {}
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    met.into_inner().expect("as above").unwrap_or_else(|failed| panic!("{failed}"))
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
    let asked = std::env::var(SEEDS).unwrap_or_else(|_| "0..500".to_owned());
    let (first, end) = asked.split_once("..").expect("FIRST..END");
    let seeds = first.parse().unwrap()..end.parse().unwrap();
    let many = seeds.end - seeds.start >= 32;
    let points = try_all(seeds);
    println!("{points}");
    assert!(!many || points.missing().is_empty(), "no seed got to {:?}", points.missing());
}
