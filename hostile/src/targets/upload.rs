//! Parts of a file as they come, in any order, from whoever: what is there is there once, and nothing is written twice at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use media_svc::{Admission, FileName, MediaType, PART_BYTES, Parts, Progress};
use parlor_types::limits::{MAX_FILE_NAME_BYTES, MAX_MISSING_RANGES};

use crate::Target;
use crate::input::{Input, Script};

/// Parts of the largest file here.
const MAX_PARTS: u64 = 3_000;

pub(super) const PROGRESS: Target = Target {
    name: "upload",
    about: "parts of an upload",
    run: progress,
    seeds: progress_seeds,
    max_len: 1024,
};

pub(super) const NAMES: Target = Target {
    name: "file-name",
    about: "names and types of files, and what a file is by its first bytes",
    run: names,
    seeds: name_seeds,
    max_len: 512,
};

fn progress(data: &[u8]) {
    let mut input = Input::new(data);
    let size = 1 + input.number() % (MAX_PARTS * PART_BYTES);
    let parts = Parts::from_bytes(size, input.bytes());
    assert_eq!(Parts::from_bytes(size, parts.as_bytes()), parts, "what a store keeps is what was there");
    let mut progress = Progress::new(parts, SystemTime::UNIX_EPOCH, false, Instant::now());
    let window = input.number();
    let mut writing = BTreeSet::new();
    while !input.is_over() {
        let choice = input.byte() % 8;
        match (choice, writing.first().copied()) {
            (0, Some((index, length))) => {
                writing.pop_first();
                progress.written(index, length);
            }
            (1, Some((index, _))) => {
                writing.pop_first();
                progress.failed(index);
            }
            (2, _) => {
                let save = progress.take_save();
                if let (Some(save), true) = (save, input.flag()) {
                    progress.not_saved(&save);
                }
            }
            _ => {
                let at = input.number();
                let offset = if choice < 6 { at.wrapping_mul(PART_BYTES) } else { at };
                let length =
                    if input.flag() { size.saturating_sub(offset).min(PART_BYTES) } else { input.number() };
                let first = progress.parts().first_missing().unwrap_or(size);
                if let Ok(Admission::Write(index)) = progress.admit(offset, length, window) {
                    assert!(
                        offset + length <= size && offset <= first.saturating_add(window),
                        "G8: {offset}"
                    );
                    assert!(writing.insert((index, length)), "part {index} is written twice at once");
                    progress.touch(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1));
                }
            }
        }
        assert_eq!(progress.is_being_written(), !writing.is_empty());
    }
    let parts = progress.parts();
    assert!(parts.received_bytes() <= size && parts.missing().len() <= MAX_MISSING_RANGES);
    assert_eq!(parts.is_complete(), parts.received_bytes() == size);
}

fn progress_seeds() -> Vec<Vec<u8>> {
    let small = Script::default().byte(255).bytes(&[]).end();
    let sized = |size: u64| {
        let mut bytes = vec![255];
        bytes.extend(size.to_le_bytes());
        bytes
    };
    let steps = |parts: u8| (0..parts).flat_map(|part| [3, part, 1, 0]).collect::<Vec<u8>>();
    let whole = |size| [sized(size), vec![0, 0, 200], steps(5)].concat();
    vec![
        small,
        whole(1),
        whole(5 * PART_BYTES - 1),
        whole(2_999 * PART_BYTES),
        [sized(1 << 30), vec![2, 0, 0xaa, 0x55, 199], steps(30)].concat(),
    ]
}

/// What is taken for a name is no path and cannot break out of a header; what a file is called is a type.
fn names(data: &[u8]) {
    let mut input = Input::new(data);
    let (name, claimed) = (input.text(), input.text());
    if let Ok(name) = FileName::new(&name) {
        let name = name.as_str();
        assert!(!name.is_empty() && name.len() <= MAX_FILE_NAME_BYTES);
        assert!(!name.contains(['/', '\\', '\0', '\n', '\r']), "{name:?}");
    }
    if let Ok(kind) = MediaType::new(&claimed) {
        assert!(kind.as_str().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
    }
    let head = input.rest();
    let found = parlor_preview::media_type(head, &claimed);
    assert!(found.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()), "{found:?}");
    assert!(found.bytes().all(|byte| byte.is_ascii_graphic()), "{found:?}");
    if parlor_preview::is_lie(head, &found) && found != "application/octet-stream" {
        panic!("what was found to be {found} is said to be none");
    }
    let _ = parlor_preview::is_lie(head, &claimed);
}

fn name_seeds() -> Vec<Vec<u8>> {
    let heads: [(&str, &[u8]); 8] = [
        ("application/pdf", b"%PDF-1.7\n"),
        ("application/zip", b"PK\x03\x04\x14\0\0\0\x08\0"),
        ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("image/svg+xml", b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("text/html", b"<!DOCTYPE html><script>"),
        ("image/heic", b"\0\0\0\x20ftypheic\0\0\0\0mif1heic"),
        ("audio/mpeg", b"ID3\x04\0\0\0\0\0\0\xff\xfb"),
        ("audio/wav", b"RIFF\0\0\0\0WAVEfmt "),
    ];
    let seed = |(claimed, head): (&str, &[u8])| {
        let named = Script::default().bytes(b"file.bin").bytes(claimed.as_bytes()).end();
        [named, head.to_vec()].concat()
    };
    heads.map(seed).into()
}
