//! Voice notes and videos; and what is not what was wanted.

use std::time::Duration;

use parlor_preview::{InspectError, Preview, WAVEFORM_VALUES, Wanted};

use super::{Bench, corpus};

#[tokio::test]
async fn a_voice_note_has_a_length_and_a_waveform() {
    let bench = Bench::new();
    for sample in corpus::telling().into_iter().filter(|sample| sample.media_type.starts_with("audio")) {
        let inspected = bench.inspect(&sample.bytes, Wanted::Voice).await.expect(sample.name);
        assert_eq!(inspected.media_type, sample.media_type);
        let Some(Preview::Audio { duration, waveform }) = inspected.preview else {
            panic!("{} is sound", sample.name)
        };
        let longer = duration.saturating_sub(Duration::from_secs(2));
        assert!(duration >= Duration::from_secs(2) && longer < Duration::from_millis(100), "{duration:?}");
        assert_eq!(waveform.len(), WAVEFORM_VALUES, "{}", sample.name);
        // The second half is ten times as loud as the first.
        assert!(
            waveform[4..28].iter().all(|value| (10..60).contains(value)),
            "{}: {waveform:?}",
            sample.name
        );
        assert!(waveform[36..60].iter().all(|value| *value > 150), "{}: {waveform:?}", sample.name);
        assert!(waveform.contains(&255));
    }
}

#[tokio::test]
async fn a_video_has_a_length_and_a_size() {
    let bench = Bench::new();
    for sample in corpus::telling().into_iter().filter(|sample| sample.media_type.starts_with("video")) {
        let inspected = bench.inspect(&sample.bytes, Wanted::Video).await.expect(sample.name);
        let Some(Preview::Video { duration, width, height }) = inspected.preview else {
            panic!("{} is a video", sample.name)
        };
        assert_eq!((width, height), (64, 48), "{}", sample.name);
        assert!((1500..1600).contains(&duration.as_millis()), "{}: {duration:?}", sample.name);
    }
    let inspected = bench.inspect(&corpus::turned_video(), Wanted::Video).await.expect("it is a video");
    let Some(Preview::Video { width, height, .. }) = inspected.preview else { panic!("it is a video") };
    assert_eq!((width, height), (48, 64), "it is shown turned");
}

#[tokio::test]
async fn what_is_not_wanted_is_a_mismatch() {
    let bench = Bench::new();
    let all = corpus::telling();
    let bytes = |name: &str| &all.iter().find(|sample| sample.name == name).expect(name).bytes;
    let unknown: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\">";
    for (what, wanted) in [
        (bytes("photo.jpg").as_slice(), Wanted::Voice),
        (bytes("photo.jpg"), Wanted::Video),
        (bytes("voice.opus"), Wanted::Image),
        (bytes("voice.opus"), Wanted::Video),
        (bytes("voice.m4a"), Wanted::Video),
        (bytes("video.mp4"), Wanted::Voice),
        (bytes("video.mp4"), Wanted::Avatar),
        (unknown, Wanted::Image),
        (b"", Wanted::Image),
    ] {
        let answer = bench.inspect(what, wanted).await;
        assert!(matches!(answer, Err(InspectError::Mismatch)), "{wanted:?}: {answer:?}");
    }
}

#[tokio::test]
async fn what_is_damaged_is_unreadable() {
    let bench = Bench::new();
    for (name, length) in
        [("photo.jpg", 400), ("picture.png", 900), ("picture.webp", 900), ("video.mp4", 3000)]
    {
        let sample = corpus::telling().into_iter().find(|sample| sample.name == name).expect(name);
        let answer = bench.inspect(&sample.bytes[..length], super::wanted(sample.media_type)).await;
        assert!(matches!(answer, Err(InspectError::Unreadable)), "{name}: {answer:?}");
        assert!(bench.written().is_empty(), "{name} left something");
    }
}
