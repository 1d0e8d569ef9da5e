//! Which files entries name, and who may have them for it.

use async_trait::async_trait;
use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, MediaId, Seq, UserId};
use rusqlite::{Connection, params};

use super::columns::{from_number, from_seq, number};
use super::{SqliteStore, one, read};
use crate::conversation::{Content, Media};
use crate::log::Entry;
use crate::store::{MediaRefs, ReadError};

/// Up to this many entries that name a file are looked at one by one; of more, the conversations of the reader are.
const FEW: u64 = 512;

/// Notes the files that an entry names.
pub(super) fn note(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<()> {
    let sql = "INSERT INTO media_ref (media, conversation, seq) VALUES (?1, ?2, ?3)";
    for media in entry.content.media_ids() {
        let params = params![media.bytes(), entry.conversation.bytes(), from_seq(entry.seq)];
        tx.prepare_cached(sql)?.execute(params)?;
    }
    Ok(())
}

/// An entry names its files no more; gives them.
pub(super) fn forget(tx: &Tx<'_>, entry: &Entry) -> rusqlite::Result<Vec<MediaId>> {
    let sql = "DELETE FROM media_ref WHERE media = ?1 AND conversation = ?2 AND seq = ?3";
    let named = entry.content.media_ids();
    for media in &named {
        let params = params![media.bytes(), entry.conversation.bytes(), from_seq(entry.seq)];
        tx.prepare_cached(sql)?.execute(params)?;
    }
    Ok(named)
}

/// The picture that the entry at this place gave to its group; place 0 stands for none.
pub(super) fn avatar(
    tx: &Connection,
    conversation: ConversationId,
    place: Seq,
) -> rusqlite::Result<Option<Media>> {
    if place == Seq(0) {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM entry WHERE conversation = ?1 AND seq = ?2", read::ENTRY);
    let key = params![conversation.bytes(), from_seq(place)];
    Ok(match one(tx, &sql, key, |row| read::entry(conversation, row))?.map(|entry| entry.content) {
        Some(Content::SetAvatar(media)) => media,
        _ => None,
    })
}

fn is_readable(tx: &Connection, user: UserId, media: MediaId) -> rusqlite::Result<bool> {
    let count = "SELECT count(*) FROM (SELECT 1 FROM media_ref WHERE media = ?1 LIMIT ?2)";
    let few = params![media.bytes(), from_number(FEW + 1)];
    let pairs = match one(tx, count, few, |row| number(row, 0))?.unwrap_or_default() {
        0 => return Ok(false),
        1..=FEW => "media_ref f CROSS JOIN member m",
        _ => "member m CROSS JOIN media_ref f",
    };
    let sql = format!(
        "SELECT 1 FROM {pairs} CROSS JOIN conversation c
         WHERE f.media = ?1 AND m.user = ?2 AND m.conversation = f.conversation AND c.id = f.conversation AND (
             f.seq = CASE m.present WHEN 1 THEN c.avatar ELSE m.last_avatar END
             OR (EXISTS (
                 SELECT 1 FROM readable r WHERE r.conversation = f.conversation AND r.user = ?2
                 AND f.seq >= r.from_seq AND (r.to_seq IS NULL OR f.seq <= r.to_seq)
             ) AND NOT EXISTS (
                 SELECT 1 FROM withheld w
                 WHERE w.conversation = f.conversation AND w.user = ?2 AND w.seq = f.seq
             ))
         )
         LIMIT 1"
    );
    Ok(one(tx, &sql, params![media.bytes(), user.bytes()], |_| Ok(()))?.is_some())
}

fn is_referenced(tx: &Connection, media: MediaId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM media_ref WHERE media = ?1 LIMIT 1";
    Ok(one(tx, sql, [media.bytes()], |_| Ok(()))?.is_some())
}

fn is_member(tx: &Connection, user: UserId, conversation: ConversationId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM member WHERE conversation = ?1 AND user = ?2 AND present = 1";
    Ok(one(tx, sql, params![conversation.bytes(), user.bytes()], |_| Ok(()))?.is_some())
}

/// Those for which `wanted` holds.
fn those(
    media: Vec<MediaId>,
    wanted: impl Fn(MediaId) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Vec<MediaId>> {
    let look = |media| wanted(media).map(|wanted| wanted.then_some(media)).transpose();
    media.into_iter().filter_map(look).collect()
}

#[async_trait]
impl MediaRefs for SqliteStore {
    async fn is_member(&self, user: UserId, conversation: ConversationId) -> Result<bool, ReadError> {
        self.reading(move |tx| is_member(tx, user, conversation)).await
    }

    async fn readable_media(&self, user: UserId, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        self.reading(move |tx| those(media, |media| is_readable(tx, user, media))).await
    }

    async fn referenced_media(&self, media: Vec<MediaId>) -> Result<Vec<MediaId>, ReadError> {
        self.reading(move |tx| those(media, |media| is_referenced(tx, media))).await
    }
}
