//! What lies in a data folder, and in a backup of one, and where.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::program::{Program, Service};

/// An operator's configuration, read from the data folder if it is there.
pub(crate) const CONFIG: &str = "parlor.toml";
/// The folder of the bytes of files, unless a bucket has them; in a backup too.
pub(crate) const BLOBS: &str = "blobs";

/// The files that hold everything the services know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stores {
    /// Conversations.
    pub chat: PathBuf,
    /// Statuses, and when people were seen. Made by the first start that lacks it.
    pub presence: PathBuf,
    /// Accounts and sessions.
    pub auth: PathBuf,
    /// The keys of tokens.
    pub keys: PathBuf,
    /// What is known of the files that people send. Made by the first start that lacks it.
    pub media: PathBuf,
}

impl Stores {
    /// Those of `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        let auth = auth_svc::Config::in_folder(folder);
        let [chat, presence, media] = ["chat.db", "presence.db", "media.db"].map(|name| folder.join(name));
        Self { chat, presence, auth: auth.store.path, keys: auth.keys.path, media }
    }

    /// Those of a program's services, in the order a backup takes them: first who refers, then what is referred to, so that
    /// every user and every file that one of them names is in the copy that is taken after it. Accounts are never deleted;
    /// files are, and what names one that was deleted meanwhile names what is no more.
    pub(crate) fn all(&self, program: &Program) -> Vec<&Path> {
        let all = [
            (Service::Chat, &self.chat),
            (Service::Presence, &self.presence),
            (Service::Auth, &self.auth),
            (Service::Auth, &self.keys),
            (Service::Media, &self.media),
        ];
        all.into_iter().filter(|(of, _)| program.runs(*of)).map(|(_, path)| path.as_path()).collect()
    }

    /// Those of them that are databases.
    pub(crate) fn databases(&self, program: &Program) -> Vec<&Path> {
        self.all(program).into_iter().filter(|path| *path != self.keys).collect()
    }

    /// Those of them that no data folder is without. Folders and backups of before there was presence, or were files, are
    /// whole without those.
    pub(crate) fn needed(&self, program: &Program) -> Vec<&Path> {
        let came_later = |path: &Path| path == self.presence || path == self.media;
        self.all(program).into_iter().filter(|path| program.is_apart() || !came_later(path)).collect()
    }
}

/// The last part of the name of one of [`Stores`].
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("the names of the stores are ours, and ASCII")
}

/// Whether nothing is there, or a folder that holds nothing.
pub(crate) fn is_free(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Makes the names in `folder` survive power loss.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The folder that `path` lies in; the working folder for a bare name.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
