//! Bytes of uploads until they are whole: a file each, written by position, and a folder beside it for what an
//! inspection makes of it. All of it is on the blocking pool.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use parlor_types::{Id as _, MediaId};
use tokio::task::spawn_blocking;

use crate::media::Sha256;
use crate::room;

/// Ends the name of the folder of what an inspection makes.
const OUTPUT: &str = ".out";
/// Bytes hashed at once.
const READ: usize = 256 * 1024;

/// See the module.
#[derive(Clone, Debug)]
pub struct Staging {
    folder: Arc<Path>,
    /// Bytes of the disk that are left free.
    reserve: u64,
}

impl Staging {
    /// Opens the folder, or makes it, and clears away what inspections had made when the last process ended. Blocks while it
    /// does.
    ///
    /// # Errors
    /// It cannot be made or cleared.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(OUTPUT) {
                remove_folder(&path)?;
            }
        }
        Ok(Self { folder: folder.into(), reserve: 0 })
    }

    /// The same, leaving so many bytes of the disk free.
    #[must_use]
    pub fn reserving(self, reserve: u64) -> Self {
        Self { reserve, ..self }
    }

    /// The file of an upload.
    #[must_use]
    pub fn path(&self, id: MediaId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Opens the file of an upload of so many bytes, or makes it; whether it was there, as large as that.
    ///
    /// # Errors
    /// It cannot be opened or made.
    pub async fn file(&self, id: MediaId, size: u64) -> io::Result<(Arc<File>, bool)> {
        let (path, folder) = (self.path(id), Arc::clone(&self.folder));
        blocking(move || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            let was_there = file.metadata()?.len() == size;
            if !was_there {
                file.set_len(size)?;
                // Its name is to be there before the store says that its bytes are.
                File::open(&folder)?.sync_all()?;
            }
            Ok((Arc::new(file), was_there))
        })
        .await
    }

    /// A new, empty folder for what an inspection makes of an upload.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn output(&self, id: MediaId) -> io::Result<PathBuf> {
        let path = self.output_path(id);
        blocking(move || {
            remove_folder(&path)?;
            fs::create_dir(&path)?;
            Ok(path)
        })
        .await
    }

    /// Deletes what an inspection has made of an upload; nothing is as good. What cannot be deleted is when the upload is.
    pub async fn clear_output(&self, id: MediaId) {
        let path = self.output_path(id);
        if let Err(error) = blocking(move || remove_folder(&path)).await {
            tracing::warn!(%id, %error, "what an inspection has made could not be deleted");
        }
    }

    /// Deletes all there is of an upload; nothing is as good.
    ///
    /// # Errors
    /// Some of it may still be there.
    pub async fn remove(&self, id: MediaId) -> io::Result<()> {
        let (path, output) = (self.path(id), self.output_path(id));
        blocking(move || {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            remove_folder(&output)
        })
        .await
    }

    /// All uploads there is something of.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub async fn ids(&self) -> io::Result<Vec<MediaId>> {
        let folder = Arc::clone(&self.folder);
        blocking(move || {
            let mut ids = Vec::new();
            for entry in fs::read_dir(folder)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                ids.extend(MediaId::parse(name.trim_end_matches(OUTPUT)));
            }
            ids.sort_unstable();
            ids.dedup();
            Ok(ids)
        })
        .await
    }

    /// Writes bytes where they belong in the file of an upload. Blocks while it does.
    ///
    /// # Errors
    /// Some of them may be there.
    pub fn write(&self, file: &File, offset: u64, data: &Bytes) -> io::Result<()> {
        room::check(file, data.len() as u64, self.reserve)?;
        file.write_all_at(data, offset)
    }

    fn output_path(&self, id: MediaId) -> PathBuf {
        self.folder.join(format!("{id}{OUTPUT}"))
    }
}

/// What has been written is on the disk once this has answered.
///
/// # Errors
/// It may not be.
pub async fn sync(file: Arc<File>) -> io::Result<()> {
    blocking(move || file.sync_data()).await
}

/// Size and SHA-256 of a file.
///
/// # Errors
/// It cannot be read.
pub async fn measure(path: PathBuf) -> io::Result<(u64, Sha256)> {
    blocking(move || {
        let mut file = File::open(path)?;
        let mut hash = digest::Context::new(&digest::SHA256);
        let (mut buffer, mut size) = (vec![0; READ], 0);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.finish().as_ref());
        Ok((size, Sha256(sha256)))
    })
    .await
}

fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
