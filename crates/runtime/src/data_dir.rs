//! A data folder whose parts belong to one process each, at a time.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Folders are made for their owner only: they hold keys and messages.
const FOLDER_MODE: u32 = 0o700;

/// A folder of which this process holds some parts, or all. The locks end with this value, or with the process, however
/// that ends.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _locks: Vec<File>,
}

/// Why a folder cannot be had.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("the data folder {} is in use by {holder}; stop that first, or name another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// "process 123", as far as that is known.
        holder: String,
    },
    /// The folder or its lock cannot be made.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder if it is not there (readable by its owner only) and takes the lock of each of `parts`.
    ///
    /// # Errors
    /// Another process has one of the locks, or the folder cannot be written.
    pub fn open(path: impl Into<PathBuf>, parts: &[&str]) -> Result<Self, DataDirError> {
        let path = path.into();
        let made = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&path);
        made.map_err(|source| DataDirError::Io { path: path.clone(), source })?;
        let locks = parts.iter().map(|part| lock(&path, part)).collect::<Result<_, _>>()?;
        Ok(Self { path, _locks: locks })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Where the lock of `part` of the folder `path` is: a file that also names, for people, the process that holds it.
#[must_use]
pub fn lock_file(path: &Path, part: &str) -> PathBuf {
    path.join(format!("{part}.lock"))
}

fn lock(path: &Path, part: &str) -> Result<File, DataDirError> {
    let io_error = |source| DataDirError::Io { path: path.to_owned(), source };
    let file = lock_file(path, part);
    let mut lock = File::options().create(true).truncate(false).write(true).open(&file).map_err(io_error)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DataDirError::InUse { holder: holder(&file), path: path.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(io_error(source)),
    }
    lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(io_error)?;
    Ok(lock)
}

/// The holder writes its id just after it has the lock: until then nothing, or an old id, may stand there.
fn holder(lock_path: &Path) -> String {
    let text = fs::read_to_string(lock_path).unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_part_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/data");
        let first = DataDir::open(&path, &["chat", "auth"]).unwrap();
        assert_eq!(first.path(), path);
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, FOLDER_MODE, "{mode:o}");
        DataDir::open(&path, &["media"]).expect("another part is free");
        let second = DataDir::open(&path, &["media", "auth"]).expect_err("it is held").to_string();
        assert!(second.contains(&format!("in use by process {}", std::process::id())), "{second}");
        drop(first);
        DataDir::open(&path, &["media", "auth"]).unwrap();
    }

    #[test]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let error = DataDir::open(&path, &["chat"]).expect_err("it is a file");
        assert!(matches!(error, DataDirError::Io { .. }), "{error}");
    }
}
