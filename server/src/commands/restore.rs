//! Making a data folder out of a backup.
//!
//! Nothing of the backup is trusted before it has been checked: the manifest against every byte, then every page of
//! the databases. The restored conversations get a new generation, by which clients notice that they may know more
//! than the server does, and sync afresh.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chat_svc::store::new_generation;
use media_svc::{BlobStore, complete_copy, disown_copy};
use parlor_embedded::check_file;
use parlor_runtime::data_dir::{DataDir, lock_file};

use super::backup::{FILE_MODE, FOLDER_MODE, blobs, make_partial, publish, require_free};
use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::{self, BLOBS, Stores};
use crate::manifest::{self, MANIFEST, Manifest};
use crate::program::{Program, Service};

/// Makes the data folder, which must not exist, or be empty, out of the backup `source` of the same `program`.
///
/// # Errors
/// The folder is in use or holds something, the backup is damaged, or something cannot be read or written; then the folder is
/// as it was.
pub async fn restore(program: &'static Program, source: &Path, config: &Config) -> Result<(), Failure> {
    let data = config.server.data.as_path();
    require_unused(program, data)?;
    require_free(data)?;
    let manifest = Manifest::read(source).map_err(|error| Failure::new(Code::Data, error))?;
    require_complete(program, &manifest, &Stores::of(source))?;
    let partial = make_partial(data)?;
    let (from, to) = (source.to_owned(), partial.clone());
    let in_bucket = config.media.blobs.store != BlobStore::Local;
    let make = move || {
        make(program, &manifest, &from, &to)?;
        disown_media(&to)?;
        if in_bucket { Ok(()) } else { require_blobs(&to) }
    };
    let made = tokio::task::spawn_blocking(make).await;
    let made = made.unwrap_or_else(|error| Err(Failure::new(Code::Internal, error)));
    if let Err(failure) = made.and_then(|()| publish(&partial, data)) {
        if let Err(error) = fs::remove_dir_all(&partial) {
            tracing::warn!(%error, path = %partial.display(), "an unfinished restore stays behind");
        }
        return Err(failure);
    }
    print(&format!("restored to {}\n", data.display()))
}

/// Says so, if a server has the folder: that is a better answer than that it is not empty.
fn require_unused(program: &Program, data: &Path) -> Result<(), Failure> {
    let parts = program.parts();
    if parts.iter().any(|part| lock_file(data, part).exists()) {
        DataDir::open(data, &parts)?;
    }
    Ok(())
}

fn require_complete(program: &Program, manifest: &Manifest, stores: &Stores) -> Result<(), Failure> {
    let listed: BTreeSet<_> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    let names = |paths: Vec<_>| paths.into_iter().map(files::name).collect::<Vec<_>>();
    let (all, needed) = (names(stores.all(program)), names(stores.needed(program)));
    let unknown = listed.iter().find(|name| !all.contains(name) && !blobs::is_name(name));
    let missing = needed.iter().find(|name| !listed.contains(*name));
    let wrong = match (unknown, missing) {
        (Some(name), _) => format!("lists {name:?}"),
        (None, Some(name)) => format!("does not list {name}"),
        (None, None) if listed.len() < manifest.files.len() => "lists something twice".to_owned(),
        (None, None) => return Ok(()),
    };
    let all = all.join(", ");
    let (of, blobs) = (
        program.name,
        if program.runs(Service::Media) { format!(", and files in {BLOBS}") } else { String::new() },
    );
    Err(Failure::new(Code::Data, format!("{MANIFEST} {wrong}; a backup of {of} has {all}{blobs}")))
}

fn make(program: &Program, manifest: &Manifest, source: &Path, partial: &Path) -> Result<(), Failure> {
    for expected in &manifest.files {
        let (from, to) = (source.join(&expected.name), partial.join(&expected.name));
        let found = copy(&expected.name, &from, &to).map_err(|error| Failure::io("copy", &from, &error))?;
        if found != *expected {
            let message = format!("{} is not as it was written: damaged, or changed since", from.display());
            return Err(Failure::new(Code::Data, message));
        }
    }
    let stores = Stores::of(partial);
    let databases = || stores.databases(program).into_iter().filter(|store| store.exists());
    for store in databases() {
        let named = |error| Failure::new(Code::Data, format!("{}: {error}", files::name(store)));
        check_file(store).map_err(named)?;
    }
    if program.runs(Service::Chat) {
        new_generation(&stores.chat)
            .map_err(|error| Failure::new(Code::Data, format!("{}: {error}", files::name(&stores.chat))))?;
    }
    for store in databases() {
        finish(store).map_err(|error| Failure::io("write", store, &error))?;
    }
    Ok(())
}

/// Makes the restored store another one than that which the backup was made of: if that one still has its bucket, this one is not
/// to delete there what it does not know.
fn disown_media(partial: &Path) -> Result<(), Failure> {
    let store = Stores::of(partial).media;
    if !store.exists() {
        return Ok(());
    }
    disown_copy(&store)?;
    finish(&store).map_err(|error| Failure::io("write", &store, &error))
}

/// Whether all files are there that the restored store names; a backup makes sure of that.
fn require_blobs(partial: &Path) -> Result<(), Failure> {
    let (store, blobs_in) = (Stores::of(partial).media, partial.join(BLOBS));
    if !store.exists() {
        return Ok(());
    }
    let missing = complete_copy(&store, |path| blobs_in.join(path).try_exists())?;
    finish(&store).map_err(|error| Failure::io("write", &store, &error))?;
    if missing == 0 {
        return blobs::sync(&blobs_in).map_err(|error| Failure::io("write", &blobs_in, &error));
    }
    let message = format!(
        "the backup lacks the bytes of {missing} files; if they are in a bucket, say which (media.blobs in --config)"
    );
    Err(Failure::new(Code::Data, message))
}

fn copy(name: &str, from: &Path, to: &Path) -> io::Result<manifest::Entry> {
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    }
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(to)?;
    let entry = manifest::entry(name, &mut File::open(from)?, &mut copy)?;
    copy.sync_all()?;
    Ok(entry)
}

/// Takes away the empty files that a connection which may not write leaves beside a database.
fn finish(store: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let mut beside = store.as_os_str().to_owned();
        beside.push(suffix);
        let beside = PathBuf::from(beside);
        match fs::metadata(&beside) {
            Ok(_) if suffix == "-wal" && fs::metadata(&beside)?.len() > 0 => {
                return Err(io::Error::other("its log was not moved into it"));
            }
            Ok(_) => fs::remove_file(&beside)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(store)?.sync_all()
}
