//! Cleaning, over the whole corpus, in this process.

use std::io::Cursor;

use proptest::prelude::*;

use super::{Facts, clean};
use crate::corpus::{self, CANARY, Sample};
use crate::format::Format;

fn cleaned(bytes: &[u8]) -> std::io::Result<(Vec<u8>, Facts)> {
    let format = Format::of(bytes).ok_or(super::damaged("of no known format"))?;
    let mut output = Vec::new();
    let facts = clean(format, &mut Cursor::new(bytes), &mut output)?;
    Ok((output, facts))
}

fn samples() -> Vec<Sample> {
    corpus::telling().into_iter().chain(corpus::plain()).collect()
}

#[test]
fn every_secret_is_there_before_and_none_after() {
    for sample in corpus::telling() {
        assert!(corpus::secret_in(&sample.bytes).is_some(), "{} keeps no secret to begin with", sample.name);
        let (output, _) = cleaned(&sample.bytes).expect(sample.name);
        assert_eq!(corpus::secret_in(&output), None, "{} tells after cleaning", sample.name);
    }
}

#[test]
fn cleaning_twice_is_cleaning_once() {
    for sample in samples() {
        let (once, facts) = cleaned(&sample.bytes).expect(sample.name);
        let (twice, same) = cleaned(&once).expect(sample.name);
        assert_eq!(once, twice, "{}", sample.name);
        if !matches!(facts, Facts::Mp4(_)) {
            assert_eq!(facts, same, "{}", sample.name);
        }
    }
}

#[test]
fn pixels_and_colours_stay_as_they_are() {
    for sample in samples().into_iter().filter(|sample| sample.media_type.starts_with("image")) {
        let (output, _) = cleaned(&sample.bytes).expect(sample.name);
        let before = image::load_from_memory(&sample.bytes).expect(sample.name);
        let after = image::load_from_memory(&output).expect(sample.name);
        assert!(before == after, "{}: pixels differ", sample.name);
        let colours = |bytes| profile(bytes).map(|profile| corpus::colours(&profile));
        assert_eq!(colours(&sample.bytes), colours(&output), "{}: colours differ", sample.name);
        let kept = profile(&output).unwrap_or_default();
        assert_eq!(corpus::secret_in(&kept), None, "{}: its profile tells", sample.name);
    }
    let told = corpus::telling();
    let with_profile = told.iter().filter(|sample| profile(&sample.bytes).is_some());
    assert!(with_profile.count() >= 4, "the corpus has PNG and WebP with profiles");
    assert!(profile(&cleaned(&corpus::turned(1).bytes).expect("it is sound").0).is_some(), "and JPEG");
}

fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    image::ImageDecoder::icc_profile(&mut reader.into_decoder().ok()?).ok()?
}

#[test]
fn times_and_names_of_coders_are_zeros() {
    let bytes =
        corpus::telling().into_iter().find(|sample| sample.name == "video.mp4").expect("it is there").bytes;
    let part = &CANARY.as_bytes()[..8];
    let count = |bytes: &[u8]| bytes.windows(part.len()).filter(|window| *window == part).count();
    assert!(count(&bytes) > 5);
    assert_eq!(count(&cleaned(&bytes).expect("it is sound").0), 0);
}

#[test]
fn samples_of_sound_and_picture_stay_where_they_are() {
    for sample in corpus::telling().into_iter().filter(|sample| sample.media_type.ends_with("mp4")) {
        let (output, facts) = cleaned(&sample.bytes).expect(sample.name);
        let Facts::Mp4(movie) = facts else { panic!("{} is a movie", sample.name) };
        let (mut count, mut telling) = (0, 0);
        for place in movie.tracks.iter().flat_map(|track| &track.samples) {
            let range = place.start as usize..place.start as usize + place.bytes as usize;
            let (before, after) = (&sample.bytes[range.clone()], &output[range]);
            count += 1;
            if corpus::secret_in(before).is_some() {
                telling += 1;
                let said = usize::from(u16::from_be_bytes([before[2], before[3]])) + 4;
                assert_eq!((&before[..5], &before[said..]), (&after[..5], &after[said..]), "{}", sample.name);
            } else {
                assert_eq!(before, after, "{}", sample.name);
            }
        }
        assert!(count > 20, "{} has {count} samples", sample.name);
        let expected = usize::from(sample.media_type == "video/mp4");
        assert_eq!(telling, expected, "{}: samples in which the coder tells of itself", sample.name);
    }
}

#[test]
fn animations_keep_their_frames() {
    use image::AnimationDecoder;
    use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};

    fn frames(bytes: &[u8], media_type: &str) -> usize {
        let input = Cursor::new(bytes);
        let frames = match media_type {
            "image/gif" => GifDecoder::new(input).expect("it is sound").into_frames(),
            "image/webp" => WebPDecoder::new(input).expect("it is sound").into_frames(),
            _ => PngDecoder::new(input).expect("it is sound").apng().expect("it moves").into_frames(),
        };
        frames.collect_frames().expect("all are sound").len()
    }
    let all = corpus::telling();
    let moving: Vec<_> = all.iter().filter(|sample| sample.name.starts_with("animation")).collect();
    assert_eq!(moving.len(), 3);
    for sample in moving {
        let (output, facts) = cleaned(&sample.bytes).expect(sample.name);
        let expected = if sample.media_type == "image/webp" { 2 } else { 3 };
        assert_eq!(frames(&output, sample.media_type), expected, "{}", sample.name);
        assert!(matches!(facts, Facts::Picture(picture) if picture.animated), "{}", sample.name);
    }
}

#[test]
fn what_is_cut_off_is_cleaned_or_refused() {
    for sample in samples() {
        let step = if sample.bytes.len() < 8_000 { 1 } else { sample.bytes.len() / 1_000 };
        for length in (0..sample.bytes.len()).step_by(step) {
            if let Ok((output, _)) = cleaned(&sample.bytes[..length]) {
                assert_eq!(corpus::secret_in(&output), None, "{} cut at {length}", sample.name);
                // The end that some files get.
                assert!(output.len() <= length + 2, "{} cut at {length} has grown", sample.name);
            }
        }
    }
}

#[test]
fn a_page_of_the_web_in_a_picture_is_dropped() {
    let mut gif =
        corpus::plain().into_iter().find(|sample| sample.name == "dot.gif").expect("it is there").bytes;
    gif.extend(b"<html><script>alert(1)</script>");
    let (output, _) = cleaned(&gif).expect("it is a picture");
    assert!(!output.windows(7).any(|window| window == b"<script"));
    assert!(cleaned(b"GIF89a/*<html><script>alert(1)</script>*/").is_err(), "a picture in name alone");
}

#[test]
fn bombs_are_cleaned_like_everything() {
    for bomb in corpus::bombs::bombs() {
        let (output, facts) = cleaned(&bomb.bytes).expect(bomb.name);
        assert!(output.len() <= bomb.bytes.len(), "{}", bomb.name);
        assert!(matches!(facts, Facts::Picture(_)), "{}", bomb.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever is damaged is cleaned or refused, and what comes out is clean.
    #[test]
    fn damage_is_survived(pick: prop::sample::Index, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        thread_local!(static SAMPLES: Vec<Sample> = samples());
        SAMPLES.with(|samples| -> Result<(), TestCaseError> {
            let sample = pick.get(samples);
            let mut bytes = sample.bytes.clone();
            for (place, value) in &changes {
                // Headers are where harm is done: half of the changes go there.
                let within = if value % 2 == 0 { bytes.len() } else { bytes.len().min(600) };
                bytes[place.index(within)] = *value;
            }
            if let Ok((once, _)) = cleaned(&bytes) {
                let (twice, _) = cleaned(&once).map_err(|error| TestCaseError::fail(format!("{}: {error}", sample.name)))?;
                prop_assert!(once == twice, "{}: cleaning twice differs", sample.name);
            }
            Ok(())
        })?;
    }
}
