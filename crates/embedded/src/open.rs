//! Connections as the guarantees need them: every setting is read back, and one process holds the lock.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;
use crate::files::first_fault;
use crate::options::Options;

/// How long to wait for a foreign process that has the file locked (an operator's `sqlite3`, say).
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared per connection.
const STATEMENT_CACHE: usize = 256;
/// Page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i64 = 4 * 1024;
/// Page cache of the thread that moves the log, in KiB: it copies past its cache.
const CHECKPOINTER_CACHE_KIB: i64 = 64;
/// Size the `-wal` file is cut back to once it has been moved into the store, in bytes.
const WAL_KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// Most pages SQLite counts in a file (`SQLITE_MAX_PAGE_COUNT`).
const MAX_PAGES: u64 = 0xffff_fffe;
/// What `PRAGMA synchronous` calls FULL: an fsync in every commit.
const SYNCHRONOUS_FULL: i64 = 2;
/// What `PRAGMA temp_store` calls MEMORY.
const TEMP_STORE_MEMORY: i64 = 2;

/// Takes the lock that keeps other processes out; it is held as long as the file is open.
pub(crate) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = beside(path, ".lock");
    let io_error = |source| OpenError::Io { path: lock_path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(io_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(source)),
    }
}

/// The one connection that writes; creates the file.
pub(crate) fn writer(options: &Options) -> Result<Connection, OpenError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(&options.path, flags, WRITER_CACHE_KIB)?;
    set(&connection, "journal_mode", "wal".to_owned())?;
    set(&connection, "synchronous", SYNCHRONOUS_FULL)?;
    set(&connection, "foreign_keys", 1)?;
    // What is deleted or replaced is overwritten with zeros.
    set(&connection, "secure_delete", 1)?;
    set(&connection, "journal_size_limit", WAL_KEPT_BYTES)?;
    // Checkpoints are made where their errors are seen; SQLite's own would swallow them.
    set(&connection, "wal_autocheckpoint", 0)?;
    if let Some(max_bytes) = options.max_bytes {
        limit_size(&connection, max_bytes)?;
    }
    Ok(connection)
}

/// Looks through a file that is no larger than what is checked.
pub(crate) fn check(connection: &Connection, options: &Options) -> Result<(), OpenError> {
    let bytes = pragma_u64(connection, "page_count")? * pragma_u64(connection, "page_size")?;
    let fault = if bytes <= options.checked_bytes { first_fault(connection)? } else { None };
    fault.map_or(Ok(()), |fault| Err(OpenError::Damaged { path: options.path.clone(), fault }))
}

/// The one that moves the log into the file, beside the writer, whose connection must have been opened before.
pub(crate) fn checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags, CHECKPOINTER_CACHE_KIB)?;
    set(&connection, "synchronous", SYNCHRONOUS_FULL)?;
    set(&connection, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// A connection that cannot write. The writer's must have been opened before.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(path, flags, READER_CACHE_KIB)?;
    set(&connection, "query_only", 1)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags, cache_kib: i64) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Plans follow from the SQL alone. Else whatever binds a LIMIT, among others, is parsed and planned anew at each run.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A negative cache size counts KiB, a positive one pages.
    set(&connection, "cache_size", -cache_kib)?;
    set(&connection, "temp_store", TEMP_STORE_MEMORY)?;
    Ok(connection)
}

/// Asks for a setting and reads back whether it took.
fn set(connection: &Connection, name: &'static str, wanted: impl Into<Value>) -> Result<(), OpenError> {
    let wanted = wanted.into();
    // Some of these answer with a row, some do not; `pragma` takes either.
    connection.pragma(None, name, &wanted, |_| Ok(()))?;
    let found: Value = connection.pragma_query_value(None, name, |row| row.get(0))?;
    if found == wanted {
        return Ok(());
    }
    Err(OpenError::Pragma { name, wanted: format!("{wanted:?}"), found: format!("{found:?}") })
}

/// A limit below the size the file has would not take: it is then that size.
fn limit_size(connection: &Connection, max_bytes: u64) -> Result<(), OpenError> {
    let pages = max_bytes / pragma_u64(connection, "page_size")?;
    let pages = pages.max(pragma_u64(connection, "page_count")?).clamp(1, MAX_PAGES);
    set(connection, "max_page_count", i64::try_from(pages).expect("clamped to 32 bits"))
}

fn pragma_u64(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let value: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, value))
}

/// `path` with `suffix` appended to its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the names in the folder of `path` survive power loss.
pub(crate) fn sync_folder(path: &Path) -> Result<(), OpenError> {
    let folder = folder_of(path);
    fsync_folder(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })
}

/// The folder `path` lies in; the working folder for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

pub(crate) fn fsync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
