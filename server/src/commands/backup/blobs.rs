//! The bytes of files that people have sent, in a backup.
//!
//! They are linked where that can be done, so a backup beside the data takes no room for them: they are written once and
//! never changed. The copy of the store is made before, and is made to name exactly what is there.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use media_svc::{BlobStore, complete_copy};

use crate::config::Config;
use crate::failure::Failure;
use crate::files::{self, BLOBS, Stores};

/// Takes the bytes that the copy of the store in the folder `partial` names from the data folder, and makes the two agree.
///
/// # Errors
/// Something cannot be read or written.
pub(super) fn copy(config: &Config, partial: &Path) -> Result<(), Failure> {
    let store = Stores::of(partial).media;
    if config.media.blobs.store != BlobStore::Local {
        complete_copy(&store, |_| Ok(true))?;
        tracing::warn!("the bytes of files are in a bucket, and not in this backup");
        return Ok(());
    }
    let (from, to) = (config.server.data.join(BLOBS), partial.join(BLOBS));
    let forgotten = complete_copy(&store, |path| take(&from.join(path), &to.join(path)))?;
    if forgotten > 0 {
        tracing::info!(files = forgotten, "files were deleted while the backup was made, and are not in it");
    }
    sync(&to).map_err(|error| Failure::io("write", &to, &error))
}

/// Whether `from` was there; then it is at `to` too.
fn take(from: &Path, to: &Path) -> io::Result<bool> {
    fs::create_dir_all(files::parent(to))?;
    let taken = match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            // On another disk, or on one that knows no links.
            fs::copy(from, to).and_then(|_| File::open(to)?.sync_all())
        }
        linked => linked,
    };
    match taken {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The names of all of them in the folder of a backup, in order.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for blob in all(&folder.join(BLOBS))? {
        let name = blob.strip_prefix(folder).map_err(io::Error::other)?;
        names.push(
            name.to_str().ok_or_else(|| io::Error::other("a blob has a name that is not text"))?.to_owned(),
        );
    }
    names.sort();
    Ok(names)
}

/// Whether a manifest may call a blob so: three plain words, of which the first is fixed.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let words: Vec<_> = name.split('/').collect();
    words.len() == 3 && words[0] == BLOBS && words.iter().all(|word| is_plain(word))
}

fn all(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        if entry.is_dir() { found.extend(all(&entry)?) } else { found.push(entry) }
    }
    Ok(found)
}

/// Makes the names below the folder of blobs survive power loss.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    let entries = entries(folder)?;
    entries.iter().filter(|entry| entry.is_dir()).try_for_each(|entry| files::sync(entry))?;
    if folder.exists() { files::sync(folder) } else { Ok(()) }
}

/// What is in a folder; nothing if there is none.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_words_below_the_folder_of_blobs_are_names_of_blobs() {
        assert!(is_name("blobs/0191f3a0-0000-7000-8000-000000000000/original"));
        for name in [
            "blobs",
            "blobs/a",
            "blobs/a/b/c",
            "blobs/../a",
            "blobs//a",
            "/blobs/a",
            "other/a/b",
            "blobs/a/..",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_taken_is_there_and_what_is_not_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("one"), "1").unwrap();
        assert!(take(&path("one"), &path("blobs/a/original")).unwrap());
        assert!(!take(&path("two"), &path("blobs/b/original")).unwrap());
        assert_eq!(fs::read(path("blobs/a/original")).unwrap(), b"1");
        assert_eq!(names(folder.path()).unwrap(), ["blobs/a/original"]);
        sync(&path("blobs")).unwrap();
    }
}
