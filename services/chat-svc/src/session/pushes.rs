//! The order of pushes: unary calls overtake each other, their numbers put them right.

use std::collections::BTreeMap;

use bytes::Bytes;

/// How far ahead of the first missing one a push may be.
const AHEAD: u64 = 16;

/// Why a push is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushError {
    /// Numbers count from 1.
    Zero,
    /// Too far ahead of the first that is missing.
    Ahead,
}

/// The pushes of one stream.
#[derive(Debug, Default)]
pub struct Pushes {
    done: u64,
    early: BTreeMap<u64, Vec<Bytes>>,
}

impl Pushes {
    /// Takes a push; gives the frames whose turn has come, in order. A number that was taken before gives none.
    ///
    /// # Errors
    /// The number cannot be taken now.
    pub fn take(&mut self, number: u64, frames: Vec<Bytes>) -> Result<Vec<Bytes>, PushError> {
        if number == 0 {
            return Err(PushError::Zero);
        }
        if number > self.done + AHEAD {
            return Err(PushError::Ahead);
        }
        if number > self.done {
            self.early.entry(number).or_insert(frames);
        }
        let mut ready = Vec::new();
        while let Some(frames) = self.early.remove(&(self.done + 1)) {
            self.done += 1;
            ready.extend(frames);
        }
        Ok(ready)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_take_effect_once_and_in_order() {
        let frame = |text: &'static str| vec![Bytes::from_static(text.as_bytes())];
        let mut pushes = Pushes::default();
        assert_eq!(pushes.take(2, frame("b")), Ok(vec![]));
        assert_eq!(pushes.take(2, frame("b")), Ok(vec![]));
        assert_eq!(pushes.take(1, frame("a")), Ok([frame("a"), frame("b")].concat()));
        assert_eq!(pushes.take(1, frame("a")), Ok(vec![]));
        assert_eq!(pushes.take(3, frame("c")), Ok(frame("c")));
        assert_eq!(pushes.take(0, frame("x")), Err(PushError::Zero));
        assert_eq!(pushes.take(19, frame("s")), Ok(vec![]));
        assert_eq!(pushes.take(20, frame("t")), Err(PushError::Ahead));
    }
}
