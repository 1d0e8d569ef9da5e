//! Addresses that are signed: whoever has one has one form of one file, as one user in one session, until it is too old.
//!
//! That it is signed says only that this server gave it to that session: whether the session goes on, and whether the
//! user may still have the file, is asked when it is used. Addresses made within a minute are the same, so that image loaders
//! find what they have fetched.

mod links;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_types::{Id as _, MediaId, SessionId, UserId};

use crate::media::Variant;

pub use links::Links;

/// Longest life of an address.
pub const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Ends of life are on borders of this.
const STEP: u64 = 60;
/// Sets these signatures apart from any other with the same key.
const CONTEXT: &[u8] = b"parlor.media.link.v1";
/// Media, variant, user, session, end.
const SIGNED: usize = 16 + 1 + 16 + 16 + 8;
/// HMAC-SHA256.
const TAG: usize = 32;
/// Characters of a token.
const TOKEN: usize = ((SIGNED + TAG) * 4).div_ceil(3);

/// What an address is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The file.
    pub media: MediaId,
    /// In this form.
    pub variant: Variant,
    /// For whom.
    pub user: UserId,
    /// As long as this session goes on.
    pub session: SessionId,
    /// And no longer than this; whole seconds.
    pub ends: SystemTime,
}

/// Why an address gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Useless {
    /// This server did not make it.
    Forged,
    /// It was good once.
    TooOld,
}

/// Makes addresses, and knows its own.
pub struct Signer(hmac::Key);

impl Signer {
    /// Signs with this key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The token of `link`: letters, digits, '-' and '_'.
    #[must_use]
    pub fn token(&self, link: &Link) -> String {
        let signed = encode(link);
        let tag = self.context(&signed).sign();
        let mut token = Vec::with_capacity(SIGNED + TAG);
        token.extend_from_slice(&signed);
        token.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// What `token` is good for `now`.
    ///
    /// # Errors
    /// See [`Useless`]; that it is too old is said only of what this server has made.
    pub fn open(&self, token: &str, now: SystemTime) -> Result<Link, Useless> {
        if token.len() != TOKEN {
            return Err(Useless::Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Useless::Forged)?;
        let (signed, tag) = bytes.split_first_chunk::<SIGNED>().ok_or(Useless::Forged)?;
        let said = [CONTEXT, signed].concat();
        hmac::verify(&self.0, &said, tag).map_err(|_| Useless::Forged)?;
        let link = decode(signed).ok_or(Useless::Forged)?;
        if link.ends <= now { Err(Useless::TooOld) } else { Ok(link) }
    }

    fn context(&self, signed: &[u8]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(CONTEXT);
        context.update(signed);
        context
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// When an address made `now` ends: in four to five minutes.
#[must_use]
pub fn ends(now: SystemTime) -> SystemTime {
    let latest = now.duration_since(UNIX_EPOCH).unwrap_or_default() + LIFETIME;
    UNIX_EPOCH + Duration::from_secs(latest.as_secs() / STEP * STEP)
}

fn encode(link: &Link) -> [u8; SIGNED] {
    let variant = match link.variant {
        Variant::Original => 1,
        Variant::Small => 2,
        Variant::Large => 3,
    };
    let ends = link.ends.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut bytes = [0; SIGNED];
    bytes[..16].copy_from_slice(&link.media.bytes());
    bytes[16] = variant;
    bytes[17..33].copy_from_slice(&link.user.bytes());
    bytes[33..49].copy_from_slice(&link.session.bytes());
    bytes[49..].copy_from_slice(&ends.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8; SIGNED]) -> Option<Link> {
    let (media, rest) = bytes.split_first_chunk()?;
    let (&[variant], rest) = rest.split_first_chunk()?;
    let (user, rest) = rest.split_first_chunk()?;
    let (session, ends) = rest.split_first_chunk()?;
    Some(Link {
        media: MediaId::from_bytes(*media),
        variant: match variant {
            1 => Variant::Original,
            2 => Variant::Small,
            3 => Variant::Large,
            _ => return None,
        },
        user: UserId::from_bytes(*user),
        session: SessionId::from_bytes(*session),
        ends: UNIX_EPOCH.checked_add(Duration::from_secs(u64::from_be_bytes(ends.try_into().ok()?)))?,
    })
}

#[cfg(test)]
mod tests;
