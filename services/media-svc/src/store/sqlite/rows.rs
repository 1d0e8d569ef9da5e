//! The tables `media` and `thumbnail`, as records.

use std::time::Duration;

use parlor_embedded::rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use parlor_runtime::time::from_millis;
use parlor_types::{Id as _, MediaId, Op, UserId};

use crate::media::{
    Declared, FileName, Finished, Image, MediaType, Preview, Purpose, Record, Sha256, Stage, Thumbnail,
    Variant,
};
use crate::parts::Parts;

/// Numbers of `stage`.
pub(super) const UPLOADING: i64 = 0;
/// Finished and to be looked at by the scanner.
pub(super) const CHECKING: i64 = 1;
/// Finished.
pub(super) const READY: i64 = 2;
/// Refused.
pub(super) const REFUSED: i64 = 3;

/// Numbers of `preview`.
const NOTHING: i64 = 0;
const IMAGE: i64 = 1;
const AUDIO: i64 = 2;
const VIDEO: i64 = 3;

const COLUMNS: &str = "id, owner, op, name, claimed_type, declared_size, declared_sha256, purpose, created, stage,
    parts, expires, media_type, size, sha256, preview, width, height, duration, likeness, animated, was_avatar";

pub(super) fn record(connection: &Connection, id: MediaId) -> Result<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM media WHERE id = ?1");
    let row = connection.prepare_cached(&sql)?.query_row([id.bytes()], read).optional()?;
    row.map(|record| with_thumbnails(connection, record)).transpose()
}

pub(super) fn record_of_op(connection: &Connection, owner: UserId, op: Op) -> Result<Option<Record>> {
    let sql = format!("SELECT {COLUMNS} FROM media WHERE owner = ?1 AND op = ?2");
    let row = connection.prepare_cached(&sql)?.query_row([owner.bytes(), op.bytes()], read).optional()?;
    row.map(|record| with_thumbnails(connection, record)).transpose()
}

/// The columns of what there is to show.
pub(super) struct PreviewRow<'a> {
    pub(super) kind: i64,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) duration: Option<i64>,
    pub(super) likeness: Option<&'a [u8]>,
    pub(super) animated: bool,
}

impl<'a> From<Option<&'a Preview>> for PreviewRow<'a> {
    fn from(preview: Option<&'a Preview>) -> Self {
        let nothing = Self {
            kind: NOTHING,
            width: None,
            height: None,
            duration: None,
            likeness: None,
            animated: false,
        };
        let millis = |duration: &Duration| Some(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX));
        match preview {
            None => nothing,
            Some(Preview::Image(image)) => Self {
                kind: IMAGE,
                width: Some(image.width),
                height: Some(image.height),
                likeness: Some(&image.thumbhash),
                animated: image.animated,
                ..nothing
            },
            Some(Preview::Audio { duration, waveform }) => {
                Self { kind: AUDIO, duration: millis(duration), likeness: Some(waveform), ..nothing }
            }
            Some(Preview::Video { duration, width, height }) => Self {
                kind: VIDEO,
                width: Some(*width),
                height: Some(*height),
                duration: millis(duration),
                ..nothing
            },
        }
    }
}

pub(super) fn put_thumbnail(connection: &Connection, id: MediaId, thumbnail: &Thumbnail) -> Result<()> {
    let sql = "INSERT INTO thumbnail (media, variant, width, height, size, sha256, media_type)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let row = params![
        id.bytes(),
        thumbnail.variant,
        thumbnail.width,
        thumbnail.height,
        size(thumbnail.size),
        thumbnail.sha256.0,
        thumbnail.media_type,
    ];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

/// Deletes all there is of a file but its claims' account.
pub(super) fn delete(connection: &Connection, id: MediaId) -> Result<()> {
    for sql in [
        "DELETE FROM media WHERE id = ?1",
        "DELETE FROM thumbnail WHERE media = ?1",
        "DELETE FROM claim WHERE media = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([id.bytes()])?;
    }
    Ok(())
}

/// A size for the store; none is as large as what does not fit.
pub(super) fn size(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn with_thumbnails(connection: &Connection, mut record: Record) -> Result<Record> {
    if let Stage::Finished(Finished { preview: Some(Preview::Image(image)), .. }) = &mut record.stage {
        let sql = "SELECT variant, width, height, size, sha256, media_type FROM thumbnail
                   WHERE media = ?1 ORDER BY variant";
        let mut statement = connection.prepare_cached(sql)?;
        image.thumbnails = statement.query_map([record.id.bytes()], thumbnail)?.collect::<Result<_>>()?;
    }
    Ok(record)
}

fn thumbnail(row: &Row<'_>) -> Result<Thumbnail> {
    Ok(Thumbnail {
        variant: row.get(0)?,
        width: row.get(1)?,
        height: row.get(2)?,
        size: row.get::<_, i64>(3)?.unsigned_abs(),
        sha256: Sha256(row.get(4)?),
        media_type: row.get(5)?,
    })
}

fn read(row: &Row<'_>) -> Result<Record> {
    let declared = Declared {
        name: row.get("name")?,
        media_type: row.get("claimed_type")?,
        size: row.get::<_, i64>("declared_size")?.unsigned_abs(),
        sha256: Sha256(row.get("declared_sha256")?),
        purpose: row.get("purpose")?,
    };
    let stage = match row.get("stage")? {
        UPLOADING => Stage::Uploading {
            parts: Parts::from_bytes(declared.size, &row.get::<_, Vec<u8>>("parts")?),
            expires: from_millis(row.get("expires")?),
        },
        REFUSED => Stage::Refused,
        stage => Stage::Finished(Finished {
            media_type: row.get("media_type")?,
            size: row.get::<_, i64>("size")?.unsigned_abs(),
            sha256: Sha256(row.get("sha256")?),
            preview: preview(row)?,
            checking: stage == CHECKING,
        }),
    };
    Ok(Record {
        id: MediaId::from_bytes(row.get("id")?),
        owner: UserId::from_bytes(row.get("owner")?),
        op: Op::from_bytes(row.get("op")?),
        declared,
        created: from_millis(row.get("created")?),
        stage,
        was_avatar: row.get("was_avatar")?,
    })
}

fn preview(row: &Row<'_>) -> Result<Option<Preview>> {
    let duration = || {
        Ok::<_, parlor_embedded::rusqlite::Error>(Duration::from_millis(
            row.get::<_, i64>("duration")?.unsigned_abs(),
        ))
    };
    Ok(match row.get("preview")? {
        IMAGE => Some(Preview::Image(Image {
            width: row.get("width")?,
            height: row.get("height")?,
            thumbhash: row.get("likeness")?,
            animated: row.get("animated")?,
            thumbnails: Vec::new(),
        })),
        AUDIO => Some(Preview::Audio { duration: duration()?, waveform: row.get("likeness")? }),
        VIDEO => Some(Preview::Video {
            duration: duration()?,
            width: row.get("width")?,
            height: row.get("height")?,
        }),
        _ => None,
    })
}

impl ToSql for Purpose {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let number: i64 = match self {
            Self::Image => 1,
            Self::File => 2,
            Self::Voice => 3,
            Self::Video => 4,
            Self::Avatar => 5,
        };
        Ok(ToSqlOutput::from(number))
    }
}

impl FromSql for Purpose {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            1 => Ok(Self::Image),
            2 => Ok(Self::File),
            3 => Ok(Self::Voice),
            4 => Ok(Self::Video),
            5 => Ok(Self::Avatar),
            unknown => Err(FromSqlError::OutOfRange(unknown)),
        }
    }
}

impl ToSql for Variant {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let number: i64 = match self {
            Self::Original => 1,
            Self::Small => 2,
            Self::Large => 3,
        };
        Ok(ToSqlOutput::from(number))
    }
}

impl FromSql for Variant {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match i64::column_result(value)? {
            2 => Ok(Self::Small),
            3 => Ok(Self::Large),
            unknown => Err(FromSqlError::OutOfRange(unknown)),
        }
    }
}

impl FromSql for FileName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).map_err(FromSqlError::other)
    }
}

impl FromSql for MediaType {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).map_err(FromSqlError::other)
    }
}
