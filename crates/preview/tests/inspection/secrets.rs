//! No byte of what others get tells where, when, by whom and with what.

use parlor_preview::{Preview, Wanted};

use super::{Bench, corpus, read, wanted};

#[tokio::test]
async fn nothing_written_for_others_tells_anything() {
    let bench = Bench::new();
    for sample in corpus::telling() {
        let inspected = bench.inspect(&sample.bytes, wanted(sample.media_type)).await.expect(sample.name);
        assert!(inspected.preview.is_some(), "{}", sample.name);
        let cleaned = inspected.cleaned.expect(sample.name);
        assert_ne!(read(&cleaned), sample.bytes, "{}", sample.name);
        let written = bench.written();
        assert!(!written.is_empty());
        for (path, bytes) in written {
            assert_eq!(corpus::secret_in(&bytes), None, "{}: {} tells", sample.name, path.display());
        }
        let what_it_is = if sample.name == "lossy.webp" { "image/jpeg" } else { sample.media_type };
        assert_eq!(inspected.media_type, what_it_is, "{}", sample.name);
    }
}

#[tokio::test]
async fn what_is_clean_stays_the_file_it_was() {
    let bench = Bench::new();
    for sample in corpus::plain() {
        let first = bench.inspect(&sample.bytes, Wanted::Image).await.expect(sample.name);
        let bytes = first.cleaned.map_or(sample.bytes, |path| read(&path));
        let second = bench.inspect(&bytes, Wanted::Image).await.expect(sample.name);
        assert_eq!(second.cleaned, None, "{}", sample.name);
        assert!(!bench.output().join("original").exists(), "{}", sample.name);
    }
}

#[tokio::test]
async fn a_file_is_named_and_not_touched() {
    let bench = Bench::new();
    let photo = corpus::photo_jpeg(&corpus::photo(10, 10), 6);
    for (bytes, claimed, named) in [
        (photo.as_slice(), "image/jpeg", "image/jpeg"),
        (photo.as_slice(), "application/pdf", "application/octet-stream"),
        (b"<html><script>", "image/png", "application/octet-stream"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\">", "image/png", "application/octet-stream"),
        (b"just text", "text/plain", "application/octet-stream"),
    ] {
        let inspected = bench.inspect_as(bytes, Wanted::File, claimed).await.expect(claimed);
        assert_eq!(inspected.media_type, named, "{claimed}");
        assert_eq!((inspected.cleaned, inspected.preview), (None, None));
        assert!(bench.written().is_empty());
    }
}

#[tokio::test]
async fn an_avatar_is_a_picture() {
    let bench = Bench::new();
    let photo = corpus::photo_jpeg(&corpus::photo(600, 500), 1);
    let inspected = bench.inspect(&photo, Wanted::Avatar).await.expect("it is a picture");
    let Some(Preview::Image { thumbnails, .. }) = inspected.preview else { panic!("it is a picture") };
    assert_eq!(thumbnails.len(), 1);
    for (path, bytes) in bench.written() {
        assert_eq!(corpus::secret_in(&bytes), None, "{} tells", path.display());
    }
}
