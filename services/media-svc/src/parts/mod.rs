//! Which parts of a file are there: one bit for each part of the grid.

use std::fmt;
use std::ops::Range;

use parlor_types::limits::MAX_MISSING_RANGES;

/// Bytes of every part but the last. Fixed: what is kept of an upload is a bit for each.
pub const PART_BYTES: u64 = 256 * 1024;

/// See the module.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts {
    size: u64,
    bits: Vec<u8>,
}

/// Why a part has no place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// Its offset is on no border of the grid, or beyond the end.
    Offset,
    /// It is not as long as the part at its offset.
    Length,
}

impl Parts {
    /// Of a file of `size` bytes, at least 1, none.
    #[must_use]
    pub fn none(size: u64) -> Self {
        let bytes = usize::try_from(count(size).div_ceil(8)).expect("a file that fits on a disk");
        Self { size, bits: vec![0; bytes] }
    }

    /// As [`Parts::as_bytes`] gave them; bits that are not there count as missing parts.
    #[must_use]
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Self {
        let mut parts = Self::none(size);
        for index in 0..count(size) {
            let byte = bytes.get(at(index)).copied().unwrap_or_default();
            if byte & bit(index) != 0 {
                parts.insert(index);
            }
        }
        parts
    }

    /// For a store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// Which part this is.
    ///
    /// # Errors
    /// It is none.
    pub fn locate(&self, offset: u64, length: u64) -> Result<u64, Misplaced> {
        if !offset.is_multiple_of(PART_BYTES) || offset >= self.size {
            return Err(Misplaced::Offset);
        }
        if length != PART_BYTES.min(self.size - offset) {
            return Err(Misplaced::Length);
        }
        Ok(offset / PART_BYTES)
    }

    /// Whether the part is there.
    #[must_use]
    pub fn contains(&self, index: u64) -> bool {
        self.bits.get(at(index)).is_some_and(|byte| byte & bit(index) != 0)
    }

    /// It is there now.
    pub fn insert(&mut self, index: u64) {
        debug_assert!(index < count(self.size), "a part of this file");
        if let Some(byte) = self.bits.get_mut(at(index)) {
            *byte |= bit(index);
        }
    }

    /// Whether all are there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.first_missing().is_none()
    }

    /// Where the first missing part begins.
    #[must_use]
    pub fn first_missing(&self) -> Option<u64> {
        (0..count(self.size)).find(|index| !self.contains(*index)).map(|index| index * PART_BYTES)
    }

    /// How many bytes are there.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        (0..count(self.size)).filter(|index| self.contains(*index)).map(|index| self.length(index)).sum()
    }

    /// What is missing, lowest first, in bytes.
    #[must_use]
    pub fn missing(&self) -> Vec<Range<u64>> {
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for index in (0..count(self.size)).filter(|index| !self.contains(*index)) {
            let (start, end) = (index * PART_BYTES, index * PART_BYTES + self.length(index));
            let full = ranges.len() == MAX_MISSING_RANGES;
            match ranges.last_mut() {
                Some(last) if full || last.end == start => last.end = end,
                _ => ranges.push(start..end),
            }
        }
        ranges
    }

    fn length(&self, index: u64) -> u64 {
        PART_BYTES.min(self.size - index * PART_BYTES)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("size", &self.size).field("missing", &self.missing()).finish()
    }
}

/// Parts of a file of this size.
fn count(size: u64) -> u64 {
    size.div_ceil(PART_BYTES)
}

fn at(index: u64) -> usize {
    usize::try_from(index / 8).expect("a file that fits on a disk")
}

fn bit(index: u64) -> u8 {
    1 << (index % 8)
}

#[cfg(test)]
mod tests;
