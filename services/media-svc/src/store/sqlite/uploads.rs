//! A file from the beginning of its upload to its end, and what the scanner says of it.

use parlor_embedded::JobError;
use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, params};
use parlor_runtime::time::{from_millis, to_millis};
use parlor_types::{Id as _, MediaId, UserId};

use super::account;
use super::rows::{self, CHECKING, PreviewRow, READY, REFUSED, UPLOADING, size};
use crate::media::{Finished, Preview, Record, Stage};
use crate::parts::Parts;
use crate::quota::Hour;
use crate::store::{Begin, BeginError};

pub(super) fn begin(connection: &Connection, begin: &Begin) -> Result<Record, JobError<BeginError>> {
    if let Some(record) = rows::record_of_op(connection, begin.owner, begin.op)? {
        let same = record.declared == begin.declared;
        return if same { Ok(record) } else { Err(JobError::Domain(BeginError::OpReused)) };
    }
    let (now, declared) = (to_millis(begin.now), &begin.declared);
    let usage = account::usage(connection, begin.owner, Hour::of(now))?;
    let allowed = begin.quota.check(&usage, declared.size, now);
    allowed.map_err(|exceeded| JobError::Domain(BeginError::Exceeded(exceeded)))?;
    account::begun(connection, begin.owner, Hour::of(now), declared.size)?;
    let parts = Parts::none(declared.size);
    let sql = "INSERT INTO media (id, owner, op, name, claimed_type, declared_size, declared_sha256, purpose, created,
                   stage, parts, expires)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.prepare_cached(sql)?.execute(params![
        begin.id.bytes(),
        begin.owner.bytes(),
        begin.op.bytes(),
        declared.name.as_str(),
        declared.media_type.as_str(),
        size(declared.size),
        declared.sha256.0,
        declared.purpose,
        now,
        UPLOADING,
        parts.as_bytes(),
        to_millis(begin.expires),
    ])?;
    Ok(Record {
        id: begin.id,
        owner: begin.owner,
        op: begin.op,
        declared: declared.clone(),
        created: from_millis(now),
        stage: Stage::Uploading { parts, expires: from_millis(to_millis(begin.expires)) },
        was_avatar: false,
    })
}

pub(super) fn save_parts(connection: &Connection, id: MediaId, parts: &Parts, expires: i64) -> Result<bool> {
    let sql = "UPDATE media SET parts = ?2, expires = ?3 WHERE id = ?1 AND stage = ?4";
    let row = params![id.bytes(), parts.as_bytes(), expires, UPLOADING];
    Ok(connection.prepare_cached(sql)?.execute(row)? > 0)
}

pub(super) fn finish(connection: &Connection, id: MediaId, finished: &Finished, due: i64) -> Result<bool> {
    let Some((owner, declared)) = upload(connection, id)? else { return Ok(false) };
    let preview = PreviewRow::from(finished.preview.as_ref());
    let sql = "UPDATE media SET stage = ?2, parts = NULL, expires = NULL, media_type = ?3, size = ?4, sha256 = ?5,
                   preview = ?6, width = ?7, height = ?8, duration = ?9, likeness = ?10, animated = ?11, due = ?12
               WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![
        id.bytes(),
        if finished.checking { CHECKING } else { READY },
        finished.media_type,
        size(finished.size),
        finished.sha256.0,
        preview.kind,
        preview.width,
        preview.height,
        preview.duration,
        preview.likeness,
        preview.animated,
        due,
    ])?;
    if let Some(Preview::Image(image)) = &finished.preview {
        image.thumbnails.iter().try_for_each(|thumbnail| rows::put_thumbnail(connection, id, thumbnail))?;
    }
    account::change(connection, owner, size(finished.stored_bytes()) - declared, -1)?;
    Ok(true)
}

pub(super) fn drop_upload(connection: &Connection, id: MediaId) -> Result<bool> {
    let Some((owner, declared)) = upload(connection, id)? else { return Ok(false) };
    rows::delete(connection, id)?;
    account::change(connection, owner, -declared, -1)?;
    Ok(true)
}

pub(super) fn expire(connection: &Connection, now: i64, limit: u32) -> Result<Vec<MediaId>> {
    let sql = "SELECT id FROM media WHERE expires < ?1 ORDER BY expires, id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map(params![now, limit], |row| row.get(0).map(MediaId::from_bytes))?;
    let ids: Vec<_> = ids.collect::<Result<_>>()?;
    ids.iter().try_for_each(|id| drop_upload(connection, *id).map(drop))?;
    Ok(ids)
}

pub(super) fn unchecked(connection: &Connection, after: Option<MediaId>, limit: u32) -> Result<Vec<MediaId>> {
    let sql = "SELECT id FROM media WHERE stage = 1 AND id > ?1 ORDER BY id LIMIT ?2";
    // An empty blob comes before all others.
    let after = after.map(|id| id.bytes().to_vec()).unwrap_or_default();
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params![after, limit], |row| row.get(0).map(MediaId::from_bytes))?.collect()
}

pub(super) fn checked(connection: &Connection, id: MediaId, harmless: bool) -> Result<bool> {
    if harmless {
        let sql = "UPDATE media SET stage = ?2 WHERE id = ?1 AND stage = ?3";
        return Ok(connection.prepare_cached(sql)?.execute(params![id.bytes(), READY, CHECKING])? > 0);
    }
    let sql = "SELECT owner, size + (SELECT coalesce(sum(size), 0) FROM thumbnail WHERE media = ?1)
               FROM media WHERE id = ?1 AND stage = ?2";
    let found = connection.prepare_cached(sql)?.query_row(params![id.bytes(), CHECKING], owner_and_size);
    let Some((owner, bytes)) = found.optional()? else { return Ok(false) };
    let sql = "UPDATE media SET stage = ?2, media_type = NULL, size = NULL, sha256 = NULL, preview = 0, width = NULL,
                   height = NULL, duration = NULL, likeness = NULL, animated = 0 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.bytes(), REFUSED])?;
    connection.prepare_cached("DELETE FROM thumbnail WHERE media = ?1")?.execute([id.bytes()])?;
    account::change(connection, owner, -bytes, 0)?;
    Ok(true)
}

/// Whose upload it is, and how large it says it is; none if it is no upload.
fn upload(connection: &Connection, id: MediaId) -> Result<Option<(UserId, i64)>> {
    let sql = "SELECT owner, declared_size FROM media WHERE id = ?1 AND stage = ?2";
    connection.prepare_cached(sql)?.query_row(params![id.bytes(), UPLOADING], owner_and_size).optional()
}

fn owner_and_size(row: &parlor_embedded::rusqlite::Row<'_>) -> Result<(UserId, i64)> {
    Ok((UserId::from_bytes(row.get(0)?), row.get(1)?))
}
