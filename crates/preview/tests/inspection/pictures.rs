//! Size, orientation, thumbnails and likeness of pictures.

use image::{DynamicImage, GenericImageView, ImageDecoder, ImageReader};
use parlor_preview::{Preview, Thumbnail, ThumbnailSize, Wanted};

use super::{Bench, corpus, read};

struct Seen {
    width: u32,
    height: u32,
    thumbhash: Vec<u8>,
    animated: bool,
    thumbnails: Vec<Thumbnail>,
}

async fn look(bench: &Bench, bytes: &[u8]) -> Seen {
    let inspected = bench.inspect(bytes, Wanted::Image).await.expect("it is a picture");
    match inspected.preview {
        Some(Preview::Image { width, height, thumbhash, animated, thumbnails }) => {
            Seen { width, height, thumbhash, animated, thumbnails }
        }
        other => panic!("{other:?} of a picture"),
    }
}

fn encode(image: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("it is written to memory");
    bytes.into_inner()
}

/// How far the pixels of two pictures are apart on average, of 255.
fn distance(one: &DynamicImage, other: &DynamicImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let (one, other) = (one.to_rgb8(), other.to_rgb8());
    let sum: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[tokio::test]
async fn a_photo_comes_out_upright_whichever_way_it_was_held() {
    let bench = Bench::new();
    for orientation in 1..=8 {
        let turn: corpus::Turn = corpus::turned(orientation);
        let seen = look(&bench, &turn.bytes).await;
        let cleaned = read(&bench.output().join("original"));
        assert_eq!((seen.width, seen.height), turn.shown.dimensions(), "orientation {orientation}");
        let mut decoder = ImageReader::new(std::io::Cursor::new(&cleaned))
            .with_guessed_format()
            .expect("it is in memory")
            .into_decoder()
            .expect("it is a picture");
        let says = decoder.orientation().expect("it can be read");
        assert_eq!(says, image::metadata::Orientation::NoTransforms, "orientation {orientation}");
        let profile = decoder.icc_profile().expect("it can be read").expect("it has one");
        assert_eq!(corpus::colours(&profile), corpus::colours(&corpus::telling_profile()));
        let after = DynamicImage::from_decoder(decoder).expect("it is a picture");
        assert!(distance(&after, &turn.shown) < 12.0, "orientation {orientation} is not upright");
    }
}

#[tokio::test]
async fn pictures_of_other_formats_are_turned_too() {
    let bench = Bench::new();
    for name in ["turned.png", "turned.webp", "lossy.webp"] {
        let sample = corpus::telling().into_iter().find(|sample| sample.name == name).expect(name);
        let seen = look(&bench, &sample.bytes).await;
        let cleaned = image::load_from_memory(&read(&bench.output().join("original"))).expect(name);
        assert_eq!((seen.width, seen.height), cleaned.dimensions(), "{name}");
        let mut shown = image::load_from_memory(&sample.bytes).expect(name);
        let turn = if name.ends_with("png") { 3 } else { 6 };
        shown.apply_orientation(image::metadata::Orientation::from_exif(turn).expect("it is one of eight"));
        assert!(distance(&cleaned, &shown) < 12.0, "{name} is not upright");
    }
}

#[tokio::test]
async fn a_turned_png_says_the_same_of_its_colours() {
    let bench = Bench::new();
    let sample =
        corpus::telling().into_iter().find(|sample| sample.name == "turned.png").expect("it is there");
    look(&bench, &sample.bytes).await;
    let turned = read(&bench.output().join("original"));
    for chunk in corpus::colour_chunks() {
        let count = turned.windows(chunk.len()).filter(|window| *window == chunk).count();
        assert_eq!(count, 1, "{}", chunk[4..8].escape_ascii());
    }
    let reader =
        ImageReader::new(std::io::Cursor::new(&turned)).with_guessed_format().expect("it is in memory");
    let profile = reader.into_decoder().expect("it is a picture").icc_profile().expect("it can be read");
    let profile = profile.expect("it has one");
    assert_eq!(corpus::colours(&profile), corpus::colours(&corpus::telling_profile()));
}

#[tokio::test]
async fn long_exif_turns_a_picture_too() {
    let bench = Bench::new();
    for sample in corpus::turned_by_long_exif() {
        let seen = look(&bench, &sample.bytes).await;
        assert_eq!((seen.width, seen.height), (300, 400), "{}", sample.name);
        let cleaned = read(&bench.output().join("original"));
        assert_eq!(corpus::secret_in(&cleaned), None, "{}", sample.name);
        let cleaned = image::load_from_memory(&cleaned).expect(sample.name);
        assert_eq!(cleaned.dimensions(), (300, 400), "{}", sample.name);
    }
}

#[tokio::test]
async fn thumbnails_are_there_where_they_are_smaller() {
    let bench = Bench::new();
    let large = ThumbnailSize::Large;
    let small = ThumbnailSize::Small;
    for (width, height, expected) in [
        (320, 200, vec![]),
        (321, 200, vec![(small, 320, 199)]),
        (1280, 960, vec![(small, 320, 240)]),
        (1281, 1000, vec![(small, 320, 250), (large, 1280, 999)]),
        (1000, 2000, vec![(small, 160, 320), (large, 640, 1280)]),
        (2000, 2, vec![(small, 320, 1), (large, 1280, 1)]),
    ] {
        let photo = DynamicImage::from(corpus::photo(width, height));
        let seen = look(&bench, &encode(&photo, image::ImageFormat::Jpeg)).await;
        assert_eq!((seen.width, seen.height), (width, height));
        assert!((5..=25).contains(&seen.thumbhash.len()), "{} bytes", seen.thumbhash.len());
        let found: Vec<_> =
            seen.thumbnails.iter().map(|small| (small.size, small.width, small.height)).collect();
        assert_eq!(found, expected, "of {width} x {height}");
        for thumbnail in seen.thumbnails {
            assert_eq!(thumbnail.media_type, "image/jpeg");
            let made = image::load_from_memory(&read(&thumbnail.path)).expect("it is a picture");
            assert_eq!(made.dimensions(), (thumbnail.width, thumbnail.height));
            let resized =
                photo.resize_exact(made.width(), made.height(), image::imageops::FilterType::Triangle);
            assert!(distance(&made, &resized) < 12.0, "the thumbnail shows something else");
        }
    }
}

#[tokio::test]
async fn thumbnails_are_upright() {
    let bench = Bench::new();
    let photo = corpus::photo(700, 500);
    let seen = look(&bench, &corpus::photo_jpeg(&photo, 6)).await;
    let [thumbnail] = seen.thumbnails.try_into().expect("there is one");
    assert_eq!((thumbnail.width, thumbnail.height), (229, 320));
    let mut shown = DynamicImage::from(photo);
    shown.apply_orientation(image::metadata::Orientation::Rotate90);
    let made = image::load_from_memory(&read(&thumbnail.path)).expect("it is a picture");
    let resized = shown.resize_exact(229, 320, image::imageops::FilterType::Triangle);
    assert!(distance(&made, &resized) < 12.0);
}

#[tokio::test]
async fn what_is_transparent_stays_so_in_thumbnails() {
    let bench = Bench::new();
    for name in ["glass.png", "glass.webp"] {
        let sample = corpus::plain().into_iter().find(|sample| sample.name == name).expect(name);
        let seen = look(&bench, &sample.bytes).await;
        let [thumbnail] = seen.thumbnails.try_into().expect("there is one");
        assert_eq!(thumbnail.media_type, "image/png");
        let made = image::load_from_memory(&read(&thumbnail.path)).expect(name).to_rgba8();
        assert!(made.get_pixel(2, 100).0[3] < 20 && made.get_pixel(315, 100).0[3] > 200, "{name}");
    }
}

/// Of a profile with more colours than sRGB, thumbnails show the same colours in sRGB.
#[tokio::test]
async fn thumbnails_are_in_srgb() {
    use image::ImageEncoder;

    let bench = Bench::new();
    let picture = image::RgbImage::from_pixel(400, 400, image::Rgb([200, 100, 50]));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_icc_profile(corpus::telling_profile()).expect("JPEG holds profiles");
    encoder.write_image(&picture, 400, 400, image::ExtendedColorType::Rgb8).expect("it is written to memory");
    let seen = look(&bench, &bytes).await;
    let [thumbnail] = seen.thumbnails.try_into().expect("there is one");
    let made = image::load_from_memory(&read(&thumbnail.path)).expect("it is a picture").to_rgb8();
    let [red, green, blue] = made.get_pixel(10, 10).0;
    // Display P3 (200, 100, 50) is sRGB (215, 93, 31): from the matrices of both, by hand.
    let near = |one: u8, other: u8| one.abs_diff(other) <= 4;
    assert!(near(red, 215) && near(green, 93) && near(blue, 31), "{red} {green} {blue}");
}

#[tokio::test]
async fn what_moves_says_so() {
    let bench = Bench::new();
    for sample in corpus::telling().into_iter().filter(|sample| sample.media_type.starts_with("image")) {
        let seen = look(&bench, &sample.bytes).await;
        assert_eq!(seen.animated, sample.name.starts_with("animation"), "{}", sample.name);
        assert!(!seen.thumbhash.is_empty(), "{} has no likeness", sample.name);
    }
    for sample in corpus::plain() {
        let seen = look(&bench, &sample.bytes).await;
        assert!(!seen.animated && !seen.thumbhash.is_empty(), "{}", sample.name);
    }
}
