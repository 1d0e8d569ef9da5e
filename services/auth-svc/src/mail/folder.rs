//! Mail into a folder, one `.eml` file each, for development: any mail program opens them.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use lettre::message::Mailbox;

use super::message::render;
use super::{Mail, Mailer, SendError};

/// Codes are in the files: readable by their owner alone.
const MODE: u32 = 0o600;

/// Writes mail to files.
#[derive(Debug)]
pub struct FolderMailer {
    from: Mailbox,
    folder: PathBuf,
}

impl FolderMailer {
    /// Into `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(from: Mailbox, folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self { from, folder })
    }
}

#[async_trait]
impl Mailer for FolderMailer {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let rendered = render(&self.from, mail)?;
        let path = self.folder.join(format!("{}.eml", rendered.id));
        let text = rendered.message.formatted();
        let written = tokio::task::spawn_blocking(move || write(&path, &text)).await;
        let written = written.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        written.map_err(|error| SendError::Failed(error.to_string()))
    }
}

/// Under another name first: whoever sees the file sees all of it.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&partial)?;
    file.write_all(text)?;
    std::fs::rename(&partial, path)
}
