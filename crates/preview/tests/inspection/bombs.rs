//! Small files that ask for much get little, and the parent never more than it allows.

use parlor_preview::{InspectError, Inspected, Preview, Wanted};

use super::{Bench, corpus};

#[tokio::test]
async fn bombs_are_cleaned_and_cost_no_more_than_the_limits() {
    let bench = Bench::new();
    for bomb in corpus::bombs::bombs() {
        let answer = bench.inspect(&bomb.bytes, Wanted::Image).await;
        let inspected = answer.unwrap_or_else(|error| panic!("{}: {error}", bomb.name));
        let Some(Preview::Image { width, height, animated, thumbnails, .. }) = inspected.preview else {
            panic!("{} is a picture", bomb.name)
        };
        match bomb.name {
            "wide.png" | "frames.gif" | "wide.jpg" => {
                assert_eq!((width, height), (65_535, 65_535), "{}", bomb.name);
                assert!(thumbnails.is_empty(), "{} was decoded", bomb.name);
            }
            _ => assert!(width > 0 && height > 0),
        }
        assert_eq!(animated, bomb.name == "frames.gif", "{}", bomb.name);
    }
}

#[tokio::test]
async fn an_archive_behind_a_picture_is_dropped() {
    let bench = Bench::new();
    let mut bytes = corpus::photo_jpeg(&corpus::photo(40, 30), 1);
    bytes.extend(b"PK\x03\x04 and what an archive holds");
    let Inspected { cleaned, .. } = bench.inspect(&bytes, Wanted::Image).await.expect("it is a picture");
    let cleaned = super::read(&cleaned.expect("something was dropped"));
    assert!(!cleaned.windows(4).any(|window| window == b"PK\x03\x04"));
}

#[tokio::test]
async fn damage_by_the_hundred_never_harms_the_parent() {
    let bench = Bench::new();
    let samples = corpus::telling();
    // As good as any: a linear generator with a fixed start.
    let mut state = 0x2545_f491_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    for round in 0..300 {
        let sample = &samples[round % samples.len()];
        let mut bytes = sample.bytes.clone();
        for _ in 0..4 {
            // The first bytes stay: they would only make it a mismatch.
            let place = 64 + next() % (bytes.len() - 64);
            bytes[place] = next() as u8;
        }
        match bench.inspect(&bytes, super::wanted(sample.media_type)).await {
            Ok(_) | Err(InspectError::Unreadable | InspectError::Mismatch) => {}
            Err(error) => panic!("round {round}, {}: {error}", sample.name),
        }
    }
}
