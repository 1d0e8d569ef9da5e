//! People and privacy.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::SystemTime;

use async_trait::async_trait;
use parlor_types::{ConversationId, Id as _, UserId};

use super::{All, MemoryStore};
use crate::people::{
    Acceptance, By, Counted, Filter, Pair, Person, Privacy, PrivacyChanges, Purpose, Refused, Relation, Room,
    Side, Tie, Visibility, changed_at,
};
use crate::store::members::lists;
use crate::store::{
    AccountChanges, AccountPlace, Commit, Done, PeopleStore, PrivacyKept, ReadError, Relate, Related,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Accounts {
    sides: BTreeMap<(UserId, UserId), Kept>,
    privacy: BTreeMap<UserId, (Privacy, Commit)>,
}

#[derive(Debug, Clone)]
struct Kept {
    side: Side,
    at: SystemTime,
    changed: Commit,
}

impl Accounts {
    fn side(&self, user: UserId, other: UserId) -> Side {
        self.sides.get(&(user, other)).map(|kept| kept.side.clone()).unwrap_or_default()
    }

    /// All sides of a user.
    fn sides(&self, user: UserId) -> impl Iterator<Item = (UserId, &Kept)> {
        let (first, last) = (UserId::from_bytes([0; 16]), UserId::from_bytes([0xff; 16]));
        self.sides.range((user, first)..=(user, last)).map(|((_, other), kept)| (*other, kept))
    }

    fn of(&self, user: UserId) -> impl Iterator<Item = (Person, Commit)> {
        self.sides(user).map(|(other, kept)| {
            let person = Person { user: other, side: kept.side.clone(), changed_at: Some(kept.at) };
            (person, kept.changed)
        })
    }

    fn room(&self, change: &Relate) -> Room {
        let count =
            |user, wanted: fn(&Side) -> bool| self.sides(user).filter(|(_, kept)| wanted(&kept.side)).count();
        let room = Room::find(&change.action, |counted| {
            Ok::<_, Infallible>(match counted {
                Counted::Contacts => count(change.user, |side| side.relation.counts()),
                Counted::Blocked => count(change.user, |side| side.blocked),
                Counted::Received => count(change.other, |side| side.relation == Relation::Received),
            })
        });
        let Ok(room) = room;
        room
    }

    pub(super) fn privacy(&self, user: UserId) -> (Privacy, Commit) {
        self.privacy.get(&user).copied().unwrap_or_default()
    }

    /// The commit of the block, if `user` has blocked `other`.
    pub(super) fn block(&self, user: UserId, other: UserId) -> Option<Commit> {
        self.sides.get(&(user, other)).filter(|kept| kept.side.blocked).map(|kept| kept.changed)
    }

    /// Whether `user` has blocked `other`.
    pub(super) fn blocks(&self, user: UserId, other: UserId) -> bool {
        self.side(user, other).blocked
    }
}

impl All {
    fn relate(&mut self, change: &Relate) -> Result<Related, Refused> {
        let (user, other) = (change.user, change.other);
        let accounts = &mut self.accounts;
        let pair = Pair { mine: accounts.side(user, other), theirs: accounts.side(other, user) };
        let after = pair.after(&change.action, accounts.room(change))?;
        let (mine, theirs) = (after.mine != pair.mine, after.theirs != pair.theirs);
        let next = Commit(self.commit + 1);
        for (changed, key, side, by) in [
            (mine, (user, other), &after.mine, By::Oneself),
            (theirs, (other, user), &after.theirs, By::TheOther),
        ] {
            if changed {
                let before = accounts.sides.get(&key).map(|kept| kept.at);
                let at = changed_at(change.at, before, by);
                accounts.sides.insert(key, Kept { side: side.clone(), at, changed: next });
            }
        }
        if mine || theirs {
            self.commit = next.0;
        }
        let changed_at = accounts.sides.get(&(user, other)).map(|kept| kept.at);
        let unblocked = pair.mine.blocked && !after.mine.blocked;
        let rows = if unblocked { self.say_more(&[user, other]) } else { Vec::new() };
        let person = Person { user: other, side: after.mine, changed_at };
        Ok(Related { person, mine, theirs, changed: (mine || theirs).then_some(next), rows })
    }

    /// The rows of these users say more of others' marks than they did. Gives the conversations that all of them are in.
    fn say_more(&mut self, users: &[UserId]) -> Vec<ConversationId> {
        let mut found = Vec::new();
        for (id, conversation) in &mut self.conversations {
            let members = &conversation.state.members;
            let all = users.iter().all(|user| members.contains_key(user));
            if !all || members.len() < 2 || !lists(members.len()) {
                continue;
            }
            for user in users {
                conversation.readers.entry(*user).or_default().changed = self.commit;
            }
            found.push(*id);
        }
        found.sort();
        found
    }

    fn set_privacy(&mut self, user: UserId, changes: &PrivacyChanges) -> PrivacyKept {
        let (before, _) = self.accounts.privacy(user);
        let privacy = before.with(changes);
        if privacy == before {
            return PrivacyKept { privacy, changed: None, rows: Vec::new() };
        }
        self.commit += 1;
        self.accounts.privacy.insert(user, (privacy, Commit(self.commit)));
        let rows = if privacy.sees_more_marks_than(&before) { self.say_more(&[user]) } else { Vec::new() };
        PrivacyKept { privacy, changed: Some(Commit(self.commit)), rows }
    }

    fn account(&self, user: UserId, since: AccountPlace, most: usize) -> AccountChanges {
        let known = |person: &Person| since.tells_of_nothing() || !person.side.is_nothing();
        let mut found: Vec<(Person, Commit)> = self.accounts.of(user).collect();
        found.retain(|(person, changed)| {
            let told = since.told.is_some_and(|told| (*changed, person.user) <= told);
            *changed > since.since && !told && known(person)
        });
        found.sort_by_key(|(person, changed)| (*changed, person.user));
        let more = found.len() > most;
        found.truncate(most);
        let told = found.last().map(|(person, changed)| (*changed, person.user));
        let next =
            if more { AccountPlace { told, ..since } } else { AccountPlace::after(Commit(self.commit)) };
        let (privacy, changed) = self.accounts.privacy(user);
        let tell = !more && (changed > since.since || !since.tells_of_nothing());
        let people = found.into_iter().map(|(person, _)| person).collect();
        AccountChanges { people, privacy: tell.then_some(privacy), next, more }
    }

    /// What `viewer` may see of `user`.
    pub(super) fn visibility(&self, viewer: UserId, user: UserId) -> Visibility {
        if viewer == user {
            return Visibility::OWN;
        }
        let accounts = &self.accounts;
        let both =
            |members: &BTreeMap<UserId, _>| members.contains_key(&viewer) && members.contains_key(&user);
        let tie = if accounts.blocks(viewer, user) || accounts.blocks(user, viewer) {
            Tie::Blocked
        } else if accounts.side(viewer, user).relation == Relation::Contact
            || self.conversations.values().any(|found| both(&found.state.members))
        {
            Tie::Close
        } else {
            Tie::Strangers
        };
        Visibility::of(&accounts.privacy(viewer).0, &accounts.privacy(user).0, tie)
    }
}

#[async_trait]
impl PeopleStore for MemoryStore {
    fn relate(&self, change: Relate, done: Done<Result<Related, Refused>>) {
        let mut all = self.all();
        done(Ok(all.relate(&change)));
    }

    fn set_privacy(&self, user: UserId, changes: PrivacyChanges, done: Done<PrivacyKept>) {
        let mut all = self.all();
        done(Ok(all.set_privacy(user, &changes)));
    }

    async fn people(
        &self,
        user: UserId,
        filter: Filter,
        after: Option<UserId>,
        most: usize,
    ) -> Result<Vec<Person>, ReadError> {
        let all = self.all();
        let people = all.accounts.of(user).map(|(person, _)| person);
        let wanted = |person: &Person| filter.takes(&person.side) && Some(person.user) > after;
        Ok(people.filter(wanted).take(most).collect())
    }

    async fn privacy(&self, user: UserId) -> Result<Privacy, ReadError> {
        Ok(self.all().accounts.privacy(user).0)
    }

    async fn account(
        &self,
        user: UserId,
        since: AccountPlace,
        most: usize,
    ) -> Result<AccountChanges, ReadError> {
        Ok(self.all().account(user, since, most))
    }

    async fn acceptance(
        &self,
        asking: UserId,
        conversation: ConversationId,
        purpose: Purpose,
        users: Vec<UserId>,
    ) -> Result<Vec<Acceptance>, ReadError> {
        let all = self.all();
        let accounts = &all.accounts;
        let members = all.conversations.get(&conversation).map(|found| &found.state.members);
        let accepts = |user: &UserId| {
            if members.is_some_and(|members| members.contains_key(user)) {
                return Acceptance::Takes;
            }
            let (asks, asked) = (accounts.side(asking, *user), accounts.side(*user, asking));
            Acceptance::of(purpose, &asks, &asked, &accounts.privacy(*user).0)
        };
        Ok(users.iter().map(accepts).collect())
    }

    async fn visibility(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Visibility>, ReadError> {
        let all = self.all();
        Ok(users.iter().map(|user| all.visibility(viewer, *user)).collect())
    }
}
