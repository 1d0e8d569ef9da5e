//! The parent holds children to their limits, whatever they are.

use std::path::Path;
use std::time::{Duration, Instant};

use parlor_preview::{InspectError, Limits, Wanted};

use super::{Bench, CHILD, corpus};

fn limits() -> Limits {
    Limits {
        jobs: 1,
        waiting: 1,
        wait: Duration::from_secs(60),
        time: Duration::from_secs(60),
        output_bytes: 1 << 20,
        turned_bytes: 1 << 20,
        turned_avatar_bytes: 1 << 20,
    }
}

fn photo() -> Vec<u8> {
    corpus::photo_jpeg(&corpus::photo(40, 30), 1)
}

#[tokio::test]
async fn a_child_that_does_not_end_is_killed() {
    let bench = Bench::with(Limits { time: Duration::from_millis(300), ..limits() }, &["/bin/sleep", "1000"]);
    let began = Instant::now();
    let answer = bench.inspect(&photo(), Wanted::Image).await;
    assert!(matches!(answer, Err(InspectError::Busy)), "{answer:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

/// So that a wrong command does not make every upload look damaged.
#[tokio::test]
async fn a_child_that_talks_nonsense_or_for_ever_is_a_failure() {
    for script in ["cat /dev/zero", "cat /dev/urandom", "echo '{}'", "true", "exit 1", "kill -9 $$"] {
        let bench = Bench::with(limits(), &["/bin/sh", "-c", script]);
        let answer = bench.inspect(&photo(), Wanted::Image).await;
        assert!(matches!(answer, Err(InspectError::Failed(_))), "{script}: {answer:?}");
        assert!(bench.written().is_empty(), "{script} left something");
    }
}

#[tokio::test]
async fn what_a_child_dies_of_is_unreadable() {
    let begin = r#"printf '\000\000\000\000\024{"Begin":"Original"}'; printf '\001\000\000\000\002xy'"#;
    for after in ["kill -9 $$", "exit 1", "cat /dev/zero", "cat /dev/urandom"] {
        let bench = Bench::with(limits(), &["/bin/sh", "-c", &format!("{begin}; {after}")]);
        let answer = bench.inspect(&photo(), Wanted::Image).await;
        assert!(matches!(answer, Err(InspectError::Unreadable)), "{after}: {answer:?}");
        assert!(bench.written().is_empty(), "{after} left something");
    }
}

#[tokio::test]
async fn a_child_that_cannot_be_started_is_a_failure() {
    for command in [&["/does/not/exist"][..], &[]] {
        let answer = Bench::with(limits(), command).inspect(&photo(), Wanted::Image).await;
        assert!(matches!(answer, Err(InspectError::Failed(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_written_is_bounded() {
    let bench = Bench::with(Limits { output_bytes: 500, ..limits() }, &[CHILD]);
    let answer = bench.inspect(&photo(), Wanted::Image).await;
    assert!(matches!(answer, Err(InspectError::Unreadable)), "{answer:?}");
    let written: usize = bench.written().iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(written <= 500, "{written} bytes");
}

/// If there is room for the picture but not for its thumbnails, it has none.
#[tokio::test]
async fn the_picture_goes_before_its_likeness() {
    let picture = corpus::photo(400, 300);
    let bytes = corpus::photo_jpeg(&picture, 1);
    let bench = Bench::with(Limits { output_bytes: bytes.len() as u64 + 100, ..limits() }, &[CHILD]);
    let inspected = bench.inspect(&bytes, Wanted::Image).await.expect("it is a picture");
    let Some(parlor_preview::Preview::Image { width, height, thumbhash, thumbnails, .. }) = inspected.preview
    else {
        panic!("it is a picture")
    };
    assert_eq!((width, height), (400, 300));
    assert!(thumbhash.is_empty() && thumbnails.is_empty());
    assert_eq!(bench.written().len(), 1, "the original alone");
}

/// What would grow beyond what may be uploaded stays as it is, and says how it is to be turned.
#[tokio::test]
async fn a_picture_that_would_grow_is_not_turned() {
    let photo = corpus::photo_jpeg(&corpus::photo(400, 300), 6);
    let few = 1_000;
    for (wanted, turned_bytes, turned_avatar_bytes) in
        [(Wanted::Image, few, 1 << 20), (Wanted::Avatar, 1 << 20, few)]
    {
        for is_small in [true, false] {
            let (turned_bytes, turned_avatar_bytes) =
                if is_small { (turned_bytes, turned_avatar_bytes) } else { (1 << 20, 1 << 20) };
            let limits = Limits { turned_bytes, turned_avatar_bytes, ..limits() };
            let bench = Bench::with(limits, &[CHILD]);
            let inspected = bench.inspect(&photo, wanted).await.expect("it is a picture");
            let Some(parlor_preview::Preview::Image { width, height, thumbnails, .. }) = inspected.preview
            else {
                panic!("it is a picture")
            };
            assert_eq!((width, height, thumbnails.len()), (300, 400, 1), "as it is to be shown");
            let original = super::read(&bench.output().join("original"));
            let reader = image::ImageReader::new(std::io::Cursor::new(&original)).with_guessed_format();
            let mut decoder = reader.expect("it is in memory").into_decoder().expect("it is a picture");
            let dimensions = image::ImageDecoder::dimensions(&decoder);
            let says = image::ImageDecoder::orientation(&mut decoder).expect("it can be read");
            let expected = if is_small { ((400, 300), 6) } else { ((300, 400), 1) };
            assert_eq!((dimensions, says.to_exif()), expected, "{wanted:?}");
            assert_eq!(corpus::secret_in(&original), None);
            assert_eq!(bench.written().len(), 2, "nothing of what was begun is left");
        }
    }
}

#[tokio::test]
async fn more_than_may_wait_are_turned_away() {
    let limits = Limits { wait: Duration::from_millis(200), time: Duration::from_secs(3), ..limits() };
    let bench = Bench::with(limits, &["/bin/sleep", "1000"]);
    let input = bench.folder.path().join("photo.jpg");
    std::fs::write(&input, photo()).expect("it is written");
    let inspect = || bench.inspector.inspect(&input, Wanted::Image, "", bench.folder.path());
    let timed = || async {
        let began = Instant::now();
        let answer = inspect().await;
        assert!(matches!(answer, Err(InspectError::Busy)), "{answer:?}");
        began.elapsed()
    };
    let (first, second, third) = tokio::join!(timed(), timed(), timed());
    let mut took = [first, second, third];
    took.sort();
    assert!(took[2] >= limits.time, "one had the place: {took:?}");
    assert!(took[1] < limits.time, "two waited no longer than they may: {took:?}");
}

#[tokio::test]
async fn who_stops_asking_stops_the_child() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("pid");
    let script = format!("echo $$ > {}.new; mv {0}.new {0}; exec sleep 1000", mark.display());
    let bench = Bench::with(limits(), &["/bin/sh", "-c", &format!("PATH=/bin:/usr/bin; {script}")]);
    let bytes = photo();
    let started = async {
        while !mark.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = bench.inspect(&bytes, Wanted::Image) => panic!("it cannot end: {answer:?}"),
        () = started => {}
    }
    let pid = std::fs::read_to_string(&mark).expect("it has begun");
    let status = format!("/proc/{}/status", pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    let lives = || {
        let text = std::fs::read_to_string(Path::new(&status)).unwrap_or_default();
        text.contains("State:") && !text.contains("State:\tZ")
    };
    while lives() {
        assert!(Instant::now() < deadline, "the child lives on");
        tokio::task::yield_now().await;
    }
}
