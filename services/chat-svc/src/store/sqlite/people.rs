//! People and privacy.

use std::time::SystemTime;

use async_trait::async_trait;
use parlor_embedded::{JobError, Tx};
use parlor_types::{ConversationId, Id as _, UserId};
use rusqlite::{Connection, Row, params};

use super::columns::{audience, from_number, from_time, id, number, relation, time};
use super::{SqliteStore, one, rows};
use crate::people::{
    Acceptance, By, Counted, Filter, Pair, Person, Privacy, PrivacyChanges, Purpose, Refused, Relation, Room,
    Side, Tie, Visibility, changed_at,
};
use crate::store::{
    AccountChanges, AccountPlace, Commit, Done, PeopleStore, PrivacyKept, ReadError, Relate, Related, code,
};

/// Memberships are counted up to this many, to begin with the user who has fewer.
const FEW: u64 = 512;

/// The columns that [`person`] reads.
const PERSON: &str = "other, relation, note, blocked, changed_at";

#[async_trait]
impl PeopleStore for SqliteStore {
    fn relate(&self, change: Relate, done: Done<Result<Related, Refused>>) {
        self.writing(done, move |tx| relate(tx, &change).map_err(JobError::from));
    }

    fn set_privacy(&self, user: UserId, changes: PrivacyChanges, done: Done<PrivacyKept>) {
        self.writing(done, move |tx| set_privacy(tx, user, &changes).map_err(JobError::from));
    }

    async fn people(
        &self,
        user: UserId,
        filter: Filter,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<Person>, ReadError> {
        self.reading(move |tx| list(tx, user, filter, after, most)).await
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, ReadError> {
        self.reading(move |tx| Ok(privacy(tx, user)?.0)).await
    }

    async fn account(
        &self,
        user: UserId,
        since: AccountPlace,
        most: usize,
    ) -> Result<AccountChanges, ReadError> {
        self.reading(move |tx| account(tx, Commit(tx.commit_number()), user, since, most)).await
    }

    async fn acceptance(
        &self,
        asking: UserId,
        conversation: ConversationId,
        purpose: Purpose,
        users: Vec<UserId>,
    ) -> Result<Vec<Acceptance>, ReadError> {
        let accepts = move |tx: &Connection, user| acceptance(tx, asking, conversation, purpose, user);
        self.reading(move |tx| users.iter().map(|user| accepts(tx, *user)).collect()).await
    }

    async fn visibility(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Visibility>, ReadError> {
        self.reading(move |tx| users.iter().map(|user| visibility(tx, viewer, *user)).collect()).await
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let side = Side { relation: relation(row, 1)?, note: row.get(2)?, blocked: row.get(3)? };
    Ok(Person { user: id(row, 0)?, side, changed_at: Some(time(row, 4)?) })
}

fn one_person(tx: &Connection, user: UserId, other: UserId) -> rusqlite::Result<Person> {
    let sql = format!("SELECT {PERSON} FROM relation WHERE user = ?1 AND other = ?2");
    let found = one(tx, &sql, params![user.bytes(), other.bytes()], person)?;
    Ok(found.unwrap_or_else(|| Person { user: other, side: Side::default(), changed_at: None }))
}

fn relate(tx: &Tx<'_>, change: &Relate) -> rusqlite::Result<Result<Related, Refused>> {
    let before = one_person(tx, change.user, change.other)?;
    let other_before = one_person(tx, change.other, change.user)?;
    let pair = Pair { mine: before.side.clone(), theirs: other_before.side };
    let room = Room::find(&change.action, |counted| count(tx, change, counted))?;
    let after = match pair.after(&change.action, room) {
        Ok(after) => after,
        Err(refused) => return Ok(Err(refused)),
    };
    let (mine, theirs) = (after.mine != pair.mine, after.theirs != pair.theirs);
    let mut at = before.changed_at;
    if mine {
        let now = changed_at(change.at, before.changed_at, By::Oneself);
        keep(tx, (change.user, change.other), &after.mine, now)?;
        at = Some(now);
    }
    if theirs {
        let now = changed_at(change.at, other_before.changed_at, By::TheOther);
        keep(tx, (change.other, change.user), &after.theirs, now)?;
    }
    let person = Person { user: change.other, side: after.mine, changed_at: at };
    let changed = (mine || theirs).then(|| Commit(tx.commit_number()));
    let unblocked = pair.mine.blocked && !person.side.blocked;
    let rows =
        if unblocked { rows::say_more_of_each_other(tx, change.user, change.other)? } else { Vec::new() };
    Ok(Ok(Related { person, mine, theirs, changed, rows }))
}

fn count(tx: &Connection, change: &Relate, counted: Counted) -> rusqlite::Result<usize> {
    let count = |user: UserId, condition: &str| {
        let sql = format!("SELECT count(*) FROM relation WHERE user = ?1 AND {condition}");
        let count = one(tx, &sql, [user.bytes()], |row| number(row, 0))?.unwrap_or_default();
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    };
    let of = |relation| format!("relation = {}", code::relation(relation));
    match counted {
        Counted::Contacts => {
            Ok(count(change.user, &of(Relation::Contact))? + count(change.user, &of(Relation::Requested))?)
        }
        Counted::Blocked => count(change.user, "blocked = 1"),
        Counted::Received => count(change.other, &of(Relation::Received)),
    }
}

fn keep(
    tx: &Tx<'_>,
    (user, other): (UserId, UserId),
    side: &Side,
    changed_at: SystemTime,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO relation (user, other, relation, note, blocked, changed_at, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        user.bytes(),
        other.bytes(),
        code::relation(side.relation),
        side.note,
        side.blocked,
        from_time(changed_at),
        from_number(tx.commit_number())
    ])
    .map(drop)
}

/// The settings, and the commit that changed them last.
pub(super) fn privacy(tx: &Connection, user: UserId) -> rusqlite::Result<(Privacy, Commit)> {
    let sql = "SELECT read_receipts, online, last_seen, direct, groups, changed FROM privacy WHERE user = ?1";
    let found = one(tx, sql, [user.bytes()], |row| {
        let privacy = Privacy {
            read_receipts: row.get(0)?,
            online: audience(row, 1)?,
            last_seen: audience(row, 2)?,
            direct: audience(row, 3)?,
            groups: audience(row, 4)?,
        };
        Ok((privacy, Commit(number(row, 5)?)))
    })?;
    Ok(found.unwrap_or_default())
}

fn set_privacy(tx: &Tx<'_>, user: UserId, changes: &PrivacyChanges) -> rusqlite::Result<PrivacyKept> {
    let (before, _) = privacy(tx, user)?;
    let after = before.with(changes);
    if after == before {
        return Ok(PrivacyKept { privacy: after, changed: None, rows: Vec::new() });
    }
    tx.prepare_cached(
        "INSERT OR REPLACE INTO privacy (user, read_receipts, online, last_seen, direct, groups, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        user.bytes(),
        after.read_receipts,
        code::audience(after.online),
        code::audience(after.last_seen),
        code::audience(after.direct),
        code::audience(after.groups),
        from_number(tx.commit_number())
    ])?;
    let rows = if after.sees_more_marks_than(&before) { rows::say_more(tx, user)? } else { Vec::new() };
    Ok(PrivacyKept { privacy: after, changed: Some(Commit(tx.commit_number())), rows })
}

fn list(
    tx: &Connection,
    user: UserId,
    filter: Filter,
    after: Option<UserId>,
    most: usize,
) -> rusqlite::Result<Vec<Person>> {
    let condition = match filter {
        Filter::All => "(relation > 0 OR blocked = 1)".to_owned(),
        Filter::Contacts => format!("relation = {}", code::relation(Relation::Contact)),
        Filter::Requests => {
            format!(
                "relation IN ({}, {})",
                code::relation(Relation::Requested),
                code::relation(Relation::Received)
            )
        }
        Filter::Blocked => "blocked = 1".to_owned(),
    };
    // All ids are above an empty one.
    let after = after.map(|user| user.bytes().to_vec()).unwrap_or_default();
    let sql = format!(
        "SELECT {PERSON} FROM relation WHERE user = ?1 AND other > ?2 AND {condition} ORDER BY other LIMIT ?3"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(params![user.bytes(), after, from_number(most as u64)], person)?;
    rows.collect()
}

fn account(
    tx: &Connection,
    now: Commit,
    user: UserId,
    since: AccountPlace,
    most: usize,
) -> rusqlite::Result<AccountChanges> {
    let (commit, within) = since.told.unwrap_or((since.since, UserId::from_bytes([0xff; 16])));
    let sql = format!(
        "SELECT {PERSON}, changed FROM relation
         WHERE user = ?1 AND (changed, other) > (?2, ?3) AND (?4 OR relation > 0 OR blocked = 1)
         ORDER BY changed, other LIMIT ?5"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let params = params![
        user.bytes(),
        from_number(commit.0),
        within.bytes(),
        since.tells_of_nothing(),
        from_number(most as u64 + 1)
    ];
    let rows = statement.query_map(params, |row| Ok((person(row)?, Commit(number(row, 5)?))))?;
    let mut rows: Vec<(Person, Commit)> = rows.collect::<rusqlite::Result<_>>()?;
    let more = rows.len() > most;
    rows.truncate(most);
    let told = rows.last().map(|(person, commit)| (*commit, person.user));
    let next = if more { AccountPlace { told, ..since } } else { AccountPlace::after(now) };
    let (settings, changed) = privacy(tx, user)?;
    let tell = !more && (changed > since.since || !since.tells_of_nothing());
    let people = rows.into_iter().map(|(person, _)| person).collect();
    Ok(AccountChanges { people, privacy: tell.then_some(settings), next, more })
}

/// Whether `user` has blocked `other`.
pub(super) fn blocks(tx: &Connection, user: UserId, other: UserId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM relation WHERE user = ?1 AND other = ?2 AND blocked = 1";
    Ok(one(tx, sql, params![user.bytes(), other.bytes()], |_| Ok(()))?.is_some())
}

/// What `viewer` may see of `user`.
pub(super) fn visibility(tx: &Connection, viewer: UserId, user: UserId) -> rusqlite::Result<Visibility> {
    if viewer == user {
        return Ok(Visibility::OWN);
    }
    let tie = if blocks(tx, viewer, user)? || blocks(tx, user, viewer)? {
        Tie::Blocked
    } else if is_contact(tx, viewer, user)? || share_a_conversation(tx, viewer, user)? {
        Tie::Close
    } else {
        Tie::Strangers
    };
    Ok(Visibility::of(&privacy(tx, viewer)?.0, &privacy(tx, user)?.0, tie))
}

fn acceptance(
    tx: &Connection,
    asking: UserId,
    conversation: ConversationId,
    purpose: Purpose,
    user: UserId,
) -> rusqlite::Result<Acceptance> {
    let sql = "SELECT 1 FROM member WHERE conversation = ?1 AND user = ?2 AND present = 1";
    if one(tx, sql, params![conversation.bytes(), user.bytes()], |_| Ok(()))?.is_some() {
        return Ok(Acceptance::Takes);
    }
    let asks = one_person(tx, asking, user)?.side;
    let asked = one_person(tx, user, asking)?.side;
    Ok(Acceptance::of(purpose, &asks, &asked, &privacy(tx, user)?.0))
}

fn is_contact(tx: &Connection, user: UserId, other: UserId) -> rusqlite::Result<bool> {
    Ok(one_person(tx, user, other)?.side.relation == Relation::Contact)
}

fn share_a_conversation(tx: &Connection, a: UserId, b: UserId) -> rusqlite::Result<bool> {
    // Most who have one have the direct one, of which neither can cease to be a member.
    let sql = "SELECT 1 FROM conversation WHERE id = ?1";
    if one(tx, sql, [ConversationId::direct(a, b).bytes()], |_| Ok(()))?.is_some() {
        return Ok(true);
    }
    // From the side with fewer, which for a stranger is mostly not the one that asks.
    let (few, many) = if some_memberships(tx, a)? <= some_memberships(tx, b)? { (a, b) } else { (b, a) };
    let sql = "SELECT 1 FROM member few CROSS JOIN member many ON many.conversation = few.conversation
               WHERE few.user = ?1 AND few.present = 1 AND many.user = ?2 AND many.present = 1 LIMIT 1";
    Ok(one(tx, sql, params![few.bytes(), many.bytes()], |_| Ok(()))?.is_some())
}

/// How many conversations a user is or was a member of, counted up to [`FEW`].
fn some_memberships(tx: &Connection, user: UserId) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM member WHERE user = ?1 LIMIT ?2)";
    Ok(one(tx, sql, params![user.bytes(), from_number(FEW)], |row| number(row, 0))?.unwrap_or_default())
}
