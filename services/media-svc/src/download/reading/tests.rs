use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _};
use parlor_testkit::{PATIENCE, eventually};
use parlor_types::UserId;
use tokio::time::Instant;

use super::*;
use crate::app::testing::noise;
use crate::download::Slots;
use crate::media::random_id;

const LONG: Duration = Duration::from_secs(3600);

/// A file of so many bytes that can be read up to some byte, counting what is.
struct File {
    bytes: Vec<u8>,
    ends: u64,
    read: AtomicU64,
}

impl File {
    fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { bytes: noise(size), ends: u64::MAX, read: AtomicU64::new(0) })
    }

    fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Source for File {
    async fn read(&self, _: MediaId, _: Variant, range: Range<u64>) -> Result<Bytes, BlobError> {
        if range.start >= self.ends {
            return Err(BlobError::Failed("the disk".to_owned()));
        }
        self.read.fetch_add(range.end - range.start, Ordering::SeqCst);
        let place = |byte: u64| usize::try_from(byte).unwrap().min(self.bytes.len());
        Ok(Bytes::copy_from_slice(&self.bytes[place(range.start)..place(range.end)]))
    }
}

async fn start(file: &Arc<File>, range: Range<u64>, slots: &Slots, patience: Duration) -> Reading {
    start_at(file, range, slots, Pace { patience, least_rate: 0, longest: 100 * LONG }).await
}

async fn start_at(file: &Arc<File>, range: Range<u64>, slots: &Slots, pace: Pace) -> Reading {
    let slot = slots.take(UserId::new()).unwrap();
    Reading::start(open(file, range).await, slot, checks(|| Ok(()), || Ok(())), pace)
}

fn checks(
    goes_on: impl Fn() -> Result<(), Ending> + Send + Sync + 'static,
    may: impl Fn() -> Result<(), Cut> + Send + Sync + 'static,
) -> Checks {
    Checks { goes_on: Box::new(goes_on), may: Box::new(move || std::future::ready(may()).boxed()) }
}

async fn open(file: &Arc<File>, range: Range<u64>) -> Blob {
    Blob::open(Arc::clone(file) as _, random_id(), Variant::Original, range).await.unwrap()
}

fn slots() -> Slots {
    Slots::new(10, 10)
}

#[tokio::test]
async fn all_bytes_of_a_range_come_in_pieces_of_64_kib() {
    const SIZE: usize = 3 * STRETCH as usize + 5;
    let file = File::new(SIZE);
    let size = SIZE as u64;
    let piece = PIECE as u64;
    for range in [
        0..size,
        0..1,
        size - 1..size,
        0..piece,
        0..piece + 1,
        7..STRETCH,
        7..STRETCH + 7,
        STRETCH - 1..STRETCH + 1,
        2 * STRETCH..size,
    ] {
        let pieces: Vec<_> = start(&file, range.clone(), &slots(), LONG).await.collect().await;
        let pieces: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
        let (last, others) = pieces.split_last().unwrap();
        assert!(others.iter().all(|piece| piece.len() == PIECE) && last.len() <= PIECE, "{range:?}");
        let wanted = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert!(pieces.concat() == file.bytes[wanted], "{range:?}: other bytes");
    }
}

#[tokio::test]
async fn g8_no_more_is_read_than_a_stretch_and_what_is_being_given() {
    let file = File::new(10 * STRETCH as usize);
    let mut reading = start(&file, 0..10 * STRETCH, &slots(), LONG).await;
    for stretch in 1..10 {
        let wanted = stretch * STRETCH;
        eventually("the next stretch is read", PATIENCE, async || file.read() == wanted).await;
        for _ in 0..4 {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let most = wanted + STRETCH;
            assert!(file.read() <= most, "G8: {} bytes were read where {most} would do", file.read());
            reading.next().await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn g8_a_reader_that_takes_nothing_is_let_go_and_told_so() {
    let (slots, file) = (slots(), File::new(10 * PIECE));
    let mut reading = start(&file, 0..10 * PIECE as u64, &slots, Duration::from_secs(60)).await;
    reading.next().await.unwrap().unwrap();
    // On a paused clock this passes as soon as nothing else can go on.
    tokio::time::sleep(Duration::from_secs(61)).await; // waits: the reader's patience
    assert_eq!(slots.in_use(), 0, "G8: it still holds its place");
    reading.next().await.unwrap().unwrap();
    assert_eq!(reading.next().await, Some(Err(Cut::Stalled)), "and not the end of the file");
    assert_eq!(reading.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_that_takes_something_gets_all_of_it() {
    let file = File::new(10 * PIECE);
    let mut reading = start(&file, 0..10 * PIECE as u64, &slots(), Duration::from_secs(60)).await;
    let mut pieces = 0;
    while let Some(piece) = reading.next().await {
        assert_eq!(piece.unwrap().len(), PIECE);
        pieces += 1;
        tokio::time::sleep(Duration::from_secs(50)).await; // waits: less than the patience, each time
    }
    assert_eq!(pieces, 10);
}

#[tokio::test]
async fn g7_a_session_that_ends_gets_nothing_more() {
    let ended = Arc::new(AtomicBool::new(false));
    let goes_on = {
        let ended = Arc::clone(&ended);
        move || if ended.load(Ordering::SeqCst) { Err(Ending::SessionEnded) } else { Ok(()) }
    };
    let file = File::new(100 * PIECE);
    let slot = slots().take(UserId::new()).unwrap();
    let pace = Pace { patience: LONG, least_rate: 0, longest: LONG };
    let checks = checks(goes_on, || Ok(()));
    let mut reading = Reading::start(open(&file, 0..100 * PIECE as u64).await, slot, checks, pace);
    reading.next().await.unwrap().unwrap();
    ended.store(true, Ordering::SeqCst);
    let rest: Vec<_> = reading.collect().await;
    assert_eq!(rest.last(), Some(&Err(Cut::Session(Ending::SessionEnded))), "G7");
    assert!(rest.len() <= 3, "G7: {} pieces after the end", rest.len());
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_to_its_end_is_a_fault() {
    let short = File::new(STRETCH as usize + 300);
    let read: Vec<_> = start(&short, 0..STRETCH + 301, &slots(), LONG).await.collect().await;
    assert_eq!((read.len(), read.last()), (5, Some(&Err(Cut::Unreadable))));

    let broken =
        Arc::new(File { bytes: noise(2 * STRETCH as usize), ends: STRETCH, read: AtomicU64::new(0) });
    let read: Vec<_> = start(&broken, 0..2 * STRETCH, &slots(), LONG).await.collect().await;
    assert_eq!((read.len(), read.last()), (5, Some(&Err(Cut::Unreadable))));

    let gone = Blob::open(broken as _, random_id(), Variant::Original, STRETCH..2 * STRETCH).await;
    assert!(matches!(gone, Err(BlobError::Failed(_))), "at once, where it is so at once");
}

#[tokio::test]
async fn dropping_it_ends_the_reading() {
    let (slots, file) = (slots(), File::new(100 * PIECE));
    drop(start(&file, 0..100 * PIECE as u64, &slots, LONG).await);
    eventually("the place is free", PATIENCE, async || slots.in_use() == 0).await;
}

#[tokio::test]
async fn nothing_is_no_bytes_and_no_fault() {
    assert!(Reading::nothing().next().await.is_none());
}

/// Takes a piece every so often until it breaks off: how many, how long that took, and why.
async fn take_slowly(mut reading: Reading, every: Duration) -> (u32, Duration, Option<Cut>) {
    let (began, mut pieces) = (Instant::now(), 0);
    while let Some(piece) = reading.next().await {
        match piece {
            Ok(_) => pieces += 1,
            Err(cut) => return (pieces, began.elapsed(), Some(cut)),
        }
        tokio::time::sleep(every).await; // waits: as slow a reader as the test wants
    }
    (pieces, began.elapsed(), None)
}

#[tokio::test(start_paused = true)]
async fn g8_a_reader_below_the_least_rate_is_let_go_and_one_above_is_not() {
    let (slots, file) = (slots(), File::new(100 * PIECE));
    let all = 0..100 * PIECE as u64;
    let pace = Pace { patience: Duration::from_secs(60), least_rate: PIECE as u64, longest: LONG };
    let reading = start_at(&file, all.clone(), &slots, pace).await;
    let (pieces, took, cut) = take_slowly(reading, Duration::from_secs(10)).await;
    assert_eq!(cut, Some(Cut::Stalled), "G8: it keeps its place");
    assert!(pieces >= 6 && took < Duration::from_secs(120), "G8: {pieces} pieces in {took:?}");
    let reading = start_at(&file, all, &slots, pace).await;
    let (pieces, _, cut) = take_slowly(reading, Duration::from_millis(900)).await;
    assert_eq!((pieces, cut), (100, None));
    assert_eq!(slots.in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn g8_no_reading_lives_longer_than_the_longest() {
    let file = File::new(1000 * PIECE);
    let pace = Pace { patience: LONG, least_rate: 0, longest: Duration::from_secs(100) };
    let reading = start_at(&file, 0..1000 * PIECE as u64, &slots(), pace).await;
    let (pieces, took, cut) = take_slowly(reading, Duration::from_secs(1)).await;
    assert_eq!(cut, Some(Cut::Stalled), "G8: after {took:?}");
    assert!((95..=105).contains(&pieces), "{pieces} in {took:?}");
}

#[tokio::test(start_paused = true)]
async fn g7_who_may_have_it_no_more_gets_nothing_more_within_a_minute_or_so() {
    let file = File::new(1000 * PIECE);
    for cut in [Cut::Gone, Cut::Unanswered] {
        let slot = slots().take(UserId::new()).unwrap();
        let pace = Pace { patience: LONG, least_rate: 0, longest: 100 * LONG };
        let checks = checks(|| Ok(()), move || Err(cut));
        let reading = Reading::start(open(&file, 0..1000 * PIECE as u64).await, slot, checks, pace);
        let (_, took, why) = take_slowly(reading, Duration::from_secs(5)).await;
        assert_eq!(why, Some(cut), "G7");
        assert!(took <= ASK_EVERY + Duration::from_secs(20), "G7: after {took:?}");
    }
}
