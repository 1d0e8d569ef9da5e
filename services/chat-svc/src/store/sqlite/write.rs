//! Appending a batch, with all it changes.

use parlor_embedded::Tx;
use parlor_types::{Id as _, Seq, UserId};
use rusqlite::params;

use super::around::Around;
use super::columns::{from_number, from_seq, from_time};
use super::{changes, media, preferences, unread, withheld};
use crate::conversation::{Change, Content, Role};
use crate::edge;
use crate::log::Entry;
use crate::store::{Batch, Commit, NewEntry, Stored, code};

/// Stores the batch; `None`, and nothing done, if it does not follow the head.
pub(super) fn append(tx: &Tx<'_>, batch: &Batch) -> rusqlite::Result<Option<Stored>> {
    if !follow(tx, batch)? {
        return Ok(None);
    }
    let mut stored = Stored { commit: Commit(tx.commit_number()), ..Stored::default() };
    for new in &batch.entries {
        insert(tx, new)?;
        media::note(tx, &new.entry)?;
        for change in &new.changes {
            apply(tx, new, change)?;
        }
        spread(tx, new, &mut stored)?;
    }
    stored.returned.sort();
    stored.returned.dedup();
    Ok(Some(stored))
}

/// Moves the head to the end of the batch, if the batch begins at the head.
fn follow(tx: &Tx<'_>, batch: &Batch) -> rusqlite::Result<bool> {
    let (Some(first), Some(last)) = (batch.entries.first(), batch.entries.last()) else { return Ok(false) };
    if batch.after == Seq(0) && !create(tx, first)? {
        return Ok(false);
    }
    let sql = "UPDATE conversation SET head = ?3, number = ?4, time = ?5, activity = ?6 WHERE id = ?1 AND head = ?2";
    let moved = tx.prepare_cached(sql)?.execute(params![
        batch.conversation.bytes(),
        from_seq(batch.after),
        from_seq(last.entry.seq),
        from_number(last.entry.number),
        from_time(last.entry.time),
        from_number(tx.commit_number())
    ])?;
    Ok(moved == 1)
}

/// What a message or a change of one does beside its own row, and who is told what of it.
fn spread(tx: &Tx<'_>, new: &NewEntry, stored: &mut Stored) -> rusqlite::Result<()> {
    let entry = &new.entry;
    if entry.content.is_message() || matches!(entry.content, Content::Edit(_)) {
        let around = Around::of(tx, entry)?;
        let from = if around.blocked { withheld::withhold(tx, entry)? } else { Vec::new() };
        if entry.content.is_message() {
            own_message(tx, new)?;
            stored.returned.extend(message(tx, entry, &around, &from)?);
        }
        if !from.is_empty() {
            stored.withheld.push((entry.seq, from));
        }
    }
    if let Some(about) = entry.target {
        let applied = changes::apply(tx, entry, about)?;
        stored.returned.extend(applied.told);
        stored.released.extend(applied.released);
        if !applied.not_members.is_empty() {
            stored.not_members.push((entry.seq, applied.not_members));
        }
    }
    Ok(())
}

/// What a message does to its readers' rows; gives those whose preferences it changed.
fn message(
    tx: &Tx<'_>,
    entry: &Entry,
    around: &Around,
    withheld: &[UserId],
) -> rusqlite::Result<Vec<UserId>> {
    let (sender, conversation) = (entry.sender, entry.conversation);
    unread::mention(tx, entry, withheld)?;
    if around.mentioned {
        unread::forget_mentions(tx, sender, conversation, entry.seq)?;
    }
    if !around.preferred {
        return Ok(Vec::new());
    }
    let mut changed = preferences::bring_back(tx, conversation, entry.time, withheld)?;
    if preferences::read_further(tx, sender, conversation)? {
        changed.push(sender);
    }
    Ok(changed)
}

/// A new conversation, still without an entry; whether there was none.
fn create(tx: &Tx<'_>, new: &NewEntry) -> rusqlite::Result<bool> {
    let Content::Created { kind, name, settings, .. } = &new.entry.content else {
        return Err(rusqlite::Error::InvalidQuery);
    };
    tx.prepare_cached(
        "INSERT INTO conversation (id, kind, name, history_visibility, created, head, number, time, activity)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?5, 0) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        new.entry.conversation.bytes(),
        code::kind(*kind),
        name,
        code::history(settings.history_visibility),
        from_time(new.entry.time)
    ])
    .map(|created| created == 1)
}

fn insert(tx: &Tx<'_>, new: &NewEntry) -> rusqlite::Result<()> {
    let entry = &new.entry;
    tx.prepare_cached(
        "INSERT INTO entry (conversation, seq, number, sender, op, digest, time, message, target, rev, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        entry.conversation.bytes(),
        from_seq(entry.seq),
        from_number(entry.number),
        entry.sender.bytes(),
        entry.op.bytes(),
        new.digest.0,
        from_time(entry.time),
        entry.content.is_message(),
        from_seq(entry.target.unwrap_or_default()),
        from_seq(entry.rev),
        edge::stored_body(entry)
    ])
    .map(drop)
}

fn apply(tx: &Tx<'_>, new: &NewEntry, change: &Change) -> rusqlite::Result<()> {
    let conversation = new.entry.conversation;
    match change {
        Change::Opened { user, role, from } => open(tx, new, *user, *role, *from),
        Change::Closed { user } => close(tx, new, *user),
        Change::Role { user, role } => tx
            .prepare_cached("UPDATE member SET role = ?3 WHERE conversation = ?1 AND user = ?2")?
            .execute(params![conversation.bytes(), user.bytes(), code::role(*role)])
            .map(drop),
        Change::Name(name) => tx
            .prepare_cached("UPDATE conversation SET name = ?2 WHERE id = ?1")?
            .execute(params![conversation.bytes(), name])
            .map(drop),
        Change::Settings(settings) => tx
            .prepare_cached("UPDATE conversation SET history_visibility = ?2 WHERE id = ?1")?
            .execute(params![conversation.bytes(), code::history(settings.history_visibility)])
            .map(drop),
        Change::Avatar(set) => {
            let place = if *set { new.entry.seq } else { Seq(0) };
            tx.prepare_cached("UPDATE conversation SET avatar = ?2 WHERE id = ?1")?
                .execute(params![conversation.bytes(), from_seq(place)])
                .map(drop)
        }
    }
}

/// A membership begins. What was there before it does not count as unread.
fn open(tx: &Tx<'_>, new: &NewEntry, user: UserId, role: Role, from: Seq) -> rusqlite::Result<()> {
    let id = new.entry.conversation.bytes();
    let joined = from_seq(new.entry.seq);
    tx.prepare_cached(
        "INSERT INTO member (conversation, user, present, role, joined, received, read, read_number, changed,
             shown_received, shown_read)
         VALUES (?1, ?2, 1, ?3, ?4, ?4, ?4, ?5, ?6, ?4, ?4)
         ON CONFLICT DO UPDATE SET present = 1, role = ?3, joined = ?4, received = ?4, read = ?4, read_number = ?5,
             changed = ?6, received_at = NULL, read_at = NULL, shown_received = ?4, shown_read = ?4,
             shown_received_at = NULL, shown_read_at = NULL, last_name = NULL, last_history = NULL",
    )?
    .execute(params![
        id,
        user.bytes(),
        code::role(role),
        joined,
        from_number(new.entry.number),
        from_number(tx.commit_number())
    ])?;
    tx.prepare_cached("UPDATE conversation SET members = members + 1 WHERE id = ?1")?.execute([id])?;
    preferences::read_further(tx, user, new.entry.conversation)?;
    unread::forget_mentions(tx, user, new.entry.conversation, new.entry.seq)?;
    tx.prepare_cached(
        "INSERT INTO readable (conversation, user, from_seq, joined, to_seq) VALUES (?1, ?2, ?3, ?4, NULL)",
    )?
    .execute(params![id, user.bytes(), from_seq(from), joined])
    .map(drop)
}

/// A membership ends with this entry; the row they keep is as it is now.
fn close(tx: &Tx<'_>, new: &NewEntry, user: UserId) -> rusqlite::Result<()> {
    let id = new.entry.conversation.bytes();
    tx.prepare_cached(
        "UPDATE readable SET to_seq = ?3 WHERE conversation = ?1 AND user = ?2 AND to_seq IS NULL",
    )?
    .execute(params![id, user.bytes(), from_seq(new.entry.seq)])?;
    tx.prepare_cached(
        "UPDATE member SET present = 0, changed = ?3, closed = ?3, last_name = c.name, last_history = c.history_visibility,
             last_avatar = c.avatar
         FROM conversation c WHERE c.id = ?1 AND member.conversation = ?1 AND member.user = ?2",
    )?
    .execute(params![id, user.bytes(), from_number(tx.commit_number())])?;
    preferences::leave(tx, user, new.entry.conversation)?;
    tx.prepare_cached("UPDATE conversation SET members = members - 1 WHERE id = ?1")?.execute([id]).map(drop)
}

/// Whoever writes has read what is above.
fn own_message(tx: &Tx<'_>, new: &NewEntry) -> rusqlite::Result<()> {
    let entry = &new.entry;
    tx.prepare_cached(
        "UPDATE member SET received = ?3, received_at = ?5, read = ?3, read_at = ?5, read_number = ?4
         WHERE conversation = ?1 AND user = ?2",
    )?
    .execute(params![
        entry.conversation.bytes(),
        entry.sender.bytes(),
        from_seq(entry.seq),
        from_number(entry.number),
        from_time(entry.time)
    ])
    .map(drop)
}
