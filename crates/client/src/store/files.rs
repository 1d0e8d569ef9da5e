//! Files on their way up and down, and messages that wait for them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_types::{ConversationId, Id as _, MediaId, Op, Seq};
use parlor_wire::errors::v1::Problem;
use parlor_wire::media::v1::Purpose;
use prost::Message as _;
use rusqlite::{Row, Transaction, params};

use super::log::conversation;
use super::mutation::apply;
use super::sql::{decode, first, from_sql, rows, run, to_sql};
use super::{Result, Store, StoreError};
use crate::core::{Expected, FileFailure, FileFault, FileUpload, Mutation, Outgoing, Parcel};

/// What was begun and not gone on with for so long is forgotten here: the server forgets it after a day.
const STALE_AFTER: Duration = Duration::from_secs(3 * 24 * 60 * 60);

const PARCEL: &str =
    "SELECT op, conversation_id, base_seq, append, failed, failed_path, failed_problem, again FROM parcel";
const UPLOAD: &str =
    "SELECT op, path, name, size, modified, sha256, media_type, purpose, media_id FROM upload";

impl Store {
    /// Saves a message that waits for its files; its base is the highest head known when this is called.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn queue_parcel(&self, mut parcel: Parcel, now: SystemTime) -> Result<Parcel> {
        self.write(|tx| {
            let row = &mut parcel.outgoing;
            row.base_seq = conversation(tx, row.conversation)?.map_or(Seq(0), |known| known.head);
            let sql = "INSERT INTO parcel (op, conversation_id, base_seq, append) VALUES (?, ?, ?, ?)";
            let base = to_sql(row.base_seq);
            run(
                tx,
                sql,
                params![row.op.bytes(), row.conversation.bytes(), base, row.append.encode_to_vec()],
            )?;
            for (place, file) in parcel.files.iter().enumerate() {
                save_upload(tx, Some((parcel.outgoing.op, place)), file, now)?;
            }
            Ok(parcel)
        })
    }

    /// The messages that wait for their files, and those whose files could not be sent, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn parcels(&self) -> Result<Vec<Parcel>> {
        self.read(|tx| {
            let sql = format!("{PARCEL} WHERE dispatched = 0 ORDER BY position");
            let found = rows(tx, &sql, [], parcel)?;
            found.into_iter().map(|parcel| with_files(tx, parcel)).collect()
        })
    }

    /// The messages whose files are all there, and which the server has not answered yet: they are in the outbox.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn dispatched_parcels(&self) -> Result<Vec<Parcel>> {
        self.read(|tx| {
            let sql = format!("{PARCEL} WHERE dispatched = 1 ORDER BY position");
            let found = rows(tx, &sql, [], parcel)?;
            found.into_iter().map(|parcel| with_files(tx, parcel)).collect()
        })
    }

    /// One of those that wait for their files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn parcel(&self, op: Op) -> Result<Option<Parcel>> {
        self.read(|tx| {
            let sql = format!("{PARCEL} WHERE op = ? AND dispatched = 0");
            let found = first(tx, &sql, [op.bytes()], parcel)?;
            found.map(|parcel| with_files(tx, parcel)).transpose()
        })
    }

    /// All files of a message are there: it goes into the outbox. Nothing happens if another process has done so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn dispatch(&self, complete: Outgoing) -> Result<()> {
        self.apply(&[Mutation::Dispatch(Box::new(complete))])
    }

    /// A message will never be sent, and waits to be looked at and discarded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn fail_parcel(&self, op: Op, failure: &FileFailure) -> Result<()> {
        let (kind, problem) = match &failure.why {
            FileFault::Changed => (1, Problem::default()),
            FileFault::Unreadable(why) => (2, Problem { message: why.clone(), ..Problem::default() }),
            FileFault::Refused(problem) => (3, problem.clone()),
        };
        let sql = "UPDATE parcel SET failed = ?, failed_path = ?, failed_problem = ? WHERE op = ?";
        let path = failure.path.to_string_lossy();
        self.write(|tx| run(tx, sql, params![kind, path, problem.encode_to_vec(), op.bytes()]))
    }

    /// Forgets a message that waits for its files, or failed. Answers what the server may have of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn discard_parcel(&self, op: Op) -> Result<Vec<MediaId>> {
        self.write(|tx| {
            let sql = "SELECT media_id FROM upload WHERE parcel = ? AND media_id IS NOT NULL";
            let begun = rows(tx, sql, [op.bytes()], |row| Ok(MediaId::from_bytes(row.get(0)?)))?;
            drop_parcel(tx, op)?;
            Ok(begun)
        })
    }

    /// Saves an upload that no message waits for, or finds one of the same file that was begun before and goes on with its op.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin_upload(&self, file: FileUpload, now: SystemTime) -> Result<FileUpload> {
        self.write(|tx| {
            let stale = seconds(now).saturating_sub_unsigned(STALE_AFTER.as_secs());
            run(tx, "DELETE FROM upload WHERE parcel IS NULL AND begun_at < ?", [stale])?;
            let sql = format!("{UPLOAD} WHERE parcel IS NULL");
            let before = rows(tx, &sql, [], upload)?.into_iter().find(|before| before.is_alike(&file));
            let file = match before {
                Some(FileUpload { op, media, .. }) => FileUpload { op, media, ..file },
                None => file,
            };
            run(tx, "DELETE FROM upload WHERE op = ?", [file.op.bytes()])?;
            save_upload(tx, None, &file, now)?;
            Ok(file)
        })
    }

    /// What the server calls an upload.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn name_upload(&self, op: Op, media: MediaId) -> Result<()> {
        let sql = "UPDATE upload SET media_id = ? WHERE op = ?";
        self.write(|tx| run(tx, sql, params![media.bytes(), op.bytes()]))
    }

    /// What the server calls an upload, if that is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn upload_name(&self, op: Op) -> Result<Option<MediaId>> {
        let sql = "SELECT media_id FROM upload WHERE op = ? AND media_id IS NOT NULL";
        self.read(|tx| first(tx, sql, [op.bytes()], |row| Ok(MediaId::from_bytes(row.get(0)?))))
    }

    /// An upload that no message waits for is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn end_upload(&self, op: Op) -> Result<()> {
        self.write(|tx| run(tx, "DELETE FROM upload WHERE op = ? AND parcel IS NULL", [op.bytes()]))
    }

    /// What the bytes in `part` are the beginning of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn download(&self, part: &Path) -> Result<Option<Expected>> {
        let sql = "SELECT size, sha256 FROM download WHERE path = ?";
        self.read(|tx| {
            first(tx, sql, [part.to_string_lossy()], |row| {
                Ok(Expected { size: from_sql(row.get(0)?).0, sha256: row.get(1)? })
            })
        })
    }

    /// Notes what the bytes in `part` are the beginning of; none: they are worth nothing, or whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_download(&self, part: &Path, expected: Option<Expected>, now: SystemTime) -> Result<()> {
        let path = part.to_string_lossy();
        self.write(|tx| {
            let stale = seconds(now).saturating_sub_unsigned(STALE_AFTER.as_secs());
            run(tx, "DELETE FROM download WHERE path = ? OR begun_at < ?", params![path, stale])?;
            let Some(Expected { size, sha256 }) = expected else { return Ok(()) };
            let sql = "INSERT INTO download (path, size, sha256, begun_at) VALUES (?, ?, ?, ?)";
            run(tx, sql, params![path, to_sql(Seq(size)), sha256, seconds(now)])
        })
    }
}

/// Puts a message that waits into the outbox. Its files stay known until the server has it.
pub fn dispatch(tx: &Transaction<'_>, complete: &Outgoing) -> Result<()> {
    let op = complete.op.bytes();
    let waits = first(tx, &format!("{PARCEL} WHERE op = ? AND dispatched = 0"), [op], parcel)?;
    let Some(waiting) = waits else { return Ok(()) };
    run(tx, "UPDATE parcel SET dispatched = 1 WHERE op = ?", [op])?;
    let base_seq = waiting.outgoing.base_seq; // a new generation may have set it to 0
    apply(tx, &Mutation::Queue(Box::new(Outgoing { base_seq, ..complete.clone() })))
}

/// Takes a message back from the outbox: its files are to be uploaded anew, and are others for the server.
pub fn recall(tx: &Transaction<'_>, op: Op) -> Result<()> {
    let sql = "SELECT base_seq FROM outbox WHERE op = ?";
    let base: Option<i64> = first(tx, sql, [op.bytes()], |row| Ok(row.get(0)?))?;
    let Some(base) = base else { return Ok(()) };
    run(tx, "DELETE FROM outbox WHERE op = ?", [op.bytes()])?;
    let sql = "UPDATE parcel SET dispatched = 0, again = again + 1, base_seq = ? WHERE op = ?";
    run(tx, sql, params![base, op.bytes()])?;
    let sql = "SELECT op FROM upload WHERE parcel = ?";
    for before in rows(tx, sql, [op.bytes()], |row| Ok(row.get::<_, [u8; 16]>(0)?))? {
        let sql = "UPDATE upload SET op = ?, media_id = NULL WHERE op = ?";
        run(tx, sql, params![Op::new().bytes(), before])?;
    }
    Ok(())
}

/// Forgets a message and its files, if it has any.
pub fn drop_parcel(tx: &Transaction<'_>, op: Op) -> Result<()> {
    run(tx, "DELETE FROM upload WHERE parcel = ?", [op.bytes()])?;
    run(tx, "DELETE FROM parcel WHERE op = ?", [op.bytes()])
}

fn save_upload(
    tx: &Transaction<'_>,
    parcel: Option<(Op, usize)>,
    file: &FileUpload,
    now: SystemTime,
) -> Result<()> {
    let sql =
        "INSERT INTO upload (op, parcel, place, path, name, size, modified, sha256, media_type, purpose,
                                   media_id, begun_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let place = parcel.map_or(0, |(_, place)| place);
    let values = params![
        file.op.bytes(),
        parcel.map(|(op, _)| op.bytes()),
        i64::try_from(place).unwrap_or(i64::MAX),
        file.path.to_string_lossy(),
        file.name,
        to_sql(Seq(file.size)),
        nanoseconds(file.modified),
        file.sha256,
        file.media_type,
        file.purpose as i32,
        file.media.map(|id| id.bytes()),
        seconds(now),
    ];
    run(tx, sql, values)
}

fn with_files(tx: &Transaction<'_>, mut parcel: Parcel) -> Result<Parcel> {
    let sql = format!("{UPLOAD} WHERE parcel = ? ORDER BY place");
    parcel.files = rows(tx, &sql, [parcel.outgoing.op.bytes()], upload)?;
    Ok(parcel)
}

fn parcel(row: &Row<'_>) -> Result<Parcel> {
    let outgoing = Outgoing {
        op: Op::from_bytes(row.get(0)?),
        conversation: ConversationId::from_bytes(row.get(1)?),
        base_seq: from_sql(row.get(2)?),
        append: decode(row.get(3)?)?,
        recallable: false,
    };
    let (kind, path): (Option<i64>, Option<String>) = (row.get(4)?, row.get(5)?);
    let problem: Problem = decode(row.get::<_, Option<Vec<u8>>>(6)?.unwrap_or_default())?;
    let why = match kind {
        None => None,
        Some(1) => Some(FileFault::Changed),
        Some(2) => Some(FileFault::Unreadable(problem.message)),
        Some(3) => Some(FileFault::Refused(problem)),
        Some(_) => return Err(StoreError::Corrupt("a failure of an unknown kind")),
    };
    let failed = why.map(|why| FileFailure { path: PathBuf::from(path.unwrap_or_default()), why });
    Ok(Parcel { outgoing, files: Vec::new(), failed, again: row.get(7)? })
}

fn upload(row: &Row<'_>) -> Result<FileUpload> {
    let purpose: i32 = row.get(7)?;
    Ok(FileUpload {
        op: Op::from_bytes(row.get(0)?),
        path: PathBuf::from(row.get::<_, String>(1)?),
        name: row.get(2)?,
        size: from_sql(row.get(3)?).0,
        modified: at_nanoseconds(row.get(4)?),
        sha256: row.get(5)?,
        media_type: row.get(6)?,
        purpose: Purpose::try_from(purpose).map_err(|_| StoreError::Corrupt("an unknown purpose"))?,
        media: row.get::<_, Option<_>>(8)?.map(MediaId::from_bytes),
    })
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Before 1970 and after 2262 all times are alike.
fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn at_nanoseconds(since: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(since).unwrap_or_default())
}
