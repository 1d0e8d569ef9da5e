//! Blobs in a folder of this machine.

use std::fs;
use std::path::Path;

use object_store::local::LocalFileSystem;

use super::BlobError;

/// Opens the folder, or makes it, and clears away what was being written when the last process ended.
pub(super) fn open(folder: &Path) -> Result<LocalFileSystem, BlobError> {
    fs::create_dir_all(folder)?;
    clear(folder)?;
    let store = LocalFileSystem::new_with_prefix(folder)?;
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

/// Unfinished files are named `<blob>#<number>`; the store neither lists nor deletes them.
fn clear(folder: &Path) -> Result<(), BlobError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            clear(&entry.path())?;
        } else if entry.file_name().to_string_lossy().contains('#') {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
