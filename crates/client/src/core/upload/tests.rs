//! An upload against a model of the server, over a network that loses calls and answers, doubles calls, and a server that
//! crashes, forgets and refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use parlor_types::{Id as _, MediaId};
use parlor_wire::errors::v1::{ErrorReason, Problem};
use parlor_wire::media::v1::{self as media, ByteRange, FinishUploadResponse};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

const PART: u64 = 16;
const WINDOW: u64 = 6 * PART;

fn problem(reason: ErrorReason) -> Problem {
    Problem { reason: reason.into(), ..Problem::default() }
}

fn file(size: u64) -> Vec<u8> {
    (0..size).map(|at| (at * 7 % 251) as u8).collect()
}

/// What the server has of one upload.
struct Shelf {
    id: MediaId,
    /// By offset; those that a crash would take are marked.
    parts: BTreeMap<u64, (Vec<u8>, bool)>,
    finished: bool,
}

struct Server {
    wanted: Vec<u8>,
    shelf: Option<Shelf>,
    /// What CreateUpload answers, so many times.
    refuses: Vec<Problem>,
    /// A file that was changed on the way.
    hash_fails: bool,
    parts_taken: u32,
    made: u8,
}

impl Server {
    fn new(size: u64) -> Self {
        let (wanted, refuses) = (file(size), Vec::new());
        Self { wanted, shelf: None, refuses, hash_fails: false, parts_taken: 0, made: 0 }
    }

    fn shelf(&mut self, id: MediaId) -> Result<&mut Shelf, Problem> {
        let found = self.shelf.as_mut().filter(|shelf| shelf.id == id);
        found.ok_or_else(|| problem(ErrorReason::MediaNotFound))
    }

    fn crash(&mut self) {
        if let Some(shelf) = self.shelf.as_mut().filter(|shelf| !shelf.finished) {
            shelf.parts.retain(|_, (_, synced)| *synced);
        }
    }

    fn sync(&mut self) {
        self.shelf.iter_mut().flat_map(|shelf| shelf.parts.values_mut()).for_each(|part| part.1 = true);
    }

    fn state(&mut self, id: MediaId) -> Result<media::Upload, Problem> {
        let size = self.wanted.len() as u64;
        let shelf = self.shelf(id)?;
        let absent = (0..size).step_by(PART as usize).filter(|offset| !shelf.parts.contains_key(offset));
        let missing = absent.map(|offset| ByteRange { offset, length: PART.min(size - offset) }).collect();
        Ok(media::Upload {
            media_id: id.to_string(),
            part_bytes: PART as u32,
            window_bytes: WINDOW,
            size,
            missing: if shelf.finished { Vec::new() } else { missing },
            finished: shelf.finished,
            expires_at: None,
        })
    }

    fn answer(&mut self, call: UploadCall) -> UploadInput {
        match call {
            UploadCall::Create => UploadInput::State(self.create()),
            UploadCall::Ask(id) => UploadInput::State(self.state(id)),
            UploadCall::Part { media, offset, length } => {
                UploadInput::Part(offset, self.take(media, offset, length))
            }
            UploadCall::Finish(id) => UploadInput::Finished(self.finish(id)),
        }
    }

    fn create(&mut self) -> Result<media::Upload, Problem> {
        if let Some(problem) = self.refuses.pop() {
            return Err(problem);
        }
        if self.shelf.is_none() {
            self.made += 1;
            let id = MediaId::from_bytes([self.made; 16]);
            self.shelf = Some(Shelf { id, parts: BTreeMap::new(), finished: false });
        }
        let id = self.shelf.as_ref().unwrap().id;
        self.state(id)
    }

    fn take(&mut self, id: MediaId, offset: u64, length: u64) -> Result<(), Problem> {
        let size = self.wanted.len() as u64;
        assert!(offset.is_multiple_of(PART) && length == PART.min(size - offset), "on the grid of parts");
        let first_missing = self.state(id)?.missing.first().map_or(size, |range| range.offset);
        if offset >= first_missing + WINDOW {
            return Err(problem(ErrorReason::PartAhead));
        }
        let bytes = self.wanted[offset as usize..(offset + length) as usize].to_vec();
        self.parts_taken += 1;
        self.shelf(id)?.parts.entry(offset).or_insert((bytes, false));
        Ok(())
    }

    fn finish(&mut self, id: MediaId) -> Result<Box<FinishUploadResponse>, Problem> {
        let (wanted, hash_fails) = (self.wanted.clone(), self.hash_fails);
        let shelf = self.shelf(id)?;
        let bytes: Vec<u8> = shelf.parts.values().flat_map(|(bytes, _)| bytes.clone()).collect();
        if bytes.len() < wanted.len() {
            return Err(problem(ErrorReason::UploadIncomplete));
        }
        if hash_fails {
            self.shelf = None;
            return Err(problem(ErrorReason::HashMismatch));
        }
        assert_eq!(bytes, wanted);
        shelf.finished = true;
        let file = media::Media { id: id.to_string(), size: wanted.len() as u64, ..media::Media::default() };
        Ok(Box::new(FinishUploadResponse { media: Some(file), checking: false }))
    }
}

/// How bad the world is, each in 1,000.
#[derive(Clone, Copy, Default)]
struct Faults {
    call_lost: u32,
    answer_lost: u32,
    call_doubled: u32,
    crash: u32,
    expiry: u32,
    /// The program is killed, and begins anew with what it had saved: its op.
    killed: u32,
}

/// Runs to the end, or up to `steps`.
struct Run {
    server: Server,
    upload: Upload,
    calls: Vec<UploadCall>,
    now: Now,
    rng: StdRng,
    waits: Vec<Problem>,
    end: Option<Result<Box<FinishUploadResponse>, Problem>>,
    progress: Vec<Progress>,
}

impl Run {
    fn new(server: Server, seed: u64) -> Self {
        let upload = Upload::new(server.wanted.len() as u64, StdRng::seed_from_u64(seed));
        let (calls, now, rng) = (Vec::new(), Now::ZERO, StdRng::seed_from_u64(!seed));
        let mut run =
            Self { server, upload, calls, now, rng, waits: Vec::new(), end: None, progress: Vec::new() };
        run.input(UploadInput::Timer);
        run
    }

    fn input(&mut self, input: UploadInput) {
        let fx = self.upload.handle(self.now, input);
        self.calls.extend(fx.calls);
        assert!(self.calls.len() <= PARALLEL, "never more under way");
        self.waits.extend(fx.waits);
        self.progress.extend(fx.progress);
        if self.end.is_none() {
            self.end = fx.end;
        }
    }

    fn one_in_thousand(&mut self, chance: u32) -> bool {
        self.rng.random_range(0..1_000) < chance
    }

    fn step(&mut self, faults: Faults) {
        if self.one_in_thousand(faults.crash) {
            self.server.crash();
        }
        if self.one_in_thousand(faults.expiry) && !self.server.shelf.as_ref().is_some_and(|s| s.finished) {
            self.server.shelf = None;
        }
        if self.one_in_thousand(100) {
            self.server.sync();
        }
        if self.one_in_thousand(faults.killed) {
            self.calls.clear();
            let seed = self.rng.random_range(0..u64::MAX);
            self.upload = Upload::new(self.server.wanted.len() as u64, StdRng::seed_from_u64(seed));
            self.input(UploadInput::Timer);
        }
        if self.calls.is_empty() {
            let at = self.upload.deadline().expect("it waits for answers or for time");
            self.now = self.now.max(at);
            return self.input(UploadInput::Timer);
        }
        let call = self.calls.swap_remove(self.rng.random_range(0..self.calls.len()));
        let lost = self.one_in_thousand(faults.call_lost);
        let mut answer = (!lost).then(|| self.server.answer(call));
        if !lost && self.one_in_thousand(faults.call_doubled) {
            answer = Some(self.server.answer(call));
        }
        let answer = match answer.filter(|_| !self.one_in_thousand(faults.answer_lost)) {
            Some(answer) => answer,
            None => lost_answer(call),
        };
        self.input(answer);
    }

    fn until_over(&mut self, faults: Faults, steps: u32) {
        for _ in 0..steps {
            if self.end.is_some() {
                return;
            }
            self.step(faults);
        }
    }
}

fn lost_answer(call: UploadCall) -> UploadInput {
    let problem = problem(ErrorReason::Unavailable);
    match call {
        UploadCall::Create | UploadCall::Ask(_) => UploadInput::State(Err(problem)),
        UploadCall::Part { offset, .. } => UploadInput::Part(offset, Err(problem)),
        UploadCall::Finish(_) => UploadInput::Finished(Err(problem)),
    }
}

#[test]
fn a_file_goes_up_once_when_nothing_fails() {
    let mut run = Run::new(Server::new(10 * PART + 3), 1);
    run.until_over(Faults::default(), 100);
    assert!(run.end.unwrap().is_ok());
    assert_eq!(run.server.parts_taken, 11, "no part twice");
    let done: Vec<_> = run.progress.iter().map(|progress| progress.done).collect();
    assert!(
        done.is_sorted() && done.first() == Some(&0) && done.last() == Some(&(10 * PART + 3)),
        "{done:?}"
    );
    assert!(run.waits.is_empty());
}

#[test]
fn whatever_happens_on_the_way_the_whole_file_arrives() {
    for seed in 0..2_000 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut run = Run::new(Server::new(rng.random_range(1..30 * PART)), seed);
        let mut chance = |most: u32| rng.random_range(0..=most);
        let faults = Faults {
            call_lost: chance(200),
            answer_lost: chance(200),
            call_doubled: chance(200),
            crash: chance(50),
            expiry: 0,
            killed: chance(30),
        };
        run.until_over(faults, 300);
        run.until_over(Faults::default(), 200);
        assert!(matches!(run.end, Some(Ok(_))), "seed {seed}: {:?}", run.upload);
        assert!(run.server.shelf.unwrap().finished);
    }
}

#[test]
fn what_the_server_has_forgotten_is_sent_anew_but_not_for_ever() {
    for seed in 0..200 {
        let mut run = Run::new(Server::new(20 * PART), seed);
        run.until_over(Faults { expiry: 20, ..Faults::default() }, 2_000);
        match run.end.expect("an end") {
            Ok(_) => assert!(u32::from(run.server.made) <= MAX_RESTARTS + 1),
            Err(problem) => {
                assert_eq!(problem.reason(), ErrorReason::MediaNotFound);
                assert!(u32::from(run.server.made) > MAX_RESTARTS, "seed {seed}");
            }
        }
    }
}

#[test]
fn what_was_begun_goes_on_where_it_stopped() {
    let mut run = Run::new(Server::new(20 * PART), 1);
    run.until_over(Faults::default(), 12);
    run.server.sync();
    let before = run.server.parts_taken;
    assert!(before > 5);
    let mut again = Run::new(run.server, 2);
    again.until_over(Faults::default(), 100);
    assert!(matches!(again.end, Some(Ok(_))));
    assert_eq!(again.server.parts_taken, 20, "what was there is not sent again");
    assert_eq!(again.progress[0].done, u64::from(before) * PART, "and counts as done");
}

#[test]
fn a_full_quota_is_waited_for_and_a_wrong_hash_is_the_end() {
    let mut server = Server::new(PART);
    let advised = prost_types::Duration { seconds: 3_600, nanos: 0 };
    server.refuses = vec![
        Problem { retry_after: Some(advised), ..problem(ErrorReason::DailyQuotaExceeded) },
        problem(ErrorReason::QuotaExceeded),
    ];
    let mut run = Run::new(server, 1);
    run.until_over(Faults::default(), 20);
    assert!(matches!(run.end, Some(Ok(_))));
    assert_eq!(run.waits.len(), 2, "and the driver is told of each");
    assert!(run.now >= Duration::from_secs(3_600), "not before the server's advice");

    let mut run = Run::new(Server { hash_fails: true, ..Server::new(3 * PART) }, 1);
    run.until_over(Faults::default(), 20);
    assert_eq!(run.end.unwrap().unwrap_err().reason(), ErrorReason::HashMismatch);
    assert_eq!(run.server.parts_taken, 3, "once");
}

#[test]
fn a_lost_call_slows_it_down_and_parts_that_arrive_speed_it_up() {
    let mut run = Run::new(Server::new(40 * PART), 1);
    run.until_over(Faults::default(), 10);
    assert_eq!(run.calls.len(), PARALLEL);
    run.until_over(Faults { answer_lost: 1_000, ..Faults::default() }, 4);
    assert_eq!((run.calls.len(), run.waits.len()), (0, 1), "four failures are one wait");
    run.step(Faults::default()); // time
    assert!(matches!(run.calls[..], [UploadCall::Ask(_)]), "the server knows what it has");
    run.step(Faults::default());
    assert!(matches!(run.calls[..], [UploadCall::Part { .. }]), "one at a time at first");
}

#[test]
fn nonsense_from_the_server_ends_it() {
    let id = MediaId::from_bytes([1; 16]).to_string();
    let good = media::Upload {
        media_id: id,
        part_bytes: PART as u32,
        window_bytes: WINDOW,
        size: 100,
        ..media::Upload::default()
    };
    for bad in [
        media::Upload { media_id: "x".into(), ..good.clone() },
        media::Upload { part_bytes: 0, ..good.clone() },
        media::Upload { part_bytes: u32::MAX, ..good.clone() },
        media::Upload { size: 99, ..good.clone() },
    ] {
        let mut upload = Upload::new(100, StdRng::seed_from_u64(1));
        upload.handle(Now::ZERO, UploadInput::Timer);
        let fx = upload.handle(Now::ZERO, UploadInput::State(Ok(bad)));
        assert_eq!(fx.end.unwrap().unwrap_err().reason(), ErrorReason::Internal);
        assert!(fx.calls.is_empty() && upload.deadline().is_none());
    }
    let mut upload = Upload::new(100, StdRng::seed_from_u64(1));
    upload.handle(Now::ZERO, UploadInput::Timer);
    let missing = vec![ByteRange { offset: 90, length: u64::MAX }, ByteRange { offset: 500, length: 1 }];
    let fx = upload.handle(Now::ZERO, UploadInput::State(Ok(media::Upload { missing, ..good })));
    let media = MediaId::from_bytes([1; 16]);
    assert_eq!(fx.calls, [UploadCall::Part { media, offset: 80, length: 16 }], "nothing outside the file");
}
