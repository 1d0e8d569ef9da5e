//! How far one upload has come: what is there, what is being written, what is safe.
//!
//! A state machine without a clock or I/O. A part that is there is never written again, so that nothing changes under
//! whoever checks the file.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use crate::failure::Failure;
use crate::parts::Parts;

/// See the module.
#[derive(Debug)]
pub struct Progress {
    parts: Parts,
    writing: BTreeSet<u64>,
    /// Bytes written since the last save began.
    unsaved_bytes: u64,
    /// There is something to save, if only that something came.
    dirty: bool,
    expires: SystemTime,
    touched: Instant,
    /// Why no more can be done here: what is on disk is to be looked at anew.
    ended: bool,
}

/// What to do with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is there already.
    There,
    /// Somebody is writing it: ask again when they have.
    BeingWritten,
    /// Write it, as part of this number; then say [`Progress::written`] or [`Progress::failed`].
    Write(u64),
}

/// What is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// What is there.
    pub parts: Parts,
    /// When the upload is forgotten.
    pub expires: SystemTime,
    bytes: u64,
}

impl Progress {
    /// As the store has it; `dirty` if less is there than it says.
    #[must_use]
    pub fn new(parts: Parts, expires: SystemTime, dirty: bool, now: Instant) -> Self {
        Self { parts, writing: BTreeSet::new(), unsaved_bytes: 0, dirty, expires, touched: now, ended: false }
    }

    /// A part has come.
    ///
    /// # Errors
    /// It cannot be one, or is too far ahead.
    pub fn admit(&mut self, offset: u64, length: u64, window: u64) -> Result<Admission, Failure> {
        let index = self.parts.locate(offset, length).map_err(Failure::Misplaced)?;
        if self.parts.contains(index) {
            return Ok(Admission::There);
        }
        let first = self.parts.first_missing().unwrap_or_default();
        if offset > first.saturating_add(window) {
            return Err(Failure::PartAhead);
        }
        if !self.writing.insert(index) {
            return Ok(Admission::BeingWritten);
        }
        Ok(Admission::Write(index))
    }

    /// It has been written.
    pub fn written(&mut self, index: u64, bytes: u64) {
        self.writing.remove(&index);
        self.parts.insert(index);
        self.unsaved_bytes += bytes;
        self.dirty = true;
    }

    /// It has not, or not all of it.
    pub fn failed(&mut self, index: u64) {
        self.writing.remove(&index);
    }

    /// Something came: it is kept longer.
    pub fn touch(&mut self, now: Instant, expires: SystemTime) {
        self.touched = now;
        self.expires = expires;
        self.dirty = true;
    }

    /// Bytes that were written and are not safe.
    #[must_use]
    pub fn unsaved_bytes(&self) -> u64 {
        self.unsaved_bytes
    }

    /// What to keep, once what has been written is on the disk; none if nothing is new.
    pub fn take_save(&mut self) -> Option<Save> {
        if !self.dirty {
            return None;
        }
        self.dirty = false;
        let bytes = std::mem::take(&mut self.unsaved_bytes);
        Some(Save { parts: self.parts.clone(), expires: self.expires, bytes })
    }

    /// It could not be kept.
    pub fn not_saved(&mut self, save: &Save) {
        self.dirty = true;
        self.unsaved_bytes += save.bytes;
    }

    /// No more can be done here.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether some part is being written.
    #[must_use]
    pub fn is_being_written(&self) -> bool {
        !self.writing.is_empty()
    }

    /// Whether no more can be done here.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Since when nothing has come, if all of it is safe.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        (!self.dirty && self.writing.is_empty()).then_some(self.touched)
    }

    /// What is there.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// When the upload is forgotten.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        self.expires
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::parts::PART_BYTES as P;

    fn progress(parts: u64) -> Progress {
        Progress::new(Parts::none(parts * P), SystemTime::UNIX_EPOCH, false, Instant::now())
    }

    #[test]
    fn a_part_is_written_once_and_by_one() {
        let mut progress = progress(3);
        assert!(matches!(progress.admit(P, P, 2 * P), Ok(Admission::Write(1))));
        assert!(matches!(progress.admit(P, P, 2 * P), Ok(Admission::BeingWritten)));
        progress.failed(1);
        assert!(matches!(progress.admit(P, P, 2 * P), Ok(Admission::Write(1))));
        progress.written(1, P);
        assert!(matches!(progress.admit(P, P, 2 * P), Ok(Admission::There)));
        assert_eq!(progress.parts().received_bytes(), P);
    }

    #[test]
    fn the_window_begins_at_the_first_missing_byte() {
        let mut progress = progress(4);
        assert!(matches!(progress.admit(3 * P, P, 2 * P), Err(Failure::PartAhead)));
        assert!(matches!(progress.admit(2 * P, P, 2 * P), Ok(Admission::Write(2))));
        progress.admit(0, P, 2 * P).unwrap();
        assert!(matches!(progress.admit(3 * P, P, 2 * P), Err(Failure::PartAhead)), "not there yet");
        progress.written(0, P);
        assert!(matches!(progress.admit(3 * P, P, 2 * P), Ok(Admission::Write(3))));
    }

    #[test]
    fn g1_what_could_not_be_kept_is_kept_the_next_time() {
        let mut progress = progress(3);
        assert_eq!(progress.take_save(), None);
        progress.admit(0, P, P).unwrap();
        assert!(progress.idle_since().is_none(), "it is being written");
        progress.written(0, P);
        let save = progress.take_save().expect("it is new");
        progress.admit(P, P, P).unwrap();
        progress.written(1, P);
        progress.not_saved(&save);
        assert_eq!(progress.unsaved_bytes(), 2 * P);
        assert_eq!(progress.take_save().map(|save| save.parts.received_bytes()), Some(2 * P), "G1");
        assert!(progress.idle_since().is_some());
    }

    #[test]
    fn each_part_moves_the_end() {
        let mut progress = progress(1);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        progress.touch(Instant::now(), later);
        assert_eq!(progress.take_save().map(|save| save.expires), Some(later));
        assert_eq!(progress.take_save(), None);
    }
}
