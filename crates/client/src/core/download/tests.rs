//! A download from a model of the server that cuts, changes its bytes, and answers wrongly.

use parlor_wire::errors::v1::{ErrorReason, Problem};
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// Equal bytes have equal sums, which is all that is asked of a hash here.
fn sha(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    for (at, byte) in bytes.iter().enumerate() {
        sum[at % 32] = u8::wrapping_add(sum[at % 32], byte.wrapping_mul(1 + (at / 32) as u8));
    }
    sum
}

fn expected(bytes: &[u8]) -> Expected {
    Expected { size: bytes.len() as u64, sha256: sha(bytes) }
}

fn start(bytes: &[u8], offset: u64) -> DownloadStart {
    let (size, sha256) = (bytes.len() as u64, sha(bytes).to_vec().into());
    DownloadStart { size, sha256, media_type: String::new(), offset }
}

/// The driver with its file, and the server.
struct Run {
    download: Download,
    remote: Vec<u8>,
    /// What is on disk, and what was saved with it.
    local: Vec<u8>,
    saved: Option<Expected>,
    /// Where the answer under way stands.
    answering: Option<u64>,
    now: Now,
    rng: StdRng,
    end: Option<Result<Expected, Problem>>,
    bytes_sent: u64,
}

impl Run {
    fn new(remote: Vec<u8>, seed: u64) -> Self {
        let download = Download::new(0, None, StdRng::seed_from_u64(seed));
        let (local, rng) = (Vec::new(), StdRng::seed_from_u64(!seed));
        let (now, bytes_sent) = (Now::ZERO, 0);
        Self { download, remote, local, saved: None, answering: None, now, rng, end: None, bytes_sent }
    }

    fn input(&mut self, input: DownloadInput) {
        let fx = self.download.handle(self.now, input);
        if fx.hang_up {
            self.answering = None;
        }
        if let Some((length, saved)) = fx.keep {
            self.local.truncate(length as usize);
            assert_eq!(self.local.len() as u64, length, "nothing is skipped");
            self.saved = saved;
        }
        if let Some((offset, if_sha256)) = fx.ask {
            let same = if_sha256.is_none_or(|wanted| wanted == sha(&self.remote));
            let offset = if same { offset } else { 0 };
            self.answering = Some(offset);
            self.input(DownloadInput::Start(start(&self.remote, offset)));
        }
        if let Some(expected) = fx.check {
            assert_eq!(expected.size, self.local.len() as u64);
            self.input(DownloadInput::Checked(sha(&self.local) == expected.sha256));
        }
        if self.end.is_none() {
            self.end = fx.end;
        }
    }

    /// One thing happens.
    fn step(&mut self, faulty: bool) {
        let Some(offset) = self.answering else {
            self.now = self.download.deadline().unwrap_or(self.now).max(self.now);
            return self.input(DownloadInput::Timer);
        };
        match self.rng.random_range(0..if faulty { 10 } else { 6 }) {
            6 | 7 => {
                self.answering = None;
                let problem = Problem { reason: ErrorReason::Unavailable.into(), ..Problem::default() };
                self.input(DownloadInput::Ended(Err(problem)));
            }
            8 => {
                self.answering = None;
                self.input(DownloadInput::Ended(Ok(())));
            }
            // Killed: another run begins with what is saved, and has perhaps lost the end of the file.
            9 => {
                self.answering = None;
                let keep = self.rng.random_range(0..=self.local.len());
                self.local.truncate(keep);
                let seed = self.rng.random_range(0..u64::MAX);
                self.download = Download::new(keep as u64, self.saved, StdRng::seed_from_u64(seed));
            }
            _ => {
                let length = self.rng.random_range(1..40).min(self.remote.len() - offset as usize);
                let bytes = &self.remote[offset as usize..offset as usize + length];
                self.local.extend_from_slice(bytes);
                self.bytes_sent += length as u64;
                self.answering = Some(offset + length as u64);
                self.input(DownloadInput::Written(length as u64));
            }
        }
    }
}

#[test]
fn whatever_is_cut_the_right_bytes_come() {
    for seed in 0..2_000 {
        let mut rng = StdRng::seed_from_u64(seed);
        let size = rng.random_range(0..600);
        let remote: Vec<u8> = (0..size).map(|at| (at * 13 % 251) as u8).collect();
        let mut run = Run::new(remote, seed);
        for step in 0..400 {
            if run.end.is_some() {
                break;
            }
            run.step(step < 200);
        }
        assert_eq!(run.end, Some(Ok(expected(&run.remote))), "seed {seed}: {:?}", run.download);
        assert_eq!(run.local, run.remote);
    }
}

#[test]
fn it_goes_on_where_it_stopped_and_begins_anew_when_the_bytes_are_others() {
    let remote: Vec<u8> = (0..=255).collect();
    let mut run = Run::new(remote.clone(), 1);
    for _ in 0..4 {
        run.step(false);
    }
    let before = run.bytes_sent;
    assert!(before > 0 && run.end.is_none());
    let again = |run: &Run, remote: &[u8]| {
        let rng = StdRng::seed_from_u64(2);
        let download = Download::new(run.local.len() as u64, run.saved, rng);
        let mut again =
            Run { download, local: run.local.clone(), saved: run.saved, ..Run::new(remote.to_vec(), 3) };
        while again.end.is_none() {
            again.step(false);
        }
        again
    };
    let same = again(&run, &remote);
    assert_eq!((same.local, same.bytes_sent), (remote.clone(), 256 - before), "the rest alone");
    let other: Vec<u8> = remote.iter().rev().copied().collect();
    let anew = again(&run, &other);
    assert_eq!((anew.local, anew.bytes_sent), (other, 256), "all of it");
}

#[test]
fn damage_is_mended_once_and_then_said() {
    let mut download = Download::new(4, Some(expected(b"abcd")), StdRng::seed_from_u64(1));
    let fx = download.handle(Now::ZERO, DownloadInput::Timer);
    assert_eq!((fx.check, fx.ask), (Some(expected(b"abcd")), None), "all is there: only look at it");
    let fx = download.handle(Now::ZERO, DownloadInput::Checked(false));
    assert_eq!(fx.keep, Some((0, None)), "worth nothing");
    let now = download.deadline().unwrap();
    assert_eq!(download.handle(now, DownloadInput::Timer).ask, Some((0, None)));
    download.handle(now, DownloadInput::Start(start(b"abcd", 0)));
    assert!(download.handle(now, DownloadInput::Written(4)).check.is_some());
    let end = download.handle(now, DownloadInput::Checked(false)).end;
    assert_eq!(end.unwrap().unwrap_err().reason(), ErrorReason::HashMismatch);
    assert_eq!(download.deadline(), None);
}

#[test]
fn a_refusal_is_the_end_and_a_scanner_is_waited_for() {
    let refusal = |reason: ErrorReason, retry_after| {
        let mut download = Download::new(0, None, StdRng::seed_from_u64(1));
        download.handle(Now::ZERO, DownloadInput::Timer);
        let problem = Problem { reason: reason.into(), retry_after, ..Problem::default() };
        let fx = download.handle(Now::ZERO, DownloadInput::Ended(Err(problem)));
        (fx.end.is_some(), download.deadline())
    };
    assert_eq!(refusal(ErrorReason::MediaNotFound, None), (true, None));
    assert_eq!(refusal(ErrorReason::MediaRefused, None), (true, None));
    let (over, at) =
        refusal(ErrorReason::MediaChecking, Some(prost_types::Duration { seconds: 9, nanos: 0 }));
    assert!(!over && at.unwrap() >= Now::from_secs(9));
}

#[test]
fn bytes_are_never_joined_with_others() {
    let held = Some(expected(b"abcdef"));
    let answers = [start(b"abcdef", 2), start(b"uvwxyz", 3), start(b"abcdef", 5)];
    for wrong in answers {
        let mut download = Download::new(3, held, StdRng::seed_from_u64(1));
        let asked = download.handle(Now::ZERO, DownloadInput::Timer).ask;
        assert_eq!(asked, Some((3, Some(sha(b"abcdef")))));
        let fx = download.handle(Now::ZERO, DownloadInput::Start(wrong));
        assert!(fx.hang_up && fx.keep == Some((0, None)));
    }
    let mut download = Download::new(3, held, StdRng::seed_from_u64(1));
    download.handle(Now::ZERO, DownloadInput::Timer);
    download.handle(Now::ZERO, DownloadInput::Start(start(b"abcdef", 3)));
    assert!(download.handle(Now::ZERO, DownloadInput::Written(4)).hang_up, "more than there are");
}
