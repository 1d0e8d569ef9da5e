use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::stream;
use parlor_types::UserId;
use parlor_testkit::{PATIENCE, eventually};

use super::*;
use crate::download::Slots;

const LONG: Duration = Duration::from_secs(3600);

/// `chunks` chunks of `size` bytes, counting how many bytes have been read.
fn blob(
    chunks: u64,
    size: usize,
    read: &Arc<AtomicU64>,
) -> impl Stream<Item = Result<Bytes, BlobError>> + Send + Unpin + use<> {
    let read = Arc::clone(read);
    Box::pin(stream::iter(0..chunks).map(move |number| {
        read.fetch_add(size as u64, Ordering::SeqCst);
        Ok(Bytes::from(vec![number.to_le_bytes()[0]; size]))
    }))
}

fn slots() -> Slots {
    Slots::new(10, 10)
}

fn start(
    bytes: impl Stream<Item = Result<Bytes, BlobError>> + Send + Unpin + 'static,
    length: u64,
    slots: &Slots,
    patience: Duration,
) -> Reading {
    Reading::start(bytes, length, slots.take(UserId::new()).unwrap(), || Ok(()), patience)
}

#[tokio::test]
async fn pieces_have_64_kib_whatever_the_chunks_are() {
    for (chunks, size) in [(100, 8 * 1024), (7, 100_000), (1, 1), (1, PIECE), (2, PIECE), (1, 1 << 20), (3, PIECE + 1)] {
        let length = chunks * size as u64;
        let pieces: Vec<_> = start(blob(chunks, size, &Arc::default()), length, &slots(), LONG).collect().await;
        let pieces: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
        let (last, others) = pieces.split_last().unwrap();
        assert!(others.iter().all(|piece| piece.len() == PIECE) && last.len() <= PIECE, "{chunks} of {size}");
        let wanted: Vec<u8> = (0..chunks).flat_map(|number| vec![number.to_le_bytes()[0]; size]).collect();
        assert!(pieces.concat() == wanted, "{chunks} of {size}: other bytes");
    }
}

#[tokio::test]
async fn g8_no_more_is_read_than_two_pieces_ahead() {
    let read = Arc::<AtomicU64>::default();
    let mut reading = start(blob(1000, PIECE, &read), 1000 * PIECE as u64, &slots(), LONG);
    for taken in 0..50 {
        let ahead = |read: &AtomicU64| read.load(Ordering::SeqCst).saturating_sub(taken * PIECE as u64);
        // One waits in the channel, one waits to get in.
        eventually("what may be read ahead is", PATIENCE, async || ahead(&read) == 2 * PIECE as u64).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ahead(&read), 2 * PIECE as u64, "G8: a reader that takes nothing is read ahead for");
        reading.next().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn g8_a_reader_that_takes_nothing_is_let_go_and_told_so() {
    let slots = slots();
    let read = Arc::<AtomicU64>::default();
    let mut reading = start(blob(10, PIECE, &read), 10 * PIECE as u64, &slots, Duration::from_secs(60));
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
    let mut reading = start(blob(10, PIECE, &Arc::default()), 10 * PIECE as u64, &slots(), Duration::from_secs(60));
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
    let slot = slots().take(UserId::new()).unwrap();
    let bytes = blob(1000, PIECE, &Arc::default());
    let mut reading = Reading::start(bytes, 1000 * PIECE as u64, slot, goes_on, LONG);
    reading.next().await.unwrap().unwrap();
    ended.store(true, Ordering::SeqCst);
    let rest: Vec<_> = reading.collect().await;
    assert_eq!(rest.last(), Some(&Err(Cut::Session(Ending::SessionEnded))), "G7");
    assert!(rest.len() <= 3, "G7: {} pieces after the end", rest.len());
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_to_its_end_is_a_fault() {
    let short = blob(3, 100, &Arc::default());
    let read: Vec<_> = start(short, 301, &slots(), LONG).collect().await;
    assert_eq!(read, [Err(Cut::Unreadable)]);

    let broken = Box::pin(stream::iter([
        Ok(Bytes::from(vec![0; PIECE])),
        Err(BlobError::Failed("the disk".to_owned())),
    ]));
    let read: Vec<_> = start(broken, 2 * PIECE as u64, &slots(), LONG).collect().await;
    assert_eq!(read[1..], [Err(Cut::Unreadable)]);
}

#[tokio::test]
async fn dropping_it_ends_the_reading() {
    let slots = slots();
    let reading = start(blob(1000, PIECE, &Arc::default()), 1000 * PIECE as u64, &slots, LONG);
    drop(reading);
    eventually("the place is free", PATIENCE, async || slots.in_use() == 0).await;
}

#[tokio::test]
async fn nothing_is_no_bytes_and_no_fault() {
    assert!(Reading::nothing().next().await.is_none());
}
