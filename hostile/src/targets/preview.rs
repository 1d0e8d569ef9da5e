//! Pictures, voice notes and videos, as the child process takes them apart: what it gives back is whole, is no longer than what
//! came, and is clean: cleaning it once more changes nothing.

use std::io::{self, Cursor, Write};

use parlor_preview::{corpus, examine};
use serde_json::Value;

use crate::Target;

/// Bytes of a file that a search begins with.
const MAX_SEED: usize = 48 * 1024;
/// Pixels that are decoded here: what is larger is cleaned only. It costs a decoder time and not another way to go.
const MAX_PIXELS: u64 = 256 * 256;
/// Bytes that a cleaned file may have more than the file: what is said of it in fewer words than it was.
const MAX_MORE: usize = 1024;

pub(super) const PICTURE: Target = Target {
    name: "picture",
    about: "JPEG, PNG, WebP and GIF, cleaned and decoded",
    run,
    seeds: || seeds("image/"),
    max_len: MAX_SEED,
};

pub(super) const SOUND: Target = Target {
    name: "sound",
    about: "Opus in Ogg and AAC in MP4, cleaned and decoded",
    run,
    seeds: || seeds("audio/"),
    max_len: MAX_SEED,
};

pub(super) const VIDEO: Target =
    Target { name: "video", about: "MP4, cleaned", run, seeds: || seeds("video/"), max_len: MAX_SEED };

fn run(data: &[u8]) {
    let Some(cleaned) = cleaned(data) else { return };
    assert!(cleaned.len() <= data.len() + MAX_MORE, "{} bytes became {}", data.len(), cleaned.len());
    let again = self::cleaned(&cleaned).expect("what was cleaned can be cleaned");
    assert!(again == cleaned, "what was cleaned is not clean");
}

/// What others would get of a file, if it is good.
fn cleaned(data: &[u8]) -> Option<Vec<u8>> {
    let mut heard = Parent::default();
    // A parent that has heard enough closes the pipe, which is no fault of the file.
    let _ = examine(&mut Cursor::new(data), &mut heard);
    heard.original
}

/// What the child says, taken in as the parent does.
#[derive(Default)]
struct Parent {
    waiting: Vec<u8>,
    open: bool,
    file: Vec<u8>,
    original: Option<Vec<u8>>,
}

impl Write for Parent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend(bytes);
        while let Some((&kind, rest)) = self.waiting.split_first() {
            let Some((length, rest)) = rest.split_first_chunk() else { break };
            let length = u32::from_be_bytes(*length) as usize;
            let Some(body) = rest.get(..length) else { break };
            let body = body.to_vec();
            self.waiting.drain(..5 + length);
            self.take(kind, &body)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Parent {
    fn take(&mut self, kind: u8, body: &[u8]) -> io::Result<()> {
        if kind == 1 {
            if self.open {
                self.file.extend(body);
            }
            return Ok(());
        }
        let word: Value = serde_json::from_slice(body).expect("a word is JSON");
        if let Some(made) = word.get("Begin") {
            self.open = made == "Original" && self.original.is_none();
        } else if word == "End" && std::mem::take(&mut self.open) {
            self.original = Some(std::mem::take(&mut self.file));
        } else if let Some(picture) = word.get("Facts").and_then(|facts| facts.get("Image")) {
            let side = |name: &str| picture[name].as_u64().expect("a number of pixels");
            if side("width") * side("height") > MAX_PIXELS {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }
}

fn seeds(of: &str) -> Vec<Vec<u8>> {
    let samples = corpus::telling().into_iter().chain(corpus::plain());
    let samples = samples.filter(|sample| sample.media_type.starts_with(of));
    samples.map(|sample| sample.bytes).filter(|bytes| bytes.len() <= MAX_SEED).collect()
}
