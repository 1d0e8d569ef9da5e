//! How a store is opened.

use std::path::PathBuf;
use std::sync::Arc;

/// Called with the reason when the store must not go on. Returning from it is for tests: every later call then
/// answers `Stopped`.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Exit code of the default [`OnFatal`]: `EX_SOFTWARE` of `sysexits.h`.
const FATAL_EXIT_CODE: i32 = 70;

/// The default of [`Options::checked_bytes`]: what is looked through in a fraction of a second.
const CHECKED_BYTES: u64 = 32 * 1024 * 1024;

/// How a store is opened. [`Options::new`] fills in the defaults.
#[derive(Clone)]
pub struct Options {
    /// The SQLite file. Its folder must exist; `-wal`, `-shm` and `.lock` files appear beside it.
    pub path: PathBuf,
    /// Largest size of the file in bytes, rounded down to whole pages; none means what the disk holds. A file that
    /// is larger already stays as large as it is. The log beside it (`-wal`) comes on top.
    pub max_bytes: Option<u64>,
    /// A file of up to this size, in bytes, is looked through for damage before it is opened, and not opened if there is any.
    /// Larger ones take as long as reading all of them does, and are left to [`check_file`](crate::check_file).
    pub checked_bytes: u64,
    /// Reader threads, at least 1, each with a connection of its own.
    pub readers: usize,
    /// Jobs that may wait, at least 1, for the writer and again for the readers; beyond, calls answer `Busy`.
    pub queue: usize,
    /// Most jobs in one commit, at least 1.
    pub batch: usize,
    /// What to do when the store must not go on; by default the process exits with code 70.
    pub on_fatal: OnFatal,
}

impl Options {
    /// The defaults: no size limit, up to 32 MiB checked, 2 readers, a queue of 4096, up to 512 jobs in a commit.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: None,
            checked_bytes: CHECKED_BYTES,
            readers: 2,
            queue: 4096,
            batch: 512,
            on_fatal: Arc::new(|_| std::process::exit(FATAL_EXIT_CODE)),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("path", &self.path)
            .field("max_bytes", &self.max_bytes)
            .field("checked_bytes", &self.checked_bytes)
            .field("readers", &self.readers)
            .field("queue", &self.queue)
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
