//! The store as plainly as it can be said: what the other one is compared with.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use parlor_types::{DeviceId, MediaId, SessionId, UserId, Username};

use super::{Change, Created, Error, OnRevoked, RevocationPage, Rule, Store, UserState};
use crate::accounts::{Account, AccountKind, Credential};
use crate::emails::{EmailAddress, EmailState};
use crate::profiles::{Avatar, Profile, fold};
use crate::sessions::{Lifetimes, Revocation, Session};
use crate::time::Moment;

/// Accounts and sessions in memory.
pub(crate) struct MemoryStore {
    on_revoked: OnRevoked,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    accounts: BTreeMap<UserId, Account>,
    emails: BTreeMap<UserId, EmailState>,
    sessions: BTreeMap<SessionId, Session>,
    revocations: Vec<Revocation>,
    newest: u64,
}

impl MemoryStore {
    pub(crate) fn new(on_revoked: OnRevoked) -> Self {
        Self { on_revoked, tables: Mutex::default() }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn open_of(&self, user: UserId) -> Vec<Session> {
        let open = self.sessions.values().filter(|s| s.user_id == user && s.ended_at.is_none());
        open.cloned().collect()
    }

    fn is_proved(&self, address: &EmailAddress) -> bool {
        let mut proved = self.emails.values().filter_map(|state| state.proved.as_ref());
        proved.any(|proved| proved.address.compared() == address.compared())
    }

    fn put_email(&mut self, user: UserId, state: EmailState) {
        if let Some(proved) = &state.proved {
            let same = |other: &EmailState| {
                other
                    .proved
                    .as_ref()
                    .is_some_and(|other| other.address.compared() == proved.address.compared())
            };
            let losers = self.emails.iter_mut().filter(|(other, state)| **other != user && same(state));
            losers.for_each(|(_, state)| state.proved = None);
        }
        self.emails.insert(user, state);
    }

    fn apply(&mut self, user: UserId, change: Change) -> Option<Revocation> {
        let account = self.accounts.get_mut(&user).expect("rules are asked about users there are");
        match change {
            Change::PutSession(session) => {
                if self.sessions.get(&session.id).is_none_or(|present| present.ended_at.is_none()) {
                    self.sessions.insert(session.id, session);
                }
            }
            Change::EndSession { id, at } => {
                let session =
                    self.sessions.get_mut(&id).filter(|s| s.user_id == user && s.ended_at.is_none())?;
                session.ended_at = Some(at);
                self.newest += 1;
                let revocation =
                    Revocation { seq: self.newest, session_id: id, user_id: user, revoked_at: at };
                self.revocations.push(revocation);
                return Some(revocation);
            }
            Change::SetPassword(hash) => {
                account.credential = Credential::Password(hash);
                account.credential_version += 1;
            }
            Change::RenewHash(hash) => account.credential = Credential::Password(hash),
            Change::SetProfile(text, avatar) => {
                (account.text, account.avatar) = (text, avatar);
                account.profile_version += 1;
            }
            Change::PutEmail(state) => self.put_email(user, state),
        }
        None
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn create_accounts_with(
        &self,
        accounts: Vec<(Account, Option<EmailAddress>)>,
    ) -> Result<Vec<Created>, Error> {
        let mut tables = self.tables();
        let create = |(account, address): (Account, Option<EmailAddress>)| {
            let taken = tables.accounts.contains_key(&account.user_id)
                || tables.accounts.values().any(|other| other.username == account.username)
                || address.as_ref().is_some_and(|address| tables.is_proved(address));
            if taken {
                return Created::Taken;
            }
            if let Some(address) = address {
                tables.put_email(account.user_id, EmailState::imported(address));
            }
            tables.accounts.insert(account.user_id, account);
            Created::Made
        };
        Ok(accounts.into_iter().map(create).collect())
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>, Error> {
        Ok(self.tables().accounts.get(&user).cloned())
    }

    async fn account_by_name(&self, username: &Username) -> Result<Option<Account>, Error> {
        Ok(self.tables().accounts.values().find(|account| account.username == *username).cloned())
    }

    async fn profiles(&self, users: Vec<UserId>) -> Result<Vec<Profile>, Error> {
        let tables = self.tables();
        Ok(users.iter().filter_map(|user| tables.accounts.get(user).cloned()).map(Profile::from).collect())
    }

    async fn search(
        &self,
        prefix: String,
        after: Option<Username>,
        limit: usize,
    ) -> Result<Vec<Profile>, Error> {
        let matches = |account: &&Account| {
            let names = [account.username.as_str().to_owned(), fold(&account.text.display_name)];
            names.iter().any(|name| name.starts_with(&prefix))
                && account.kind() != AccountKind::Service { internal: true }
                && after.as_ref().is_none_or(|after| account.username > *after)
        };
        let mut found: Vec<_> =
            self.tables().accounts.values().filter(matches).cloned().map(Profile::from).collect();
        found.sort_by(|a, b| a.username.cmp(&b.username));
        found.truncate(limit);
        Ok(found)
    }

    async fn used_avatars(&self, mut media: Vec<MediaId>) -> Result<Vec<MediaId>, Error> {
        let tables = self.tables();
        let used: Vec<MediaId> =
            tables.accounts.values().filter_map(|account| account.avatar.as_ref().map(Avatar::id)).collect();
        media.retain(|media| used.contains(media));
        Ok(media)
    }

    async fn email(&self, user: UserId) -> Result<EmailState, Error> {
        Ok(self.tables().emails.get(&user).cloned().unwrap_or_default())
    }

    async fn profile_by_email(&self, address: &EmailAddress) -> Result<Option<Profile>, Error> {
        let tables = self.tables();
        let has = |state: &EmailState| {
            let proved = state.proved.as_ref().filter(|_| state.discoverable);
            proved.is_some_and(|proved| proved.address.compared() == address.compared())
        };
        let user = tables.emails.iter().find(|(_, state)| has(state)).map(|(user, _)| user);
        Ok(user.and_then(|user| tables.accounts.get(user)).cloned().map(Profile::from))
    }

    async fn forget_unproved(&self, expired_before: Moment) -> Result<(), Error> {
        for state in self.tables().emails.values_mut() {
            state.waiting = state.waiting.take().filter(|waiting| waiting.expires_at >= expired_before);
        }
        Ok(())
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        Ok(self.tables().sessions.get(&id).cloned())
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        Ok(self.tables().open_of(user))
    }

    async fn knows_device(&self, user: UserId, device: DeviceId) -> Result<bool, Error> {
        Ok(self.tables().sessions.values().any(|s| s.user_id == user && s.device.id == device))
    }

    async fn update(&self, user: UserId, rule: Rule) -> Result<(), Error> {
        let mut tables = self.tables();
        let Some(account) = tables.accounts.get(&user).cloned() else { return Ok(()) };
        let email = tables.emails.get(&user).cloned().unwrap_or_default();
        let state = UserState { account, sessions: tables.open_of(user), email };
        for change in rule(&state) {
            if let Some(revocation) = tables.apply(user, change) {
                (self.on_revoked)(&revocation);
            }
        }
        Ok(())
    }

    async fn expired_sessions(
        &self,
        lifetimes: Lifetimes,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<(UserId, SessionId)>, Error> {
        let tables = self.tables();
        let expired =
            tables.sessions.values().filter(|s| s.ended_at.is_none() && !s.is_alive(lifetimes, now));
        Ok(expired.map(|s| (s.user_id, s.id)).take(limit).collect())
    }

    async fn revocations(&self, after: u64, since: Moment, limit: usize) -> Result<RevocationPage, Error> {
        let tables = self.tables();
        let wanted = tables.revocations.iter().filter(|r| r.seq > after && r.revoked_at >= since);
        Ok(RevocationPage { revocations: wanted.take(limit).copied().collect(), newest: tables.newest })
    }

    async fn prune(&self, revocations: Moment, sessions: Moment) -> Result<(), Error> {
        let mut tables = self.tables();
        tables.revocations.retain(|r| r.revoked_at >= revocations);
        tables.sessions.retain(|_, s| s.ended_at.is_none_or(|at| at >= sessions));
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.tables().accounts.is_empty())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

mod tests {
    use std::sync::Arc;

    use super::MemoryStore;
    use crate::store::conformance::{self, Fixture, Told};

    fn fixture() -> Fixture {
        let told = Told::default();
        Fixture { store: Arc::new(MemoryStore::new(conformance::listener(&told))), told, _folder: None }
    }

    conformance::suite!(fixture);
}
