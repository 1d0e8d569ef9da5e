//! Opens, refreshes, lists and ends sessions.

use std::sync::Arc;

use parlor_types::{Op, SessionId, UserId};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::open::{Opening, open};
use super::{Decision, Device, Lifetimes, RowSecret, Session, end_others};
use crate::accounts::{Account, AccountKind};
use crate::refusal::Refusal;
use crate::store::{Change, Store, UserState};
use crate::time::Moment;
use crate::tokens::{AccessToken, Issuer, RefreshToken};

/// What a client holds of its session.
#[derive(Debug)]
pub struct Credentials {
    /// The user.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// For calls.
    pub access: AccessToken,
    /// For the next pair; none for service accounts.
    pub refresh: Option<SecretString>,
}

/// How many sessions, how long.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// How long each lives.
    pub lifetimes: Lifetimes,
    /// Most sessions of a person.
    pub per_person: usize,
    /// Most sessions of a service account.
    pub per_service: usize,
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    store: Arc<dyn Store>,
    issuer: Arc<Issuer>,
    limits: SessionLimits,
}

impl Sessions {
    /// Over `store`, with tokens of `issuer`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, issuer: Arc<Issuer>, limits: SessionLimits) -> Self {
        Self { store, issuer, limits }
    }

    /// Opens the device's session, or renews the one it has. `account` is as it was when its credential was checked.
    ///
    /// # Errors
    /// `CredentialsInvalid` if the credential was exchanged meanwhile.
    pub async fn open(&self, account: &Account, device: Device, now: Moment) -> Result<Credentials, Refusal> {
        let lifetimes = self.limits.lifetimes;
        let max_sessions = match account.kind() {
            AccountKind::Person => self.limits.per_person,
            AccountKind::Service { .. } => self.limits.per_service,
        };
        let opening = Opening {
            device,
            new_id: SessionId::new(),
            new_secret: random_secret()?,
            credential_version: account.credential_version,
            max_sessions,
        };
        let opened = self.update(account.user_id, move |state| open(state, opening, lifetimes, now));
        let session = opened.await?.flatten().ok_or(Refusal::CredentialsInvalid)?;
        tracing::info!(user_id = %session.user_id, session_id = %session.id, "session opened");
        self.credentials(&session, account.kind(), now)
    }

    /// Trades a refresh token for a new pair.
    ///
    /// # Errors
    /// `TokenInvalid`, `SessionEnded`, `RefreshReused`.
    pub async fn refresh(&self, token: &RefreshToken, op: Op, now: Moment) -> Result<Credentials, Refusal> {
        let session = self.store.session(token.session_id).await?.ok_or(Refusal::TokenInvalid)?;
        if !self.issuer.has_issued(token, &session.refresh.secret) {
            return Err(Refusal::TokenInvalid);
        }
        let (id, generation, lifetimes) = (session.id, token.generation, self.limits.lifetimes);
        let refreshed = self
            .update(session.user_id, move |state| refresh(state, id, generation, op, lifetimes, now))
            .await?
            .unwrap_or(Err(Refusal::SessionEnded));
        if matches!(refreshed, Err(Refusal::RefreshReused)) {
            tracing::warn!(user_id = %session.user_id, session_id = %id, "refresh token reused; session ended");
        }
        let (session, kind) = refreshed?;
        self.credentials(&session, kind, now)
    }

    /// The user's sessions, last used first.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`.
    pub async fn list(&self, user: UserId, now: Moment) -> Result<Vec<Session>, Refusal> {
        let mut sessions = self.store.sessions(user).await?;
        sessions.retain(|session| session.is_alive(self.limits.lifetimes, now));
        sessions.sort_by_key(|session| std::cmp::Reverse((session.refreshed_at, session.id)));
        Ok(sessions)
    }

    /// How long sessions live.
    #[must_use]
    pub fn lifetimes(&self) -> Lifetimes {
        self.limits.lifetimes
    }

    /// Ends a session of `user`; one that has ended already stays so.
    ///
    /// # Errors
    /// `SessionNotFound`, the same whether there is none or it is somebody else's.
    pub async fn end(&self, user: UserId, id: SessionId, now: Moment) -> Result<(), Refusal> {
        let session = self.store.session(id).await?;
        if session.is_none_or(|session| session.user_id != user) {
            return Err(Refusal::SessionNotFound);
        }
        self.update(user, move |state| {
            let lives = state.sessions.iter().any(|session| session.id == id);
            ((), if lives { vec![Change::EndSession { id, at: now }] } else { Vec::new() })
        })
        .await?;
        Ok(())
    }

    /// Ends all sessions of `user` but one; answers how many.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`, `StorageFull`.
    pub async fn end_others(&self, user: UserId, stays: SessionId, now: Moment) -> Result<usize, Refusal> {
        let ended = self.update(user, move |state| {
            let changes = end_others(&state.sessions, stays, now);
            (changes.len(), changes)
        });
        Ok(ended.await?.unwrap_or(0))
    }

    /// Ends up to `limit` sessions that have expired, so that streams that outlive their tokens end too; answers how
    /// many there were.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`, `StorageFull`.
    pub async fn end_expired(&self, now: Moment, limit: usize) -> Result<usize, Refusal> {
        let lifetimes = self.limits.lifetimes;
        let expired = self.store.expired_sessions(lifetimes, now, limit).await?;
        for (user, id) in &expired {
            let id = *id;
            let rule = move |state: &UserState| {
                let session = state.sessions.iter().find(|session| session.id == id);
                let gone = session.is_some_and(|session| !session.is_alive(lifetimes, now));
                ((), if gone { vec![Change::EndSession { id, at: now }] } else { Vec::new() })
            };
            self.update(*user, rule).await?;
        }
        Ok(expired.len())
    }

    /// Runs `rule` over what is stored of a user and keeps the changes it answers, in one transaction; nothing if
    /// there is no such user.
    ///
    /// # Errors
    /// `Unavailable`, `Overloaded`, `StorageFull`: nothing was changed.
    pub(crate) async fn update<T, R>(&self, user: UserId, rule: R) -> Result<Option<T>, Refusal>
    where
        T: Send + 'static,
        R: FnOnce(&UserState) -> (T, Vec<Change>) + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        let rule = move |state: &UserState| {
            let (value, changes) = rule(state);
            drop(answer.send(value));
            changes
        };
        self.store.update(user, Box::new(rule)).await?;
        Ok(answered.try_recv().ok())
    }

    fn credentials(&self, session: &Session, kind: AccountKind, now: Moment) -> Result<Credentials, Refusal> {
        let expires_at = session.expires_at(self.limits.lifetimes);
        let refresh = match kind {
            AccountKind::Person => Some(self.issuer.refresh_token(session.id, &session.refresh)),
            AccountKind::Service { .. } => None,
        };
        Ok(Credentials {
            user_id: session.user_id,
            session_id: session.id,
            access: self.issuer.access_token(session, kind, expires_at, now)?,
            refresh,
        })
    }
}

type Refreshed = Result<(Session, AccountKind), Refusal>;

/// Judges a token whose signature is good.
fn refresh(
    state: &UserState,
    id: SessionId,
    generation: u64,
    op: Op,
    lifetimes: Lifetimes,
    now: Moment,
) -> (Refreshed, Vec<Change>) {
    let session = state.sessions.iter().find(|session| session.id == id);
    let Some(session) = session.filter(|session| session.is_alive(lifetimes, now)) else {
        return (Err(Refusal::SessionEnded), Vec::new());
    };
    let kind = state.account.kind();
    match session.refresh.judge(generation, op) {
        Decision::Advance(next) => {
            let refresh = session.refresh.advanced(next, op);
            let session = Session { refresh, refreshed_at: now, ..session.clone() };
            (Ok((session.clone(), kind)), vec![Change::PutSession(session)])
        }
        Decision::Repeat(_) => (Ok((session.clone(), kind)), Vec::new()),
        Decision::Superseded => (Err(Refusal::TokenInvalid), Vec::new()),
        Decision::Reused => (Err(Refusal::RefreshReused), vec![Change::EndSession { id, at: now }]),
    }
}

fn random_secret() -> Result<RowSecret, Refusal> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Refusal::Internal("no randomness".to_owned()))?;
    Ok(RowSecret(bytes))
}
