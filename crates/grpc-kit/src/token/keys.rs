//! The public keys that tokens are verified with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use parlor_wire::auth::v1::Jwk;

/// Bytes of an Ed25519 public key.
const KEY_BYTES: usize = 32;

/// Public keys by key id.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: BTreeMap<String, DecodingKey>,
}

/// Why a key was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not an Ed25519 signing key in the form of RFC 8037.
    #[error("key {0:?} is not an Ed25519 signing key")]
    Form(String),
    /// Two keys with one id.
    #[error("key {0:?} is there twice")]
    Repeated(String),
}

impl KeySet {
    /// The keys of GetJwks.
    ///
    /// # Errors
    /// One of them is not an Ed25519 key, or two have the same id: then none is taken.
    pub fn from_jwks(jwks: &[Jwk]) -> Result<Self, InvalidKey> {
        let mut keys = BTreeMap::new();
        for jwk in jwks {
            let form = || InvalidKey::Form(jwk.kid.clone());
            let described = [&jwk.kty, &jwk.crv, &jwk.alg, &jwk.r#use];
            if jwk.kid.is_empty() || described != ["OKP", "Ed25519", "EdDSA", "sig"] {
                return Err(form());
            }
            let key = URL_SAFE_NO_PAD.decode(&jwk.x).map_err(|_| form())?;
            if key.len() != KEY_BYTES {
                return Err(form());
            }
            if keys.insert(jwk.kid.clone(), DecodingKey::from_ed_der(&key)).is_some() {
                return Err(InvalidKey::Repeated(jwk.kid.clone()));
            }
        }
        Ok(Self { keys })
    }

    /// Whether there is no key: then no token is good.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.get(kid)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

/// Where the keys come from: auth-svc has its own, all others ask it ([`RemoteKeys`](crate::RemoteKeys)).
#[async_trait]
pub trait KeySource: Send + Sync + 'static {
    /// The keys as far as they are known.
    fn keys(&self) -> Arc<KeySet>;

    /// Called for a token that names a key that is not among [`keys`](Self::keys): looks for news, unless it has just
    /// done so. Afterwards the keys are looked at once more.
    async fn refresh(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwk(kid: &str) -> Jwk {
        Jwk {
            kid: kid.to_owned(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            r#use: "sig".to_owned(),
            x: URL_SAFE_NO_PAD.encode([7; KEY_BYTES]),
        }
    }

    #[test]
    fn keys_are_found_by_id() {
        let set = KeySet::from_jwks(&[jwk("a"), jwk("b")]).unwrap();
        assert!(set.get("a").is_some() && set.get("b").is_some() && set.get("c").is_none());
    }

    #[test]
    fn one_bad_key_spoils_the_set() {
        let form = |change: fn(&mut Jwk)| {
            let mut bad = jwk("bad");
            change(&mut bad);
            KeySet::from_jwks(&[jwk("good"), bad]).map(|_| ()).unwrap_err()
        };
        assert_eq!(form(|jwk| jwk.crv = "X25519".to_owned()), InvalidKey::Form("bad".to_owned()));
        assert_eq!(form(|jwk| jwk.alg = "HS256".to_owned()), InvalidKey::Form("bad".to_owned()));
        assert_eq!(form(|jwk| jwk.x = "AAAA".to_owned()), InvalidKey::Form("bad".to_owned()));
        assert_eq!(form(|jwk| jwk.kid = "good".to_owned()), InvalidKey::Repeated("good".to_owned()));
        assert_eq!(form(|jwk| jwk.kid = String::new()), InvalidKey::Form(String::new()));
    }
}
