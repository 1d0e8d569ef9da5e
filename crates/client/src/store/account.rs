//! The account and its tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parlor_types::{DeviceId, Id, Op, SessionId, UserId};
use rusqlite::{Transaction, params};

use super::{Result, Store};

/// Who this store belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// This installation, kept for good.
    pub device: DeviceId,
    /// The server it was last logged in to.
    pub server: Option<String>,
    /// The user name it was last logged in with.
    pub username: Option<String>,
    /// The user whose data is held.
    pub user: Option<UserId>,
    /// The session; none when logged out.
    pub session: Option<SessionId>,
    /// The tokens; none when logged out.
    pub tokens: Option<Tokens>,
}

/// The two tokens of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Sent with every call.
    pub access: String,
    /// Until when it is good, by the clock of this machine.
    pub access_until: SystemTime,
    /// Good for one refresh.
    pub refresh: String,
}

// Tokens are secrets: a log line that prints them by accident says nothing.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("access_until", &self.access_until).finish_non_exhaustive()
    }
}

/// A refresh token and the op it is traded with: saved before the call, the same until its answer is saved.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshAttempt {
    /// The token.
    pub token: String,
    /// The op.
    pub op: Op,
}

impl Store {
    /// The account.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn account(&self) -> Result<Account> {
        self.read(account)
    }

    /// Enters a session. Whatever belongs to another user is deleted; ids are unique among servers too.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn log_in(
        &self,
        server: &str,
        username: &str,
        user: UserId,
        session: SessionId,
        tokens: &Tokens,
    ) -> Result<()> {
        self.write(|tx| {
            let before = account(tx)?;
            if before.user != Some(user) {
                forget_all(tx)?;
            }
            let sql = "UPDATE account SET server = ?, username = ?, user_id = ?, session_id = ?";
            tx.execute(sql, params![server, username, user.bytes(), session.bytes()])?;
            set_tokens(tx, tokens)
        })
    }

    /// Ends the session here and deletes all that was held, the outbox too. The device and the server stay.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn log_out(&self) -> Result<()> {
        self.write(|tx| {
            forget_all(tx)?;
            forget_session(tx)?;
            Ok(tx.execute("UPDATE account SET user_id = NULL", []).map(drop)?)
        })
    }

    /// The session is over. What is held stays, for the next log-in of the same user.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn end_session(&self, session: Option<SessionId>) -> Result<()> {
        self.write(|tx| if account(tx)?.session == session { forget_session(tx) } else { Ok(()) })
    }

    /// What to refresh these tokens with; none if others are there by now. `new_op` is taken if none was saved for them.
    ///
    /// Renewing what another process has just renewed would make that one's retries look like a stolen token.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn begin_refresh(&self, stale: &Tokens, new_op: Op) -> Result<Option<RefreshAttempt>> {
        self.write(|tx| {
            let (token, op): (Option<String>, Option<[u8; 16]>) =
                tx.query_row("SELECT refresh_token, refresh_op FROM account", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let Some(token) = token.filter(|token| *token == stale.refresh) else { return Ok(None) };
            let op = match op {
                Some(op) => Op::from_bytes(op),
                None => {
                    tx.execute("UPDATE account SET refresh_op = ?", [new_op.bytes()])?;
                    new_op
                }
            };
            Ok(Some(RefreshAttempt { token, op }))
        })
    }

    /// Saves the answer to `attempt`, unless another process has saved one meanwhile. Answers the tokens that count.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub fn finish_refresh(&self, attempt: &RefreshAttempt, tokens: &Tokens) -> Result<Option<Tokens>> {
        self.write(|tx| {
            let present = account(tx)?.tokens;
            match present {
                Some(present) if present.refresh == attempt.token => {
                    set_tokens(tx, tokens)?;
                    Ok(Some(tokens.clone()))
                }
                other => Ok(other),
            }
        })
    }
}

pub fn account(tx: &Transaction<'_>) -> Result<Account> {
    let sql =
        "SELECT device_id, server, username, user_id, session_id, access_token, access_until, refresh_token
               FROM account";
    let account = tx.query_row(sql, [], |row| {
        let (access, until, refresh): (Option<String>, Option<i64>, Option<String>) =
            (row.get(5)?, row.get(6)?, row.get(7)?);
        let tokens = access.zip(until).zip(refresh).map(|((access, until), refresh)| Tokens {
            access,
            access_until: UNIX_EPOCH + Duration::from_millis(u64::try_from(until).unwrap_or_default()),
            refresh,
        });
        Ok(Account {
            device: DeviceId::from_bytes(row.get(0)?),
            server: row.get(1)?,
            username: row.get(2)?,
            user: row.get::<_, Option<_>>(3)?.map(UserId::from_bytes),
            session: row.get::<_, Option<_>>(4)?.map(SessionId::from_bytes),
            tokens,
        })
    })?;
    Ok(account)
}

fn set_tokens(tx: &Transaction<'_>, tokens: &Tokens) -> Result<()> {
    let until = tokens.access_until.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let until = i64::try_from(until).unwrap_or(i64::MAX);
    let sql = "UPDATE account SET access_token = ?, access_until = ?, refresh_token = ?, refresh_op = NULL";
    tx.execute(sql, params![tokens.access, until, tokens.refresh])?;
    Ok(())
}

fn forget_session(tx: &Transaction<'_>) -> Result<()> {
    let sql = "UPDATE account SET session_id = NULL, access_token = NULL, access_until = NULL,
               refresh_token = NULL, refresh_op = NULL";
    tx.execute(sql, [])?;
    Ok(())
}

fn forget_all(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_batch(
        "DELETE FROM conversation; DELETE FROM entry; DELETE FROM outbox; DELETE FROM profile;
         DELETE FROM mark; DELETE FROM wish; DELETE FROM person;
         DELETE FROM parcel; DELETE FROM upload; DELETE FROM download;
         UPDATE sync SET generation = NULL, cursor = x'', privacy = NULL;",
    )?;
    Ok(())
}
