//! Making tokens. They are taken apart by grpc-kit's verifier alone, here as everywhere.

use std::time::Duration;

use parlor_grpc_kit::token::{Audience, Claims, header};
use parlor_grpc_kit::{Caller, CallerKind};
use parlor_types::{DeviceId, SessionId, UserId};
use secrecy::SecretString;

use super::{Keys, RefreshToken};
use crate::accounts::AccountKind;
use crate::refusal::Refusal;
use crate::sessions::{RefreshState, RowSecret, Session};
use crate::time::Moment;

/// An access token.
#[derive(Debug)]
pub struct AccessToken {
    /// As it is sent.
    pub text: SecretString,
    /// When it ends.
    pub expires_at: Moment,
    /// How long it is good from now, seconds.
    pub seconds: u32,
}

/// Makes tokens.
#[derive(Debug)]
pub struct Issuer {
    keys: Keys,
    lifetime: Duration,
}

impl Issuer {
    /// Access tokens are good for `lifetime`.
    #[must_use]
    pub fn new(keys: Keys, lifetime: Duration) -> Self {
        Self { keys, lifetime }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// An access token of `session`, which lives until `session_ends` unless refreshed. That of an internal service
    /// account is good for the internal API and nothing else.
    ///
    /// # Errors
    /// `Internal`, if signing fails.
    pub fn access_token(
        &self,
        session: &Session,
        kind: AccountKind,
        session_ends: Moment,
        now: Moment,
    ) -> Result<AccessToken, Refusal> {
        let (kind, audience) = match kind {
            AccountKind::Person => (CallerKind::Person, Audience::Public),
            AccountKind::Service { internal: false } => (CallerKind::Service, Audience::Public),
            AccountKind::Service { internal: true } => (CallerKind::Service, Audience::Internal),
        };
        let expires_at = now.plus(self.lifetime).min(session_ends);
        let caller = Caller {
            user_id: session.user_id,
            session_id: session.id,
            device_id: session.device.id,
            kind,
            expires_at: expires_at.into(),
        };
        self.sign(&caller, audience, now)
    }

    /// An internal token for a service in this process. Its ids name no account and no session.
    ///
    /// # Errors
    /// `Internal`, if signing fails.
    pub fn internal_token(&self, process: SessionId, now: Moment) -> Result<AccessToken, Refusal> {
        use parlor_types::Id as _;
        let caller = Caller {
            user_id: UserId::from_bytes(process.bytes()),
            session_id: process,
            device_id: DeviceId::from_bytes(process.bytes()),
            kind: CallerKind::Service,
            expires_at: now.plus(self.lifetime).into(),
        };
        self.sign(&caller, Audience::Internal, now)
    }

    fn sign(&self, caller: &Caller, audience: Audience, now: Moment) -> Result<AccessToken, Refusal> {
        let key = self.keys.active();
        let claims = Claims::new(caller, audience, now.into());
        let text = jsonwebtoken::encode(&header(&key.kid), &claims, &key.encoding)
            .map_err(|error| Refusal::Internal(format!("an access token could not be signed: {error}")))?;
        let expires_at = Moment::from(caller.expires_at);
        let seconds = expires_at.seconds() - now.seconds();
        Ok(AccessToken {
            text: SecretString::from(text),
            expires_at,
            seconds: u32::try_from(seconds).unwrap_or_default(),
        })
    }

    /// The newest refresh token of a session.
    #[must_use]
    pub fn refresh_token(&self, session: SessionId, state: &RefreshState) -> SecretString {
        RefreshToken::make(&self.keys, session, state.generation, &state.secret)
    }

    /// Whether the token was made here for the session that has this secret.
    #[must_use]
    pub fn has_issued(&self, token: &RefreshToken, secret: &RowSecret) -> bool {
        token.is_of(&self.keys, secret)
    }
}
