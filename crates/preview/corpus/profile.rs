//! Colour profiles that tell whose screen it was.

use super::{CANARY, secrets};

const HEADER_BYTES: usize = 128;
const ENTRY_BYTES: usize = 12;

/// A profile that is not sRGB, with secrets wherever it can hold them.
pub fn telling_profile() -> Vec<u8> {
    let profile =
        moxcms::ColorProfile::new_display_p3().encode().expect("it is a profile of the library's own");
    tell(&profile)
}

/// Puts secrets into a profile: names, private tags, a date, reserved bytes, what follows a curve and what no tag uses.
pub fn tell(profile: &[u8]) -> Vec<u8> {
    let secrets = secrets();
    let text = |kind: &[u8]| [kind, &[0; 4], &secrets, &[0]].concat();
    let described = [b"desc\0\0\0\0\0\0\0\x12", CANARY.as_bytes(), &[0; 79]].concat();
    let mut tags = tags_of(profile);
    tags.retain(|(kind, _)| ![b"desc", b"cprt"].contains(&kind));
    if let Some((_, curve)) = tags.iter_mut().find(|(kind, _)| kind == b"rTRC") {
        curve.extend(&secrets);
    }
    tags.extend([
        (*b"desc", described),
        (*b"cprt", text(b"text")),
        (*b"mmod", text(b"mmod")),
        (*b"meta", text(b"dict")),
        (*b"dmnd", text(b"text")),
        (*b"vcgt", text(b"vcgt")),
    ]);
    let mut header: [u8; HEADER_BYTES] = *profile.first_chunk().expect("it is a profile");
    header[24..36].copy_from_slice(&[7, 234, 0, 11, 0, 23, 0, 10, 0, 30, 0, 5]);
    header[48..56].copy_from_slice(&secrets[..8]);
    header[80..84].copy_from_slice(&secrets[..4]);
    header[84..100].copy_from_slice(&secrets[..16]);
    header[100..100 + CANARY.len()].copy_from_slice(CANARY.as_bytes());
    let mut told = profile_of(header, &tags);
    told.extend(&secrets);
    let length = u32::try_from(told.len()).expect("it is short");
    told[..4].copy_from_slice(&length.to_be_bytes());
    told
}

/// A profile with this header and these tags.
pub fn profile_of(mut header: [u8; HEADER_BYTES], tags: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let short = |count: usize| u32::try_from(count).expect("profiles here are short");
    let mut table = short(tags.len()).to_be_bytes().to_vec();
    let start = HEADER_BYTES + 4 + ENTRY_BYTES * tags.len();
    let mut data = Vec::new();
    for (kind, tag) in tags {
        table.extend(kind);
        table.extend(short(start + data.len()).to_be_bytes());
        table.extend(short(tag.len()).to_be_bytes());
        data.extend(tag);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    header[..4].copy_from_slice(&short(start + data.len()).to_be_bytes());
    [&header[..], &table, &data].concat()
}

/// The tags of a profile, in its order.
pub fn tags_of(profile: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let number =
        |at: usize| u32::from_be_bytes(*profile[at..].first_chunk().expect("the profile is whole")) as usize;
    let tag = |index: usize| {
        let entry = HEADER_BYTES + 4 + ENTRY_BYTES * index;
        let kind = *profile[entry..].first_chunk().expect("the profile is whole");
        (kind, profile[number(entry + 4)..][..number(entry + 8)].to_vec())
    };
    (0..number(HEADER_BYTES)).map(tag).collect()
}

/// All that a profile says of colours, in words. The white between profiles is the same for all, but some round it.
pub fn colours(profile: &[u8]) -> String {
    let read = moxcms::ColorProfile::new_from_slice(profile).expect("it is a profile");
    let kind = (read.color_space, read.pcs, read.profile_class, read.rendering_intent);
    let primaries = (read.red_colorant, read.green_colorant, read.blue_colorant);
    let curves = (read.red_trc, read.green_trc, read.blue_trc, read.gray_trc);
    let white = (read.media_white_point, read.black_point, read.luminance, read.chromatic_adaptation);
    let to = (read.lut_a_to_b_perceptual, read.lut_a_to_b_colorimetric, read.lut_a_to_b_saturation);
    let from = (read.lut_b_to_a_perceptual, read.lut_b_to_a_colorimetric, read.lut_b_to_a_saturation);
    format!("{kind:?} {primaries:?} {curves:?} {white:?} {:?} {to:?} {from:?} {:?}", read.cicp, read.gamut)
}
