use std::io::Cursor;

use super::*;
use crate::corpus::CANARY;

const H264: Units = Units { codec: Codec::H264, prefix: 4 };
const H265: Units = Units { codec: Codec::H265, prefix: 2 };

/// A unit of user data after this header, with a secret in it.
fn telling(header: &[u8]) -> Vec<u8> {
    let length = u8::try_from(16 + CANARY.len()).expect("it is short");
    [header, &[5, length], &[9; 16], CANARY.as_bytes(), &[0x80]].concat()
}

/// Units, each after its length.
fn sample(units: &[&[u8]], prefix: usize) -> Vec<u8> {
    let with_length = |unit: &&[u8]| {
        let length = u32::try_from(unit.len()).expect("it is short").to_be_bytes();
        [&length[4 - prefix..], *unit].concat()
    };
    units.iter().flat_map(with_length).collect()
}

fn copied(units: Units, sample: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    copy_sample(units, sample.len() as u64, &mut Cursor::new(sample), &mut output).expect("all is there");
    output
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

#[test]
fn user_data_goes_and_slices_stay() {
    let slice = [0x65, 0, 0, 3, 1, 6, 5, 200];
    for (units, header, slice_header) in
        [(H264, &[0x06][..], &[][..]), (H265, &[39 << 1, 1], &[2, 1]), (H265, &[40 << 1, 1], &[2, 1])]
    {
        let slice = [slice_header, &slice].concat();
        let user = telling(header);
        let before = sample(&[&slice, &user, &slice], units.prefix);
        let after = copied(units, &before);
        assert_eq!(after.len(), before.len());
        assert!(tells(&before) && !tells(&after), "{units:?}");
        let length = slice.len() + units.prefix;
        assert_eq!(after[..length], before[..length]);
        assert_eq!(after[after.len() - length..], before[before.len() - length..]);
        assert_eq!(
            after[length..][..units.prefix + header.len()],
            before[length..][..units.prefix + header.len()]
        );
        assert_eq!(copied(units, &after), after);
    }
}

#[test]
fn what_is_no_unit_stays_as_it_is() {
    for bytes in [&b""[..], b"abc", b"\0\0\0\0\0\0\0\0", b"\0\0\0\x09short", b"\0\0\0\x01\x06\0\0"] {
        assert_eq!(copied(H264, bytes), bytes, "{}", bytes.escape_ascii());
    }
}

#[test]
fn configurations_tell_nothing() {
    let sets = |units: &[&[u8]]| sample(units, 2);
    let user = telling(&[0x06]);
    let mut high = [&[1, 100, 0, 40, 0xff, 0xe2], sets(&[b"\x67set", &user]).as_slice()].concat();
    high.extend([&[1], sets(&[b"\x68set"]).as_slice(), &[0xfd, 0xf8, 0xf8, 0], CANARY.as_bytes()].concat());
    let kept = high.len() - CANARY.len();
    let mut base = [&[1, 66, 0, 40, 0xff, 0xe0, 0], CANARY.as_bytes()].concat();
    let user = telling(&[39 << 1, 1]);
    let arrays =
        [&[2, 0x20, 0, 1], sets(&[b"\x40\x01vps"]).as_slice(), &[39, 0, 1], &sets(&[&user])].concat();
    let mut hevc = [&[1; 22], arrays.as_slice(), CANARY.as_bytes()].concat();
    let mut layered = [&[1; 5], arrays.as_slice()].concat();
    for body in [&high, &base, &hevc, &layered] {
        assert!(tells(body));
    }
    let before = high.clone();
    h264_configuration(&mut high).expect("it is sound");
    h264_configuration(&mut base).expect("it is sound");
    h265_configuration(&mut hevc, 22).expect("it is sound");
    h265_configuration(&mut layered, 5).expect("it is sound");
    for body in [&high, &base, &hevc, &layered] {
        assert!(!tells(body), "{}", body.escape_ascii());
    }
    assert_eq!(high[..12], before[..12], "sets stay");
    assert_eq!(high[kept - 4..kept], [0xfd, 0xf8, 0xf8, 0], "and what high profiles say");
}

#[test]
fn short_configurations_are_damaged() {
    for length in 0..8 {
        assert!(h264_configuration(&mut [1, 66, 0, 40, 0xff, 0xe1, 0, 9][..length]).is_err(), "{length}");
    }
    assert!(h265_configuration(&mut [1, 2], 22).is_err());
    assert!(h265_configuration(&mut [1, 1, 39, 0, 1, 0, 9], 1).is_err());
}
