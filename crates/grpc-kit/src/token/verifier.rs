//! The one check of an access token, around a library whose defaults are looser than ours.
//!
//! What the library does not do by itself, and is done here: `typ` and `iss` are compared even when absent, `kid`
//! only picks among our own keys, `aud` is one value and not a list, times are read from our clock with 5 s of leeway
//! in place of 60. A token is called expired only if nothing else is wrong with it.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use parlor_runtime::clock::Clock;
use parlor_wire::errors::v1::{ErrorReason, Problem};

use super::{Audience, Claims, ISSUER, KeySource, LEEWAY, MAX_TOKEN_BYTES, TYPE, seconds};
use crate::caller::{Caller, CallerKind};
use crate::problem::problem;
use crate::revocation::RevokedSet;

/// Verifies access tokens.
pub struct Verifier {
    keys: Arc<dyn KeySource>,
    revoked: Arc<RevokedSet>,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// A verifier that trusts `keys` and nothing else.
    #[must_use]
    pub fn new(keys: Arc<dyn KeySource>, revoked: Arc<RevokedSet>, clock: Arc<dyn Clock>) -> Self {
        Self { keys, revoked, clock }
    }

    /// Who bears `token`, if it is good for `audience` now. Waits only when the token names a key that is not known
    /// yet.
    ///
    /// # Errors
    /// TOKEN_EXPIRED for a token that is good but for its age; SESSION_ENDED for one whose session has been revoked;
    /// TOKEN_INVALID for all others. UNAVAILABLE while no keys are known at all: nothing is wrong with the token then.
    pub async fn verify(&self, token: &str, audience: Audience) -> Result<Caller, Problem> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid());
        }
        let header = decode_header(token).map_err(|_| invalid())?;
        let kid = kid_of_ours(&header).ok_or_else(invalid)?;
        if self.keys.keys().get(kid).is_none() {
            self.keys.refresh().await;
            if self.keys.keys().is_empty() {
                return Err(problem(ErrorReason::Unavailable, "the keys of access tokens are not known yet"));
            }
        }
        let claims = self.decode(token, kid, audience).ok_or_else(invalid)?;
        let caller = claims.caller().ok_or_else(invalid)?;
        let now = seconds(self.clock.wall());
        let begun = claims.nbf <= now.saturating_add(LEEWAY.as_secs()) && claims.nbf < claims.exp;
        if !begun || (audience == Audience::Internal && caller.kind != CallerKind::Service) {
            return Err(invalid());
        }
        if self.revoked.contains(caller.session_id) {
            return Err(problem(ErrorReason::SessionEnded, "the session has ended"));
        }
        if claims.exp.saturating_add(LEEWAY.as_secs()) < now {
            return Err(problem(ErrorReason::TokenExpired, "the access token has expired"));
        }
        Ok(caller)
    }

    /// Signature, issuer, audience and form; not the times, for which the library has a clock of its own.
    fn decode(&self, token: &str, kid: &str, audience: Audience) -> Option<Claims> {
        let mut wanted = Validation::new(Algorithm::EdDSA);
        wanted.set_required_spec_claims(&["iss", "aud", "sub", "nbf", "exp"]);
        wanted.set_issuer(&[ISSUER]);
        wanted.set_audience(&[audience.as_str()]);
        wanted.validate_exp = false;
        wanted.validate_nbf = false;
        let keys = self.keys.keys();
        decode::<Claims>(token, keys.get(kid)?, &wanted).ok().map(|token| token.claims)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys.keys()).finish_non_exhaustive()
    }
}

/// The key id, if the header is one of ours. Headers that bring a key along, or ask for something that we do not
/// understand (`crit`), are not.
fn kid_of_ours(header: &Header) -> Option<&str> {
    let plain = header.jku.is_none() && header.jwk.is_none() && header.x5u.is_none() && header.crit.is_none();
    let ours = plain && header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TYPE);
    header.kid.as_deref().filter(|_| ours)
}

/// One answer for all that is wrong: details would help only a forger.
fn invalid() -> Problem {
    problem(ErrorReason::TokenInvalid, "the access token is not good for this use")
}

#[cfg(test)]
mod tests;
