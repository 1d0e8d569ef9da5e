//! Which process works at what, where several share a store.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;

use parlor_types::Op;

use super::{Result, Store, StoreError, make_private_folder};

/// The folder of the locks in a profile's folder.
const FOLDER: &str = "locks";

/// The right to work at something. It ends when this is dropped, and with the process, however that ends.
#[derive(Debug)]
pub struct Claim {
    lock: Option<(PathBuf, File)>,
}

impl Claim {
    /// The thing is done: nobody will want a claim to it again.
    pub fn finish(mut self) {
        if let Some((path, _)) = self.lock.take() {
            // What is left is an empty file.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Store {
    /// Claims the files of a message; none if somebody else has the claim. Look at what there is to do after this, not before.
    ///
    /// # Errors
    /// [`StoreError`] if the lock cannot be made.
    pub fn claim(&self, op: Op) -> Result<Option<Claim>> {
        let Some(folder) = &self.folder else { return Ok(Some(Claim { lock: None })) };
        let folder = folder.join(FOLDER);
        let path = folder.join(op.to_string());
        let io = |source| StoreError::Io { path: path.clone(), source };
        make_private_folder(&folder).map_err(io)?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Claim { lock: Some((path, file)) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}
