//! Copying everything while the server goes on.
//!
//! The copy is made beside its place and renamed, so that a folder of that name is a whole backup or none. The stores
//! are read as any reader reads them: the server's writer waits for nothing.

pub(super) mod blobs;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parlor_embedded::backup_file;
use parlor_runtime::clock::{Clock as _, SystemClock};

use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::files::{self, Stores};
use crate::manifest::{self, Entry, Manifest};
use crate::program::Program;

/// A backup is for its owner only: it holds keys and messages.
pub(super) const FOLDER_MODE: u32 = 0o700;
/// So are its files.
pub(super) const FILE_MODE: u32 = 0o600;

/// Copies what the services of `program` have in the data folder to `target`, which must not exist, or be empty.
///
/// # Errors
/// There is no data, it is damaged, `target` is taken, or something cannot be read or written; then there is no `target`.
pub async fn backup(program: &Program, config: &Config, target: &Path) -> Result<(), Failure> {
    let stores = require_data(program, &config.server.data)?;
    require_free(target)?;
    let partial = make_partial(target)?;
    let copied = copy(program, config, &stores, &partial).await;
    let copied = copied.and_then(|manifest| publish(&partial, target).map(|()| manifest));
    match copied {
        Ok(manifest) => print(&summary(&manifest, target)),
        Err(failure) => {
            if let Err(error) = fs::remove_dir_all(&partial) {
                tracing::warn!(%error, path = %partial.display(), "an unfinished backup stays behind");
            }
            Err(failure)
        }
    }
}

/// The stores in a data folder that has all it needs.
pub(super) fn require_data(program: &Program, data: &Path) -> Result<Stores, Failure> {
    let stores = Stores::of(data);
    if let Some(missing) = stores.needed(program).into_iter().find(|path| !path.exists()) {
        let message = format!("{} is no data folder: {} is missing", data.display(), files::name(missing));
        return Err(Failure::new(Code::Usage, message));
    }
    Ok(stores)
}

/// Refuses a place that holds anything.
pub(super) fn require_free(target: &Path) -> Result<(), Failure> {
    match files::is_free(target) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::new(
            Code::Usage,
            format!("{} is not empty; name a folder that is not there", target.display()),
        )),
        Err(error) => Err(Failure::io("look into", target, &error)),
    }
}

/// The folder that becomes `target` when it is complete.
pub(super) fn make_partial(target: &Path) -> Result<PathBuf, Failure> {
    let mut partial = target.components().as_path().as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    match DirBuilder::new().mode(FOLDER_MODE).create(&partial) {
        Ok(()) => Ok(partial),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::new(
            Code::Usage,
            format!(
                "{} is left from an attempt that was cut short, or another is at work; remove it",
                partial.display()
            ),
        )),
        Err(error) => Err(Failure::io("make", &partial, &error)),
    }
}

/// Puts the complete folder in its place.
pub(super) fn publish(partial: &Path, target: &Path) -> Result<(), Failure> {
    files::sync(partial).map_err(|error| Failure::io("write", partial, &error))?;
    let renamed = fs::rename(partial, target).and_then(|()| files::sync(files::parent(target)));
    renamed.map_err(|error| Failure::io("make", target, &error))
}

async fn copy(
    program: &Program,
    config: &Config,
    stores: &Stores,
    partial: &Path,
) -> Result<Manifest, Failure> {
    let (now, copies) = (SystemClock.wall(), Stores::of(partial));
    let mut names = Vec::new();
    for store in stores.all(program).into_iter().filter(|store| store.exists()) {
        let name = files::name(store);
        let copy = partial.join(name);
        if store == stores.keys {
            copy_keys(store, &copy).map_err(|error| Failure::io("copy", store, &error))?;
        } else {
            backup_file(store, &copy).await?;
        }
        names.push(name.to_owned());
    }
    let (config, partial) = (config.clone(), partial.to_owned());
    let described = tokio::task::spawn_blocking(move || {
        if copies.media.exists() {
            blobs::copy(&config, &partial)?;
        }
        describe(names, &partial, now)
    });
    described.await.unwrap_or_else(|error| Err(Failure::new(Code::Internal, error)))
}

/// Writes the manifest of what is in the folder: `stores`, and blobs.
fn describe(stores: Vec<String>, partial: &Path, now: SystemTime) -> Result<Manifest, Failure> {
    let blobs = blobs::names(partial).map_err(|error| Failure::io("read", partial, &error))?;
    let entries = stores.into_iter().chain(blobs).map(|name| {
        let path = partial.join(&name);
        let described =
            File::open(&path).and_then(|mut file| manifest::entry(&name, &mut file, &mut io::sink()));
        described.map_err(|error| Failure::io("read", &path, &error))
    });
    let manifest = Manifest::new(now, entries.collect::<Result<Vec<Entry>, _>>()?);
    manifest.write(partial).map_err(|error| Failure::io("write to", partial, &error))?;
    Ok(manifest)
}

fn copy_keys(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.sync_all()
}

fn summary(manifest: &Manifest, target: &Path) -> String {
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    format!("backed up to {} ({bytes} bytes)\n", target.display())
}
