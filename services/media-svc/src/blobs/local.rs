//! Blobs in a folder of this machine.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::BlobError;
use crate::room;

/// In the name of what is not whole yet: `<blob>#<number>`. The store neither lists nor deletes it.
const PARTIAL: char = '#';
/// A folder for a blob may go, being empty, before the blob is in it.
const TRIES: usize = 5;

/// A folder of blobs, and how many bytes of its disk are left free.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) files: Arc<LocalFileSystem>,
    root: Arc<Path>,
    reserve: u64,
}

impl Folder {
    /// Opens the folder, or makes it, and clears away what was being written when the last process ended.
    pub(super) fn open(root: &Path) -> Result<Self, BlobError> {
        fs::create_dir_all(root)?;
        clear(root)?;
        let files = LocalFileSystem::new_with_prefix(root)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Self { files: Arc::new(files), root: root.into(), reserve: 0 })
    }

    /// The same, leaving so many bytes of the disk free.
    pub(super) fn reserving(self, reserve: u64) -> Self {
        Self { reserve, ..self }
    }

    /// Puts the bytes of a file there: they are on the disk once this has answered. If they cannot be, nothing is left of them, and
    /// what was there before is there.
    pub(super) async fn put(&self, key: &Key, from: &Path) -> Result<(), BlobError> {
        let to = self.files.path_to_filesystem(key)?;
        let (root, reserve, from) = (Arc::clone(&self.root), self.reserve, from.to_owned());
        let put = spawn_blocking(move || put(&root, reserve, &from, &to));
        Ok(put.await.map_err(io::Error::other)??)
    }
}

fn put(root: &Path, reserve: u64, from: &Path, to: &Path) -> io::Result<()> {
    let mut from = File::open(from)?;
    room::check(File::open(root)?, from.metadata()?.len(), reserve)?;
    let folder = to.parent().unwrap_or(root);
    let (partial, mut file) = create(folder, to)?;
    // Written anew each time: what a sync could not keep is never taken for kept.
    let done = io::copy(&mut from, &mut file)
        .and_then(|_| file.sync_all())
        .and_then(|()| fs::rename(&partial, to))
        .and_then(|()| sync_names(root, folder));
    if done.is_err() {
        // The first error is the one to tell. A folder that is not empty stays.
        let _ = fs::remove_file(&partial);
        let _ = fs::remove_dir(folder);
    }
    done
}

/// A new file of its own beside `to`.
fn create(folder: &Path, to: &Path) -> io::Result<(PathBuf, File)> {
    let mut name = to.as_os_str().to_owned();
    name.push(format!("{PARTIAL}{}", Uuid::new_v4().as_u64_pair().0));
    let mut tries = 1..=TRIES;
    loop {
        fs::create_dir_all(folder)?;
        match File::create_new(&name) {
            Ok(file) => return Ok((name.into(), file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries.next().is_some() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The names in `folder`, and those of it and the folders around it up to `root`, are on the disk.
fn sync_names(root: &Path, folder: &Path) -> io::Result<()> {
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(root));
    folders.into_iter().try_for_each(|folder| File::open(folder)?.sync_all())
}

fn clear(folder: &Path) -> Result<(), BlobError> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            clear(&entry.path())?;
        } else if entry.file_name().to_string_lossy().contains(PARTIAL) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
