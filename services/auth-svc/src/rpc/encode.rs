//! The domain's types as messages.

use parlor_types::SessionId;
use parlor_wire::auth::v1 as wire;
use parlor_wire::internal::auth::v1 as internal;
use parlor_wire::to_time;
use secrecy::ExposeSecret as _;

use crate::accounts::AccountKind;
use crate::emails::{EmailAddress, EmailState};
use crate::profiles::Profile;
use crate::sessions::{Credentials, Lifetimes, Revocation, Session};
use crate::tokens::PublicKey;

pub(super) fn credentials(credentials: &Credentials) -> wire::Credentials {
    let refresh = credentials.refresh.as_ref().map(|token| token.expose_secret().to_owned());
    wire::Credentials {
        user_id: credentials.user_id.to_string(),
        session_id: credentials.session_id.to_string(),
        access_token: credentials.access.text.expose_secret().to_owned(),
        access_token_expires_at: Some(to_time(credentials.access.expires_at.into())),
        access_token_seconds: credentials.access.seconds,
        refresh_token: refresh.unwrap_or_default(),
    }
}

pub(super) fn session(session: &Session, lifetimes: Lifetimes, current: SessionId) -> wire::Session {
    wire::Session {
        session_id: session.id.to_string(),
        device: Some(wire::Device {
            device_id: session.device.id.to_string(),
            name: session.device.name.as_str().to_owned(),
        }),
        created_at: Some(to_time(session.created_at.into())),
        refreshed_at: Some(to_time(session.refreshed_at.into())),
        expires_at: Some(to_time(session.expires_at(lifetimes).into())),
        current: session.id == current,
    }
}

pub(super) fn profile(profile: Profile) -> wire::Profile {
    let kind = match profile.kind {
        AccountKind::Person => wire::AccountKind::Person,
        AccountKind::Service { .. } => wire::AccountKind::Service,
    };
    wire::Profile {
        user_id: profile.user_id.to_string(),
        username: profile.username.as_str().to_owned(),
        display_name: profile.text.display_name,
        bio: profile.text.bio,
        version: profile.version,
        kind: kind.into(),
        avatar: profile.avatar.map(|avatar| avatar.media().clone()),
    }
}

pub(super) fn email(state: &EmailState) -> wire::Email {
    let waiting = state.waiting.as_ref();
    let typed = |address: &EmailAddress| address.as_typed().to_owned();
    wire::Email {
        address: state.proved.as_ref().map(|proved| typed(&proved.address)).unwrap_or_default(),
        discoverable: state.discoverable,
        unproved_address: waiting.map(|waiting| typed(&waiting.address)).unwrap_or_default(),
        code_expires_at: waiting.map(|waiting| to_time(waiting.expires_at.into())),
    }
}

/// A key in the form of RFC 8037.
pub(crate) fn jwk(key: PublicKey) -> wire::Jwk {
    wire::Jwk {
        kid: key.kid,
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        alg: "EdDSA".to_owned(),
        r#use: "sig".to_owned(),
        x: key.x,
    }
}

pub(super) fn revocation(revocation: &Revocation) -> internal::Revocation {
    internal::Revocation {
        session_id: revocation.session_id.to_string(),
        user_id: revocation.user_id.to_string(),
        revoked_at: Some(to_time(revocation.revoked_at.into())),
    }
}
