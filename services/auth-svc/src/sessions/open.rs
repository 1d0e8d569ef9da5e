//! Opening a session: one per device, at most so many per account.

use parlor_types::SessionId;

use super::{Device, Lifetimes, RefreshState, RowSecret, Session};
use crate::store::{Change, UserState};
use crate::time::Moment;

/// A session to open. The id and the secret are used only if the device has none yet.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The device.
    pub device: Device,
    /// Id for a new session.
    pub new_id: SessionId,
    /// Secret for a new session.
    pub new_secret: RowSecret,
    /// Version of the credential that was shown.
    pub credential_version: u64,
    /// Most sessions of the account.
    pub max_sessions: usize,
}

/// Renews the session that the device has, or makes one and ends those used longest ago beyond the limit. Nothing if
/// the credential was exchanged since it was checked.
#[must_use]
pub fn open(
    state: &UserState,
    opening: Opening,
    lifetimes: Lifetimes,
    now: Moment,
) -> (Option<Session>, Vec<Change>) {
    if state.account.credential_version != opening.credential_version {
        return (None, Vec::new());
    }
    let (alive, expired): (Vec<_>, Vec<_>) =
        state.sessions.iter().partition(|session| session.is_alive(lifetimes, now));
    if let Some(present) = alive.iter().find(|session| session.device.id == opening.device.id) {
        let renewed = Session {
            device: opening.device,
            authenticated_at: now,
            refreshed_at: now,
            refresh: present.refresh.after_login(),
            ..(*present).clone()
        };
        return (Some(renewed.clone()), vec![Change::PutSession(renewed)]);
    }
    let mut changes: Vec<_> = expired.iter().map(|session| end(session, now)).collect();
    let mut oldest_first = alive;
    oldest_first.sort_by_key(|session| (session.refreshed_at, session.id));
    let surplus = (oldest_first.len() + 1).saturating_sub(opening.max_sessions);
    changes.extend(oldest_first.into_iter().take(surplus).map(|session| end(session, now)));
    let session = Session {
        id: opening.new_id,
        user_id: state.account.user_id,
        device: opening.device,
        created_at: now,
        authenticated_at: now,
        refreshed_at: now,
        refresh: RefreshState::new(opening.new_secret),
        ended_at: None,
    };
    changes.push(Change::PutSession(session.clone()));
    (Some(session), changes)
}

fn end(session: &Session, now: Moment) -> Change {
    Change::EndSession { id: session.id, at: now }
}
