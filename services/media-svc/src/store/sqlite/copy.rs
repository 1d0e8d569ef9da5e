//! Making a copy of the store whole, together with a copy of the bytes.

use std::io;
use std::path::{Path, PathBuf};

use parlor_embedded::rusqlite::{self, Connection, OpenFlags};
use parlor_types::{Id as _, MediaId};

use super::rows::{self, CHECKING, READY, UPLOADING};
use super::{account, rows::size};
use crate::media::Variant;
use crate::store::Random;

/// Why a copy is not whole.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The copy of the store cannot be read or written.
    #[error("{0}")]
    Store(#[from] rusqlite::Error),
    /// The bytes of a file cannot be copied.
    #[error("{}: {error}", path.display())]
    Bytes {
        /// Which, below the folder of blobs.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Makes `store`, a copy of a store that may be in use, a whole with a copy of the bytes. Blocks while it does.
///
/// `take` is asked for each blob of each file, by its path below the folder of blobs, and says whether it was there. A file that
/// lacks one is forgotten: it was deleted after the store was copied. Uploads that are not finished begin anew: what has come
/// of them is in no copy. Answers how many files were forgotten. Nothing else may have `store` open.
///
/// # Errors
/// The copy cannot be changed, or `take` has failed: it is of no use then.
pub fn complete_copy(
    store: &Path,
    mut take: impl FnMut(&Path) -> io::Result<bool>,
) -> Result<u64, CopyError> {
    let mut connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let connection = connection.transaction()?;
    let mut forgotten = 0;
    for id in finished(&connection)? {
        let Some(record) = rows::record(&connection, id)? else { continue };
        let Some(file) = record.finished() else { continue };
        let mut is_whole = true;
        for variant in Variant::ALL.into_iter().filter(|variant| file.variant(*variant).is_some()) {
            let path = Path::new(&id.to_string()).join(variant.name());
            is_whole &= take(&path).map_err(|error| CopyError::Bytes { path, error })?;
        }
        if !is_whole {
            rows::delete(&connection, id)?;
            account::change(&connection, record.owner, -size(file.stored_bytes()), 0)?;
            forgotten += 1;
        }
    }
    connection.execute("UPDATE media SET parts = zeroblob(length(parts)) WHERE stage = ?1", [UPLOADING])?;
    connection.commit()?;
    Ok(forgotten)
}

/// Makes `store`, a copy of a store, one of its own: whoever has the files of the first is not this one. Blocks while it does. Nothing
/// else may have `store` open.
///
/// # Errors
/// The copy cannot be changed.
pub fn disown_copy(store: &Path) -> Result<(), CopyError> {
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute("DELETE FROM secret WHERE name = ?1", [account::name(Random::StoreId)])?;
    Ok(())
}

fn finished(connection: &Connection) -> rusqlite::Result<Vec<MediaId>> {
    let mut statement = connection.prepare("SELECT id FROM media WHERE stage IN (?1, ?2)")?;
    statement.query_map([CHECKING, READY], |row| row.get(0).map(MediaId::from_bytes))?.collect()
}
