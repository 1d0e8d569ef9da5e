//! Refresh tokens: `v1.<session id>.<generation>.<mac>`, derived and never stored.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_types::{Id as _, SessionId};
use secrecy::SecretString;

use super::keys::Keys;
use crate::sessions::RowSecret;

/// Bytes of a MAC, HMAC-SHA256.
const MAC_BYTES: usize = 32;
const VERSION: &str = "v1";
/// Keeps MACs of tokens apart from whatever else the key may sign one day.
const PURPOSE: &[u8] = b"parlor.refresh.v1";

/// A refresh token as it was presented: well-formed, not yet known to be ours.
#[derive(Clone)]
pub struct RefreshToken {
    /// The session it claims to be of.
    pub session_id: SessionId,
    /// Its number among the session's tokens.
    pub generation: u64,
    mac: [u8; MAC_BYTES],
}

impl RefreshToken {
    /// Reads the form that tokens are made in, and no other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (version, session, generation) = (parts.next()?, parts.next()?, parts.next()?);
        let (mac, None) = (parts.next()?, parts.next()) else { return None };
        let number: u64 = generation.parse().ok()?;
        let token = Self {
            session_id: SessionId::parse(session)?,
            generation: number,
            mac: URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?,
        };
        (version == VERSION && number.to_string() == generation).then_some(token)
    }

    /// Whether the token was made with these keys for this session.
    pub(super) fn is_of(&self, keys: &Keys, secret: &RowSecret) -> bool {
        let message = message(self.session_id, self.generation, secret);
        hmac::verify(keys.refresh(), &message, &self.mac).is_ok()
    }

    /// The token of a generation.
    pub(super) fn make(keys: &Keys, session: SessionId, generation: u64, secret: &RowSecret) -> SecretString {
        let mac = hmac::sign(keys.refresh(), &message(session, generation, secret));
        let mac = URL_SAFE_NO_PAD.encode(mac);
        SecretString::from(format!("{VERSION}.{session}.{generation}.{mac}"))
    }
}

fn message(session: SessionId, generation: u64, secret: &RowSecret) -> Vec<u8> {
    [PURPOSE, &session.bytes(), &generation.to_be_bytes(), &secret.0].concat()
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (session, generation) = (&self.session_id, self.generation);
        f.debug_struct("RefreshToken")
            .field("session_id", session)
            .field("generation", &generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    const SECRET: RowSecret = RowSecret([3; 32]);

    #[test]
    fn a_token_is_good_for_its_session_generation_secret_and_key_alone() {
        let (keys, session) = (Keys::generate().unwrap(), SessionId::new());
        let text = RefreshToken::make(&keys, session, 7, &SECRET);
        let token = RefreshToken::parse(text.expose_secret()).unwrap();
        assert_eq!((token.session_id, token.generation), (session, 7));
        assert!(token.is_of(&keys, &SECRET));
        assert!(!token.is_of(&Keys::generate().unwrap(), &SECRET));
        assert!(!token.is_of(&keys, &RowSecret([4; 32])));
        assert!(!RefreshToken { generation: 8, ..token.clone() }.is_of(&keys, &SECRET));
        assert!(!RefreshToken { session_id: SessionId::new(), ..token }.is_of(&keys, &SECRET));
    }

    #[test]
    fn only_the_form_it_is_made_in_is_read() {
        let (keys, session) = (Keys::generate().unwrap(), SessionId::new());
        let text = RefreshToken::make(&keys, session, 7, &SECRET);
        let text = text.expose_secret();
        for other in [
            String::new(),
            text.replace("v1.", "v2."),
            text.replace(".7.", ".07."),
            text.replace(".7.", ".+7."),
            text.replace(".7.", "."),
            format!("{text}."),
            format!("{text}A"),
            format!("{text}="),
            text[..text.len() - 1].to_owned(),
            text.to_uppercase(),
            format!(" {text}"),
        ] {
            assert!(RefreshToken::parse(&other).is_none(), "{other}");
        }
        assert!(!format!("{:?}", RefreshToken::parse(text)).contains(text.rsplit('.').next().unwrap()));
    }
}
