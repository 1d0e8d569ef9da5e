use super::*;
use crate::corpus::{CANARY, colours, secret_in, telling_profile};

fn part(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 8).expect("boxes here are short");
    [&length.to_be_bytes(), kind.as_slice(), body].concat()
}

/// A table of one description: so many bytes of header, then boxes.
fn described(kind: &[u8; 4], header: usize, boxes: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 0, 0, 0, 0, 1], part(kind, &[&vec![0; header], boxes].concat()).as_slice()].concat()
}

fn scrubbed(mut table: Vec<u8>, kind: Kind) -> Vec<u8> {
    let before = table.len();
    scrub(&mut table, kind).expect("it is sound");
    assert_eq!(table.len(), before);
    table
}

#[test]
fn a_profile_keeps_its_colours_in_place() {
    let told = telling_profile();
    for kind in [b"prof", b"rICC"] {
        let colr = part(b"colr", &[kind.as_slice(), &told].concat());
        let after = scrubbed(described(b"avc1", PICTURE_HEADER_BYTES, &colr), Kind::Picture);
        assert_eq!(secret_in(&after), None);
        let at = 8 + 8 + PICTURE_HEADER_BYTES + 12;
        assert_eq!(colours(&after[at..]), colours(&told));
        assert_eq!(after[at - 8..at], [b"colr", kind.as_slice()].concat());
    }
}

#[test]
fn what_is_no_profile_is_freed_and_numbers_stay() {
    let head = 8 + 8 + PICTURE_HEADER_BYTES;
    for body in [[b"prof", CANARY.as_bytes()].concat(), [b"else", CANARY.as_bytes()].concat(), b"no".to_vec()]
    {
        let table = described(b"hvc1", PICTURE_HEADER_BYTES, &part(b"colr", &body));
        let after = scrubbed(table, Kind::Picture);
        assert_eq!(&after[head + 4..head + 8], b"free");
        assert!(after[head + 8..].iter().all(|&byte| byte == 0));
    }
    for (body, kept) in [(&b"nclx\0\x0c\0\x0d\0\x06\x80"[..], 11), (b"nclc\0\x01\0\x01\0\x01", 10)] {
        let told = [body, CANARY.as_bytes()].concat();
        let after = scrubbed(described(b"av01", PICTURE_HEADER_BYTES, &part(b"colr", &told)), Kind::Picture);
        assert_eq!(after[head + 8..][..kept], *body);
        assert_eq!(secret_in(&after), None);
    }
}

/// Sound that is not coded has descriptions shorter than those of pictures.
#[test]
fn sound_is_told_by_its_track() {
    let format = part(b"pcmC", &[0, 0, 0, 0, 1, 16]);
    for (kind, header, version) in [(b"ipcm", 28, 0), (b"sowt", 44, 1), (b"lpcm", 64, 2), (b"twos", 28, 0)] {
        let mut table = described(kind, header, &format);
        let entry = 8 + 8;
        table[entry + 9] = version;
        table[entry + 12..entry + 16].copy_from_slice(b"Ada!");
        let before = table.clone();
        let after = scrubbed(table, Kind::Sound);
        assert_eq!(after[entry + header..], before[entry + header..], "the format of its numbers stays");
        assert!(!after.windows(4).any(|window| window == b"Ada!"));
    }
    let short = described(b"ipcm", 28, &format);
    assert!(scrub(&mut short.clone(), Kind::Picture).is_err(), "of pictures it would be too short");
}

#[test]
fn comments_of_flac_become_padding() {
    let comment = [&[4, 0, 0, u8::try_from(CANARY.len()).expect("it is short")], CANARY.as_bytes()].concat();
    let stream = [&[0, 0, 0, 34], [7; 34].as_slice()].concat();
    let last = [0x86, 0, 0, 2, 1, 2];
    let blocks = [&[0; 4], stream.as_slice(), &comment, &last].concat();
    let after = scrubbed(described(b"fLaC", 28, &part(b"dfLa", &blocks)), Kind::Sound);
    assert_eq!(secret_in(&after), None);
    let at = 8 + 8 + 28 + 8;
    assert_eq!(after[at + 4..][..stream.len()], stream);
    assert_eq!(after[at + 4 + stream.len()], 1, "padding");
    assert_eq!(after[after.len() - 6..], [0x81, 0, 0, 2, 0, 0], "the last one still is");
}
