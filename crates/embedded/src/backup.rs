//! Online copies: made under another name, looked through for damage, synced, then renamed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use rusqlite::Connection;
use rusqlite::backup::StepResult;
use tokio::sync::oneshot;

use crate::error::{BackupError, OpenError};
use crate::{files, open, tx};

/// A finished backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The last commit it contains.
    pub commit_number: u64,
    /// Its size.
    pub bytes: u64,
}

/// Copies on a thread of its own, so that a large store takes no reader away.
pub(crate) async fn run(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let (store, target) = (store.to_owned(), target.to_owned());
    let (answer, answered) = oneshot::channel();
    let path = target.clone();
    thread::Builder::new()
        .name("embedded-backup".to_owned())
        .spawn(move || drop(answer.send(copy(&store, &target))))
        .map_err(|source| BackupError::Io { path, source })?;
    answered.await.unwrap_or(Err(BackupError::Stopped))
}

fn copy(store: &Path, target: &Path) -> Result<Backup, BackupError> {
    let io_error = |path: &Path, source| BackupError::Io { path: path.to_owned(), source };
    if target.try_exists().map_err(|source| io_error(target, source))? {
        return Err(BackupError::Exists { path: target.to_owned() });
    }
    let partial = open::beside(target, ".partial");
    remove_if_there(&partial).map_err(|source| io_error(&partial, source))?;
    let commit_number = copy_snapshot(store, &partial).inspect_err(|_| discard(&partial))?;
    let bytes = publish(&partial, target).map_err(|source| io_error(target, source))?;
    Ok(Backup { commit_number, bytes })
}

/// SQLite's page-by-page copy: it keeps rowids and settings, which `VACUUM INTO` may change.
fn copy_snapshot(store: &Path, partial: &Path) -> Result<u64, BackupError> {
    const ALL_PAGES: i32 = -1;
    let source = open::reader(store).map_err(|error| match error {
        OpenError::Sqlite(error) => BackupError::Sqlite(error),
        error => BackupError::Io { path: store.to_owned(), source: io::Error::other(error) },
    })?;
    let snapshot = source.unchecked_transaction()?;
    let commit_number = tx::stored_commit_number(&snapshot)?;
    let mut copy = Connection::open(partial)?;
    let step = rusqlite::backup::Backup::new(&snapshot, &mut copy)?.step(ALL_PAGES)?;
    if !matches!(step, StepResult::Done) {
        return Err(BackupError::Locked);
    }
    if let Some(fault) = files::first_fault(&copy)? {
        return Err(BackupError::Damaged { path: store.to_owned(), fault });
    }
    copy.close().map_err(|(_, error)| error)?;
    Ok(commit_number)
}

fn publish(partial: &PathBuf, target: &Path) -> io::Result<u64> {
    let file = File::open(partial)?;
    file.sync_all()?;
    fs::rename(partial, target)?;
    open::fsync_folder(open::folder_of(target))?;
    Ok(file.metadata()?.len())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// The error that led here matters more than this one.
fn discard(partial: &Path) {
    if let Err(error) = remove_if_there(partial) {
        tracing::warn!(%error, path = %partial.display(), "an unfinished backup stays behind");
    }
}
