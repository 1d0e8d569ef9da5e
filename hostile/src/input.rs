//! Bytes as a sequence of choices: which step comes next, and with what.
//!
//! Whatever the bytes are, they mean something; where they end, every choice is zero.

use arbitrary::Unstructured;
use parlor_types::Id;

/// Numbers at which things break.
const BORDERS: [u64; 12] = [
    u64::MAX,
    u64::MAX - 1,
    u64::MAX >> 1,
    (u64::MAX >> 1) + 1,
    1 << 53,
    1 << 32,
    u32::MAX as u64,
    1 << 31,
    65_536,
    4_097,
    4_096,
    1_000,
];

/// See the module.
pub struct Input<'a>(Unstructured<'a>);

impl<'a> Input<'a> {
    /// Of all of these bytes.
    pub fn new(data: &'a [u8]) -> Self {
        Self(Unstructured::new(data))
    }

    /// Whether there is nothing more to choose.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// A choice of 256.
    pub fn byte(&mut self) -> u8 {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A choice of two.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number: small, at a border of something, or any.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..200 => u64::from(small),
            border @ 200..240 => BORDERS[usize::from(border) % BORDERS.len()],
            _ => self.0.arbitrary().unwrap_or_default(),
        }
    }

    /// Some bytes: two that say how many, then those.
    pub fn bytes(&mut self) -> &'a [u8] {
        let wanted: u16 = self.0.arbitrary().unwrap_or_default();
        let there = usize::from(wanted).min(self.0.len());
        self.0.bytes(there).unwrap_or_default()
    }

    /// Some text; what is not UTF-8 is replaced.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// One of a few ids, so that the same come again.
    pub fn id<T: Id>(&mut self) -> T {
        T::from_bytes([self.byte() % 8; 16])
    }

    /// An id as it is sent, or what is none.
    pub fn id_text(&mut self) -> String {
        match self.byte() {
            few @ ..224 => uuid::Uuid::from_bytes([few % 8; 16]).as_hyphenated().to_string(),
            _ => self.text(),
        }
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }
}

/// Writes what [`Input`] reads: the seeds that a search begins with.
#[derive(Default)]
pub struct Script(Vec<u8>);

impl Script {
    /// A choice.
    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    /// Some bytes.
    ///
    /// # Panics
    /// There are more than can be counted in two bytes.
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        let length = u16::try_from(bytes.len()).expect("a seed is small");
        self.0.extend(length.to_le_bytes());
        self.0.extend(bytes);
        self
    }

    /// All that was written.
    pub fn end(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_end_is_zeros() {
        let script = Script::default().byte(7).bytes(b"words").byte(3).end();
        let mut input = Input::new(&script);
        assert_eq!((input.byte(), input.bytes(), input.number()), (7, b"words".as_slice(), 3));
        assert!(input.is_over());
        assert_eq!((input.byte(), input.number(), input.bytes()), (0, 0, b"".as_slice()));
    }

    #[test]
    fn fewer_bytes_than_were_announced_are_all_there_are() {
        assert_eq!(Input::new(&[9, 0, b'a']).bytes(), b"a");
    }
}
