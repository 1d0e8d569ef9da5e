//! The parent's side: starts a child for each inspection, holds it to its limits and takes what it says.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{InspectError, Inspected, Wanted};

/// What inspections may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Inspections at once; the number of cores, if nothing speaks for another.
    pub jobs: usize,
    /// Inspections that may wait for a place; more get [`InspectError::Busy`].
    pub waiting: usize,
    /// How long one may wait for a place before it gets [`InspectError::Busy`].
    pub wait: Duration,
    /// How long one may run, by the clock on the wall, before it is killed.
    pub time: Duration,
    /// Bytes that a child may write: the cleaned original and thumbnails together.
    pub output_bytes: u64,
}

/// Looks at uploads, each in a child process of its own.
#[derive(Debug)]
pub struct Inspector {
    limits: Limits,
    command: Vec<OsString>,
}

impl Inspector {
    /// `command` starts a process that runs [`worker`](crate::worker): program, then arguments. The program is an absolute
    /// path, since the child gets no environment.
    pub fn new(limits: Limits, command: Vec<OsString>) -> Self {
        Self { limits, command }
    }

    /// Looks at the file `input`. Into the folder `output`, which must exist, it writes `original` if others are to get
    /// something else than the input, and thumbnails beside it; if it fails, it may leave files there. `claimed` is what
    /// the uploader takes it for, such as `image/jpeg`, or empty.
    ///
    /// # Errors
    ///
    /// As [`InspectError`] says. When this is dropped the child is killed.
    pub async fn inspect(
        &self,
        input: &Path,
        wanted: Wanted,
        claimed: &str,
        output: &Path,
    ) -> Result<Inspected, InspectError> {
        let _ = (&self.limits, &self.command, input, wanted, claimed, output);
        Err(InspectError::Failed(io::Error::from(io::ErrorKind::Unsupported)))
    }
}
