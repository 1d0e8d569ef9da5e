//! The keys of this service: Ed25519 for access tokens, HMAC-SHA256 for refresh tokens.

use std::fmt;

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use secrecy::{ExposeSecret as _, SecretBox};

/// Bytes of an Ed25519 seed and of the refresh key.
pub(super) const KEY_BYTES: usize = 32;

/// Secret bytes of a key. Never printed.
pub(super) type KeyBytes = SecretBox<[u8; KEY_BYTES]>;

/// A key for signing access tokens.
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) seed: KeyBytes,
    pub(super) encoding: EncodingKey,
    public: Vec<u8>,
}

/// A key as others verify with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Key id: the thumbprint of RFC 7638.
    pub kid: String,
    /// The 32 bytes, base64url without padding.
    pub x: String,
}

/// All keys: the first signs, all verify.
pub struct Keys {
    signing: Vec<SigningKey>,
    refresh_bytes: KeyBytes,
    refresh: hmac::Key,
}

/// The system has no randomness to give, or bytes that are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key can be made")]
pub struct KeyFault;

impl SigningKey {
    pub(super) fn from_seed(seed: KeyBytes) -> Result<Self, KeyFault> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret()).map_err(|_| KeyFault)?;
        let der = pair.to_pkcs8v1().map_err(|_| KeyFault)?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = thumbprint(&public);
        Ok(Self { kid, seed, encoding: EncodingKey::from_ed_der(der.as_ref()), public })
    }
}

/// RFC 7638: the hash of the key's required members, in the order of their names.
fn thumbprint(public: &[u8]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()))
}

impl Keys {
    /// New keys.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn generate() -> Result<Self, KeyFault> {
        let seed = Ed25519KeyPair::generate().and_then(|pair| {
            let seed = pair.seed()?.as_be_bytes()?;
            seed.as_ref().try_into().map_err(|_| aws_lc_rs::error::Unspecified)
        });
        let signing = SigningKey::from_seed(SecretBox::new(Box::new(seed.map_err(|_| KeyFault)?)))?;
        let mut refresh = [0; KEY_BYTES];
        rand::fill(&mut refresh).map_err(|_| KeyFault)?;
        Ok(Self::new(vec![signing], SecretBox::new(Box::new(refresh))))
    }

    /// `signing` has at least one.
    pub(super) fn new(signing: Vec<SigningKey>, refresh_bytes: KeyBytes) -> Self {
        let refresh = hmac::Key::new(hmac::HMAC_SHA256, refresh_bytes.expose_secret());
        Self { signing, refresh_bytes, refresh }
    }

    /// The public keys whose tokens may still be good.
    #[must_use]
    pub fn public(&self) -> Vec<PublicKey> {
        let public =
            |key: &SigningKey| PublicKey { kid: key.kid.clone(), x: URL_SAFE_NO_PAD.encode(&key.public) };
        self.signing.iter().map(public).collect()
    }

    pub(super) fn active(&self) -> &SigningKey {
        &self.signing[0]
    }

    pub(super) fn signing(&self) -> &[SigningKey] {
        &self.signing
    }

    pub(super) fn refresh(&self) -> &hmac::Key {
        &self.refresh
    }

    pub(super) fn refresh_bytes(&self) -> &KeyBytes {
        &self.refresh_bytes
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<_> = self.signing.iter().map(|key| key.kid.as_str()).collect();
        f.debug_struct("Keys").field("signing", &kids).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_is_the_thumbprint_of_rfc_8037() {
        // Appendix A of RFC 8037.
        let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(thumbprint(&x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::from_seed(SecretBox::new(Box::new(seed.try_into().unwrap()))).unwrap();
        assert_eq!(key.public, x);
    }

    #[test]
    fn keys_are_never_printed_and_never_twice_the_same() {
        let (one, two) = (Keys::generate().unwrap(), Keys::generate().unwrap());
        assert_ne!(one.public(), two.public());
        let printed = format!("{one:?}");
        assert!(printed.contains(&one.active().kid));
        assert!(!printed.contains(&URL_SAFE_NO_PAD.encode(one.active().seed.expose_secret())));
    }
}
