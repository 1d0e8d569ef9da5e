//! How members want to have their conversations.

use std::time::SystemTime;

use parlor_embedded::Tx;
use parlor_types::{ConversationId, Id as _, Seq, UserId, limits};
use rusqlite::{Connection, Row, params};

use super::columns::{from_number, from_optional_time, from_seq, from_time, id, number, optional_time, seq};
use super::{one, read};
use crate::preferences::{Draft, Preferences};
use crate::store::{Commit, NewPreferences, Preferred};

/// The columns that [`preferences`] reads.
const PREFERENCES: &str =
    "muted_until, pinned_at, archived, hidden, marked_unread, draft, draft_reply_to, custom_name";

fn preferences(row: &Row<'_>) -> rusqlite::Result<Preferences> {
    let (text, reply_to): (String, Seq) = (row.get(5)?, seq(row, 6)?);
    let draft =
        (!text.is_empty()).then_some(Draft { text, reply_to: (reply_to > Seq(0)).then_some(reply_to) });
    Ok(Preferences {
        muted_until: optional_time(row, 0)?,
        pinned_at: optional_time(row, 1)?,
        archived: row.get(2)?,
        hidden: row.get(3)?,
        marked_unread: row.get(4)?,
        draft,
        custom_name: row.get(7)?,
    })
}

/// What there is; `None` if nothing was ever set.
fn kept(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Option<Preferences>> {
    let sql = format!("SELECT {PREFERENCES} FROM preference WHERE conversation = ?1 AND user = ?2");
    one(tx, &sql, params![conversation.bytes(), user.bytes()], preferences)
}

pub(super) fn load(
    tx: &Connection,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<Preferences> {
    Ok(kept(tx, user, conversation)?.unwrap_or_default())
}

/// Applies a member's changes.
pub(super) fn prefer(tx: &Tx<'_>, new: &NewPreferences) -> rusqlite::Result<Preferred> {
    let (user, conversation) = (new.user, new.conversation);
    let Some(ranges) = read::ranges(tx, user, conversation)? else { return Ok(Preferred::NotFound) };
    if new.reply_to() > ranges.head(read::head(tx, conversation)?) {
        return Ok(Preferred::Ahead);
    }
    let before = load(tx, user, conversation)?;
    let after = before.with(&new.changes, new.at);
    if after == before {
        return Ok(Preferred::Now(after, None));
    }
    let pins = after.pinned_at.is_some() && before.pinned_at.is_none();
    if pins && pinned(tx, user)? >= limits::MAX_PINNED as u64 {
        return Ok(Preferred::TooManyPinned);
    }
    keep(tx, user, conversation, &after)?;
    tx.prepare_cached("UPDATE member SET changed = ?3 WHERE conversation = ?1 AND user = ?2")?
        .execute(params![conversation.bytes(), user.bytes(), from_number(tx.commit_number())])?;
    Ok(Preferred::Now(after, Some(Commit(tx.commit_number()))))
}

fn pinned(tx: &Connection, user: UserId) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM preference WHERE user = ?1 AND pinned_at IS NOT NULL";
    Ok(one(tx, sql, [user.bytes()], |row| number(row, 0))?.unwrap_or_default())
}

fn keep(
    tx: &Tx<'_>,
    user: UserId,
    conversation: ConversationId,
    preferences: &Preferences,
) -> rusqlite::Result<()> {
    let draft = preferences.draft.as_ref();
    tx.prepare_cached(&format!(
        "INSERT OR REPLACE INTO preference (conversation, user, {PREFERENCES}, returns_from)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, iif(present, ?11, NULL)
         FROM member WHERE conversation = ?1 AND user = ?2"
    ))?
    .execute(params![
        conversation.bytes(),
        user.bytes(),
        from_optional_time(preferences.muted_until),
        from_optional_time(preferences.pinned_at),
        preferences.archived,
        preferences.hidden,
        preferences.marked_unread,
        draft.map_or("", |draft| &draft.text),
        from_seq(draft.and_then(|draft| draft.reply_to).unwrap_or_default()),
        preferences.custom_name,
        from_optional_time(preferences.returns_from())
    ])
    .map(drop)
}

/// A message has come: brings the conversation back to those who are to see it, but not to those from whom it is withheld.
/// Gives them.
pub(super) fn bring_back(
    tx: &Tx<'_>,
    conversation: ConversationId,
    time: SystemTime,
    withheld: &[UserId],
) -> rusqlite::Result<Vec<UserId>> {
    let sql = format!(
        "SELECT {PREFERENCES}, user FROM preference
         WHERE conversation = ?1 AND returns_from IS NOT NULL AND returns_from <= ?2"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(params![conversation.bytes(), from_time(time)], |row| {
        Ok((preferences(row)?, id::<UserId>(row, 8)?))
    })?;
    let away: Vec<(Preferences, UserId)> = rows.collect::<rusqlite::Result<_>>()?;
    let mut back = Vec::new();
    for (before, user) in away {
        if !withheld.contains(&user) {
            keep(tx, user, conversation, &before.after_message(time))?;
            back.push(user);
        }
    }
    Ok(back)
}

/// A read mark has risen, or a membership has begun; whether that changed anything.
pub(super) fn read_further(
    tx: &Tx<'_>,
    user: UserId,
    conversation: ConversationId,
) -> rusqlite::Result<bool> {
    let Some(before) = kept(tx, user, conversation)? else { return Ok(false) };
    keep(tx, user, conversation, &before.after_reading())?;
    Ok(before.marked_unread)
}

/// A membership has ended: no message brings anything back.
pub(super) fn leave(tx: &Tx<'_>, user: UserId, conversation: ConversationId) -> rusqlite::Result<()> {
    let sql = "UPDATE preference SET returns_from = NULL WHERE conversation = ?1 AND user = ?2";
    tx.prepare_cached(sql)?.execute(params![conversation.bytes(), user.bytes()]).map(drop)
}
