//! What whoever runs the server does besides serving.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use parlor_embedded::BackupError;
use parlor_types::Username;

use super::App;
use crate::accounts::{ImportOutcome, ImportedUser, NewServiceAccount};
use crate::refusal::Refusal;

/// Keys are readable by their owner alone, in a backup too.
const KEYS_MODE: u32 = 0o600;

impl App {
    /// Makes an account for a bot or another service; the secret is in the answer and nowhere else. An `internal` one
    /// may call what only services may call, and nothing else.
    ///
    /// # Errors
    /// `UsernameTaken`, `StorageFull`.
    pub async fn create_service_account(
        &self,
        name: Username,
        internal: bool,
    ) -> Result<NewServiceAccount, Refusal> {
        self.accounts.create_service_account(name, internal, self.clock.wall().into()).await
    }

    /// Makes accounts that come with ready hashes; answers for each in order. Importing again changes nothing.
    ///
    /// # Errors
    /// `StorageFull`, `Overloaded`, `Unavailable`: what was imported before stays.
    pub async fn import_users(&self, users: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, Refusal> {
        self.accounts.import(users, self.clock.wall().into()).await
    }

    /// Writes a complete copy of the database and of the keys to these paths, which must not exist, while the service
    /// goes on. When it returns both are on disk.
    ///
    /// # Errors
    /// One of them exists, or cannot be written.
    pub async fn backup_to(&self, database: &Path, keys: &Path) -> Result<(), BackupError> {
        self.store.backup_to(database).await?;
        copy_keys(&self.keys_path, keys).map_err(|source| BackupError::Io { path: keys.to_owned(), source })
    }
}

fn copy_keys(from: &Path, to: &Path) -> io::Result<()> {
    let text = std::fs::read(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(KEYS_MODE).open(to)?;
    copy.write_all(&text)?;
    copy.sync_all()?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
