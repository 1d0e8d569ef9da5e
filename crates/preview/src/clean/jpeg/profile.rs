//! The colour profile of a JPEG, which comes in up to 255 numbered parts.

use crate::profile;

/// What a part begins with.
pub const PREFIX: &[u8] = b"ICC_PROFILE\0";
/// Of a part, after its number and how many there are.
const PART_BYTES: usize = 65_533 - PREFIX.len() - 2;

/// The parts that have been read.
#[derive(Default)]
pub struct Parts {
    parts: Vec<(u8, Vec<u8>)>,
    bytes: usize,
    is_written: bool,
}

impl Parts {
    /// Takes a part: what follows the prefix.
    pub fn add(&mut self, data: &[u8]) {
        let [number, _, part @ ..] = data else { return };
        let is_new = self.parts.iter().all(|(other, _)| other != number);
        if is_new && self.bytes + part.len() <= profile::MAX_BYTES {
            self.bytes += part.len();
            self.parts.push((*number, part.to_vec()));
        }
    }

    /// Once, the parts of what is kept of the profile: segments without their prefix.
    pub fn take(&mut self) -> Vec<Vec<u8>> {
        if self.is_written || self.parts.is_empty() {
            return Vec::new();
        }
        self.is_written = true;
        self.parts.sort_by_key(|(number, _)| *number);
        let whole: Vec<u8> = std::mem::take(&mut self.parts).into_iter().flat_map(|(_, part)| part).collect();
        let rebuilt = profile::rebuild(&whole).unwrap_or_default();
        let parts = rebuilt.chunks(PART_BYTES);
        let count = u8::try_from(parts.len()).unwrap_or(0);
        parts.zip(1..=count).map(|(part, number)| [&[number, count], part].concat()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus;

    #[test]
    fn parts_are_joined_in_the_order_of_their_numbers() {
        let told = corpus::telling_profile();
        let (one, other) = told.split_at(300);
        let mut parts = Parts::default();
        parts.add(&[&[2, 2], other].concat());
        parts.add(&[&[1, 2], one].concat());
        parts.add(&[&[1, 2], other].concat());
        let [only] = parts.take().try_into().expect("it fits into one");
        assert_eq!(only, [&[1, 1], profile::rebuild(&told).expect("it is one").as_slice()].concat());
        parts.add(&[&[1, 1], told.as_slice()].concat());
        assert!(parts.take().is_empty(), "a picture has one profile");
    }

    #[test]
    fn what_is_no_profile_has_no_parts() {
        let mut parts = Parts::default();
        parts.add(corpus::CANARY.as_bytes());
        assert!(parts.take().is_empty());
    }

    #[test]
    fn a_long_profile_comes_in_parts() {
        // A grid of 30 points along three channels: 162,000 bytes.
        let mut table = b"mft2\0\0\0\0\x03\x03\x1e\0".to_vec();
        table.extend([0; 36]);
        table.extend([0, 2, 0, 2]);
        table.resize(table.len() + 2 * (2 * 3 + 27_000 * 3 + 2 * 3), 9);
        let header = *corpus::telling_profile().first_chunk().expect("it is whole");
        let profile = corpus::profile::profile_of(header, &[(*b"A2B0", table)]);
        let mut parts = Parts::default();
        for (number, part) in (1..).zip(profile.chunks(60_000)) {
            parts.add(&[&[number, 3], part].concat());
        }
        let written = parts.take();
        assert_eq!(written.len(), 3);
        let joined: Vec<u8> = written.iter().flat_map(|part| &part[2..]).copied().collect();
        assert_eq!(Some(joined), profile::rebuild(&profile));
    }
}
