//! Which bytes a Download gives.

use std::ops::Range;

use crate::media::Sha256;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The first byte.
    pub offset: u64,
    /// How many; 0 for all there are.
    pub length: u64,
    /// Only if these are the bytes; otherwise all of them.
    pub of: Option<Sha256>,
}

/// The file ends before the first byte asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeyondEnd;

impl Wanted {
    /// The bytes of a file of `size` bytes with this hash. None are left (and that is no fault) to whoever has all of it.
    ///
    /// # Errors
    /// See [`BeyondEnd`].
    pub fn of(self, size: u64, sha256: Sha256) -> Result<Range<u64>, BeyondEnd> {
        if self.of.is_some_and(|wanted| wanted != sha256) {
            return Ok(0..size);
        }
        let left = size.checked_sub(self.offset).ok_or(BeyondEnd)?;
        let length = if self.length == 0 { left } else { self.length.min(left) };
        Ok(self.offset..self.offset + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THIS: Sha256 = Sha256([1; 32]);
    const OTHER: Sha256 = Sha256([2; 32]);

    fn of_ten(offset: u64, length: u64, of: Option<Sha256>) -> Result<Range<u64>, BeyondEnd> {
        Wanted { offset, length, of }.of(10, THIS)
    }

    #[test]
    fn a_range_ends_with_the_file() {
        for (offset, length, wanted) in [
            (0, 0, 0..10),
            (0, 1, 0..1),
            (0, 10, 0..10),
            (0, 11, 0..10),
            (3, 0, 3..10),
            (3, 4, 3..7),
            (9, 0, 9..10),
            (9, u64::MAX, 9..10),
            (10, 0, 10..10),
            (10, 5, 10..10),
        ] {
            assert_eq!(of_ten(offset, length, None), Ok(wanted.clone()), "{offset}+{length}");
            assert_eq!(of_ten(offset, length, Some(THIS)), Ok(wanted), "{offset}+{length} of the same bytes");
        }
    }

    #[test]
    fn nothing_begins_beyond_the_end() {
        for offset in [11, u64::MAX] {
            assert_eq!(of_ten(offset, 0, None), Err(BeyondEnd));
            assert_eq!(of_ten(offset, 1, Some(THIS)), Err(BeyondEnd));
        }
    }

    #[test]
    fn whoever_has_a_part_of_other_bytes_gets_all_of_these() {
        for (offset, length) in [(0, 0), (3, 4), (10, 0), (u64::MAX, 1)] {
            assert_eq!(of_ten(offset, length, Some(OTHER)), Ok(0..10), "{offset}+{length}");
        }
    }
}
