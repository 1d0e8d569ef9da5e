//! Every target, over the bytes it begins with, over all that was kept of what a search found, and over both spoilt at random.
//!
//! `PARLOR_SPOILT` says by which seeds (`1000..2000`), and `PARLOR_SPOILT_TARGET` for which target alone: where there is no nightly
//! Rust, that is a search too, if one without a map.

use std::fs;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use parlor_hostile::{ALL, Target};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// The seeds by which bytes are spoilt for each target, if `PARLOR_SPOILT` does not say.
const SPOILT: Range<u64> = 0..300;
/// Bytes and numbers at which things break.
const BORDERS: [u8; 8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, b'"', b'.'];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// What was kept for a target; nothing, if nothing was yet.
fn kept(target: &Target) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(corpus().join(target.name)) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    paths
}

#[test]
fn g8_bytes_that_were_kept_break_nothing() {
    assert!(ALL.iter().any(|target| !kept(target).is_empty()), "there is no corpus");
    for target in &ALL {
        for path in kept(target) {
            let bytes = fs::read(&path).unwrap();
            println!("{}", path.display()); // says which, if it panics
            (target.run)(&bytes);
        }
    }
}

#[test]
fn g8_what_good_clients_send_and_its_beginnings_break_nothing() {
    for target in &ALL {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}: a search begins with nothing", target.name);
        for seed in seeds {
            assert!(seed.len() <= target.max_len, "{}: a seed of {} bytes", target.name, seed.len());
            println!("{}: a seed of {} bytes", target.name, seed.len());
            (target.run)(&seed);
            for length in [0, 1, seed.len() / 2, seed.len().saturating_sub(1)] {
                (target.run)(&seed[..length.min(seed.len())]);
            }
        }
    }
}

#[test]
fn every_folder_of_the_corpus_is_of_a_target() {
    let folders = fs::read_dir(corpus()).unwrap();
    for folder in folders {
        let name = folder.unwrap().file_name();
        assert!(Target::named(name.to_str().unwrap()).is_some(), "{name:?} is of no target");
    }
}

#[test]
fn g8_bytes_that_were_spoilt_break_nothing() {
    let seeds = std::env::var("PARLOR_SPOILT").map_or(SPOILT, |text| range(&text));
    let only = std::env::var("PARLOR_SPOILT_TARGET").ok();
    for target in ALL.iter().filter(|target| only.as_deref().is_none_or(|only| only == target.name)) {
        let kept = kept(target).into_iter().map(|path| fs::read(path).expect("it is there"));
        let good: Vec<Vec<u8>> = (target.seeds)().into_iter().chain(kept).collect();
        for seed in seeds.clone() {
            let bytes = spoilt(&good, target.max_len, seed);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))) {
                let path = std::env::temp_dir().join(format!("parlor-{}-{seed}", target.name));
                fs::write(&path, &bytes).expect("a temporary file");
                eprintln!("{} breaks: the bytes are in {}", target.name, path.display());
                resume_unwind(panic);
            }
        }
        println!("{}: spoilt {} times", target.name, seeds.end - seeds.start);
    }
}

fn range(text: &str) -> Range<u64> {
    let (first, end) = text.split_once("..").expect("PARLOR_SPOILT is like 1000..2000");
    first.parse().expect("a number")..end.parse().expect("a number")
}

/// One of these, with a few things done to it.
fn spoilt(good: &[Vec<u8>], max_len: usize, seed: u64) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let pick = |rng: &mut StdRng| good[rng.random_range(0..good.len())].clone();
    let mut bytes = pick(&mut rng);
    for _ in 0..rng.random_range(1..8) {
        let at = rng.random_range(0..=bytes.len());
        let to = (at + rng.random_range(0..32)).min(bytes.len());
        match rng.random_range(0..8) {
            0 => drop(bytes.drain(at..to)),
            1 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            2 => {
                let other = pick(&mut rng);
                let from = rng.random_range(0..=other.len());
                let end = (from + rng.random_range(0..256)).min(other.len());
                bytes.splice(at..to, other[from..end].iter().copied());
            }
            3 => {
                let mut any = vec![0; rng.random_range(1..16)];
                rng.fill_bytes(&mut any);
                bytes.splice(at..at, any);
            }
            4 => bytes.truncate(at),
            5 => bytes[at..to].fill(BORDERS[rng.random_range(0..BORDERS.len())]),
            6 => bytes[at..to].iter_mut().for_each(|byte| *byte = rng.random()),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        }
    }
    bytes.truncate(max_len);
    bytes
}
