use moxcms::ColorProfile;
use proptest::prelude::*;

use super::rebuild;
use crate::corpus::profile::{profile_of, tags_of, tell};
use crate::corpus::{self, colours};

/// A header for pixels of this kind, as colours between profiles of that kind, of this version.
fn header(pixels: &[u8; 4], between: &[u8; 4], version: u8) -> [u8; 128] {
    let mut header = [0; 128];
    header[8] = version;
    header[12..16].copy_from_slice(b"prtr");
    header[16..20].copy_from_slice(pixels);
    header[20..24].copy_from_slice(between);
    header[36..40].copy_from_slice(b"acsp");
    header[67] = 1;
    header[68..80].copy_from_slice(&super::ILLUMINANT);
    header
}

/// Numbers that are all different.
fn numbers(count: usize) -> impl Iterator<Item = u8> {
    (0..count).map(|n| u8::try_from(n * 7 % 251).unwrap_or(0))
}

fn white() -> ([u8; 4], Vec<u8>) {
    (*b"wtpt", [b"XYZ \0\0\0\0".as_slice(), &super::ILLUMINANT].concat())
}

/// Of ink to Lab, with a grid of two points along each of four channels.
fn old_table(width: usize) -> Vec<u8> {
    let mut table = if width == 1 { b"mft1" } else { b"mft2" }.to_vec();
    table.extend([0, 0, 0, 0, 4, 3, 2, 0]);
    for number in [1_i32, 0, 0, 0, 1, 0, 0, 0, 1] {
        table.extend((number << 16).to_be_bytes());
    }
    let (before, after) = if width == 1 { (256, 256) } else { (2, 3) };
    if width == 2 {
        table.extend([0, 2, 0, 3]);
    }
    table.extend(numbers((before * 4 + 16 * 3 + after * 3) * width));
    table
}

/// Three: a power, no change, a power.
fn curves() -> Vec<u8> {
    let power = b"para\0\0\0\0\0\0\0\0\0\x02\0\0";
    [power.as_slice(), b"curv\0\0\0\0\0\0\0\0", power].concat()
}

/// Of three channels to three, with all five stages.
fn new_table() -> Vec<u8> {
    let mut table = b"mAB \0\0\0\0\x03\x03\0\0".to_vec();
    let curves = curves();
    let grid: Vec<u8> = [3, 3, 3].into_iter().chain([0; 13]).chain([1, 0, 0, 0]).chain(numbers(84)).collect();
    // 81 numbers, and three bytes up to the next multiple of four.
    let grid = [&grid[..20 + 81], &[0; 3]].concat();
    let stages = [curves.clone(), numbers(48).collect(), curves.clone(), grid, curves];
    let mut start = 32_u32;
    for stage in &stages {
        table.extend(start.to_be_bytes());
        start += u32::try_from(stage.len()).expect("it is short");
    }
    table.extend(stages.concat());
    table
}

fn profiles() -> Vec<(&'static str, Vec<u8>)> {
    let mut all: Vec<_> = [
        ("sRGB", ColorProfile::new_srgb()),
        ("Display P3", ColorProfile::new_display_p3()),
        ("Adobe RGB", ColorProfile::new_adobe_rgb()),
        ("BT.2020", ColorProfile::new_bt2020()),
        ("grey", ColorProfile::new_gray_with_gamma(2.2)),
    ]
    .into_iter()
    .map(|(name, profile)| (name, profile.encode().expect("it is a profile of the library's own")))
    .collect();
    let old = |name, width| {
        (name, profile_of(header(b"CMYK", b"Lab ", 2), &[white(), (*b"A2B0", old_table(width))]))
    };
    all.extend([old("ink in bytes", 1), old("ink in words", 2)]);
    all.push(("stages", profile_of(header(b"RGB ", b"Lab ", 4), &[white(), (*b"A2B0", new_table())])));
    all
}

#[test]
fn colours_stay_and_all_else_goes() {
    for (name, profile) in profiles() {
        let told = tell(&profile);
        assert!(corpus::secret_in(&told).is_some(), "{name} keeps no secret to begin with");
        let rebuilt = rebuild(&told).expect(name);
        assert_eq!(corpus::secret_in(&rebuilt), None, "{name} tells");
        assert_eq!(colours(&rebuilt), colours(&profile), "{name} shows other colours");
        for (what, range) in [("date", 24..36), ("maker and model", 48..56), ("creator and id", 80..128)] {
            assert!(rebuilt[range].iter().all(|&byte| byte == 0), "{name} tells its {what}");
        }
        assert_eq!(rebuild(&rebuilt).as_ref(), Some(&rebuilt), "{name}: rebuilt twice");
        assert_eq!(rebuilt[8], profile[8], "{name}: its version");
    }
}

#[test]
fn tables_stay_bit_for_bit_without_what_follows() {
    for table in [old_table(1), old_table(2), new_table()] {
        let (kind, data) = (table[..4].to_vec(), [table.as_slice(), corpus::CANARY.as_bytes()].concat());
        let profile = profile_of(header(b"CMYK", b"Lab ", 4), &[(*b"A2B0", data)]);
        let tags = tags_of(&rebuild(&profile).expect("it is a profile"));
        assert_eq!(tags[0], (*b"A2B0", table), "{}", kind.escape_ascii());
    }
}

#[test]
fn what_is_reserved_is_zero() {
    let mut table = new_table();
    // Of the table, of its first curve, of the grid: after its points and after its width.
    let grid = u32::from_be_bytes(*table[24..].first_chunk().expect("it is there")) as usize;
    for place in [4, 10, 32 + 4, 32 + 10, grid + 3, grid + 17] {
        table[place] = 99;
    }
    let profile = profile_of(header(b"RGB ", b"Lab ", 4), &[(*b"A2B0", table)]);
    let tags = tags_of(&rebuild(&profile).expect("it is a profile"));
    assert_eq!(tags[0].1, new_table());
}

#[test]
fn what_is_no_profile_of_a_picture_is_dropped() {
    let profile = ColorProfile::new_display_p3().encode().expect("it is a profile of the library's own");
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = profile.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let without = |tag: &[u8; 4]| {
        let tags: Vec<_> = tags_of(&profile).into_iter().filter(|(kind, _)| kind != tag).collect();
        profile_of(*profile.first_chunk().expect("it is whole"), &tags)
    };
    assert!(rebuild(&profile).is_some());
    for (what, bytes) in [
        ("text", corpus::CANARY.repeat(40).into_bytes()),
        ("nothing", Vec::new()),
        ("no signature", with(36, b"look")),
        ("a version to come", with(8, &[5])),
        ("a link between devices", with(12, b"link")),
        ("of names", with(16, b"HSV ")),
        ("without red", without(b"rXYZ")),
        ("without a curve", without(b"gTRC")),
        ("too long", [profile.clone(), vec![0; super::MAX_BYTES]].concat()),
    ] {
        assert_eq!(rebuild(&bytes), None, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damage_is_survived(
        pick: prop::sample::Index,
        length: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        thread_local!(static PROFILES: Vec<(&'static str, Vec<u8>)> = profiles());
        PROFILES.with(|profiles| -> Result<(), TestCaseError> {
            let mut bytes = tell(&pick.get(profiles).1);
            for (place, value) in &changes {
                let at = place.index(if value % 2 == 0 { bytes.len() } else { 360 });
                bytes[at] = *value;
            }
            if changes.is_empty() {
                bytes.truncate(length.index(bytes.len()));
            }
            if let Some(once) = rebuild(&bytes) {
                let twice = rebuild(&once);
                prop_assert_eq!(twice.as_ref(), Some(&once));
            }
            Ok(())
        })?;
    }
}
