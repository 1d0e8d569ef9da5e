//! Who is about to use a file, and what becomes of those that nobody uses.

use parlor_embedded::JobError;
use parlor_embedded::rusqlite::{Connection, OptionalExtension as _, Result, params};
use parlor_runtime::time::to_millis;
use parlor_types::{Id as _, MediaId, UserId};

use super::rows::{self, UPLOADING};
use super::{account, uploads};
use crate::media::{Record, Stage};
use crate::store::{Claim, ClaimError, Condemned, Place, Release, Round};

pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<Vec<Record>, JobError<ClaimError>> {
    let refused = |error| Err(JobError::Domain(error));
    let mut records = Vec::with_capacity(claim.ids.len());
    for id in &claim.ids {
        let found = rows::record(connection, *id)?;
        let theirs = found.filter(|record| record.owner == claim.user || claim.readable.contains(id));
        match theirs {
            Some(record) if record.finished().is_some() => records.push(record),
            Some(record) if record.stage == Stage::Refused => return refused(ClaimError::Refused),
            _ => return refused(ClaimError::NotFound),
        }
    }
    let (until, place) = (to_millis(claim.until), place_key(claim.place));
    let is_profile = matches!(claim.place, Place::Profile(_));
    for record in &mut records {
        let id = record.id.bytes();
        let sql = "INSERT INTO claim (media, place, until) VALUES (?1, ?2, ?3)
                   ON CONFLICT (media, place) DO UPDATE SET until = ?3";
        connection.prepare_cached(sql)?.execute(params![id, place, until])?;
        let sql = "UPDATE media SET due = max(due, ?2), condemned = NULL, was_avatar = max(was_avatar, ?3)
                   WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![id, until, is_profile])?;
        record.was_avatar |= is_profile;
    }
    Ok(records)
}

pub(super) fn release(connection: &Connection, release: &Release) -> Result<()> {
    let place = place_key(release.place);
    let now = to_millis(release.now);
    let settled = to_millis(release.now + release.settles);
    for id in &release.ids {
        let sql = "UPDATE claim SET until = min(until, ?3) WHERE media = ?1 AND place = ?2";
        connection.prepare_cached(sql)?.execute(params![id.bytes(), place, settled])?;
        let sql =
            "UPDATE media SET due = max(?2, coalesce((SELECT max(until) FROM claim WHERE media = ?1), ?2)),
                              condemned = NULL -- what a round was told of it is older than this
                   WHERE id = ?1 AND due IS NOT NULL";
        connection.prepare_cached(sql)?.execute(params![id.bytes(), now])?;
    }
    Ok(())
}

pub(super) fn condemn(connection: &Connection, round: Round, now: i64, limit: u32) -> Result<Vec<MediaId>> {
    let sql = "SELECT id FROM media WHERE due <= ?1 ORDER BY due, id LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let ids = statement.query_map(params![now, limit], |row| row.get(0).map(MediaId::from_bytes))?;
    let ids: Vec<_> = ids.collect::<Result<_>>()?;
    ids.iter().try_for_each(|id| mark(connection, round, *id))?;
    Ok(ids)
}

pub(super) fn condemn_own(
    connection: &Connection,
    round: Round,
    id: MediaId,
    owner: UserId,
    now: i64,
) -> Result<Condemned> {
    let sql = "SELECT stage, EXISTS (SELECT 1 FROM claim WHERE media = ?1 AND until > ?3) FROM media
               WHERE id = ?1 AND owner = ?2";
    let found = connection.prepare_cached(sql)?;
    let mut found = found;
    let row = found.query_row(params![id.bytes(), owner.bytes(), now], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(match row.optional()? {
        None => Condemned::Gone,
        Some((UPLOADING, _)) => {
            uploads::drop_upload(connection, id)?;
            Condemned::Dropped
        }
        Some((_, true)) => Condemned::Claimed,
        Some((_, false)) => {
            mark(connection, round, id)?;
            Condemned::ByRound
        }
    })
}

pub(super) fn collect(
    connection: &Connection,
    round: Round,
    unused: Vec<MediaId>,
    used: &[MediaId],
    next: i64,
) -> Result<Vec<MediaId>> {
    for id in used {
        let sql = "UPDATE media SET due = max(due, ?3), condemned = NULL WHERE id = ?1 AND condemned = ?2";
        connection.prepare_cached(sql)?.execute(params![id.bytes(), round.0, next])?;
    }
    let mut gone = Vec::new();
    for id in unused {
        let sql = "SELECT owner, coalesce(size, 0) + (SELECT coalesce(sum(size), 0) FROM thumbnail WHERE media = ?1)
                   FROM media WHERE id = ?1 AND condemned = ?2";
        let row = connection.prepare_cached(sql)?.query_row(params![id.bytes(), round.0], |row| {
            Ok((UserId::from_bytes(row.get(0)?), row.get::<_, i64>(1)?))
        });
        if let Some((owner, bytes)) = row.optional()? {
            rows::delete(connection, id)?;
            account::change(connection, owner, -bytes, 0)?;
            gone.push(id);
        }
    }
    Ok(gone)
}

pub(super) fn tidy(connection: &Connection, now: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM claim WHERE until <= ?1")?.execute([now]).map(drop)
}

fn mark(connection: &Connection, round: Round, id: MediaId) -> Result<()> {
    let sql = "UPDATE media SET condemned = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![id.bytes(), round.0]).map(drop)
}

/// 32 bytes of an entry, 16 of a profile.
fn place_key(place: Place) -> Vec<u8> {
    match place {
        Place::Entry(conversation, op) => [conversation.bytes(), op.bytes()].concat(),
        Place::Profile(user) => user.bytes().to_vec(),
    }
}
