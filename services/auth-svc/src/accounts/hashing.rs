//! Password hashes: argon2id, kept as PHC strings.

use std::fmt;

use argon2::password_hash::phc;
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
};

use super::password::Password;

/// OWASP's lower bounds for argon2id, KiB and passes (Password Storage Cheat Sheet, 2025): at least one of them.
pub const OWASP_COSTS: [(u32, u32); 5] =
    [(46 * 1024, 1), (19 * 1024, 2), (12 * 1024, 3), (9 * 1024, 4), (7 * 1024, 5)];
/// Most memory an imported hash may want, KiB: verifying it must not exhaust the machine.
const MAX_IMPORTED_MEMORY_KIB: u32 = 1024 * 1024;
/// Most passes an imported hash may want.
const MAX_IMPORTED_PASSES: u32 = 32;
/// Bytes of a salt, as the PHC specification recommends.
const SALT_BYTES: usize = 16;

/// A PHC string of argon2id. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a text is not a hash we can verify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHash {
    /// It is no PHC string.
    #[error("not a PHC string: {0}")]
    Malformed(String),
    /// It is one of another algorithm.
    #[error("not argon2id but {0}")]
    Algorithm(String),
    /// It has no salt or no output.
    #[error("salt or output is missing")]
    Incomplete,
    /// Verifying it would cost more than a server should pay.
    #[error("wants more than {MAX_IMPORTED_MEMORY_KIB} KiB or {MAX_IMPORTED_PASSES} passes")]
    TooCostly,
}

impl PasswordHash {
    /// Reads a PHC string made elsewhere.
    ///
    /// # Errors
    /// It cannot be verified here.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        let malformed = |error: &dyn fmt::Display| InvalidHash::Malformed(error.to_string());
        let parsed = phc::PasswordHash::new(text).map_err(|error| malformed(&error))?;
        if parsed.algorithm != ARGON2ID_IDENT {
            return Err(InvalidHash::Algorithm(parsed.algorithm.to_string()));
        }
        if parsed.salt.is_none() || parsed.hash.is_none() {
            return Err(InvalidHash::Incomplete);
        }
        let params = Params::try_from(&parsed).map_err(|error| malformed(&error))?;
        if params.m_cost() > MAX_IMPORTED_MEMORY_KIB || params.t_cost() > MAX_IMPORTED_PASSES {
            return Err(InvalidHash::TooCostly);
        }
        Ok(Self(text.to_owned()))
    }

    /// From a store, which holds only what [`PasswordHash::parse`] or a [`Hasher`] made.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// Hashes and verifies, slowly by purpose: never on an async worker.
pub trait Hasher: Send + Sync + 'static {
    /// A new hash with the configured cost.
    ///
    /// # Errors
    /// The system has no randomness or no memory to give; the text says so.
    fn hash(&self, password: &Password) -> Result<PasswordHash, String>;
    /// Whether the password is the hashed one. Costs what the hash says it costs.
    fn verify(&self, password: &Password, hash: &PasswordHash) -> bool;
    /// Whether the hash has the configured cost.
    fn is_current(&self, hash: &PasswordHash) -> bool;
}

/// Argon2id with the configured cost.
#[derive(Debug)]
pub struct Argon2id {
    params: Params,
}

impl Argon2id {
    /// `memory_kib` KiB, `passes` passes, `lanes` lanes.
    ///
    /// # Errors
    /// Argon2 does not take these numbers; the text says which.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, String> {
        let params = Params::new(memory_kib, passes, lanes, None).map_err(|error| error.to_string())?;
        Ok(Self { params })
    }

    /// A hash of nothing, that costs as much to verify as one made now: what a log-in to an unknown account is
    /// checked against.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn dummy(&self) -> Result<PasswordHash, String> {
        let (mut salt, mut output) = ([0; SALT_BYTES], [0; Params::DEFAULT_OUTPUT_LEN]);
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| "no randomness")?;
        aws_lc_rs::rand::fill(&mut output).map_err(|_| "no randomness")?;
        let hash = phc::PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::default().into()),
            params: phc::ParamsString::try_from(&self.params).map_err(|error| error.to_string())?,
            salt: Some(phc::Salt::new(&salt).map_err(|error| error.to_string())?),
            hash: Some(phc::Output::new(&output).map_err(|error| error.to_string())?),
        };
        Ok(PasswordHash(hash.to_string()))
    }
}

impl Hasher for Argon2id {
    fn hash(&self, password: &Password) -> Result<PasswordHash, String> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::default(), self.params.clone());
        let hash = argon2.hash_password(password.expose().as_bytes()).map_err(|error| error.to_string())?;
        Ok(PasswordHash(hash.to_string()))
    }

    fn verify(&self, password: &Password, hash: &PasswordHash) -> bool {
        // The cost is read from the hash, not from these defaults.
        Argon2::default().verify_password(password.expose().as_bytes(), hash.as_str()).is_ok()
    }

    fn is_current(&self, hash: &PasswordHash) -> bool {
        let Ok(parsed) = phc::PasswordHash::new(hash.as_str()) else { return false };
        let version = parsed.version == Some(Version::default().into());
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        version && Params::try_from(&parsed).is_ok_and(|params| cost(&params) == cost(&self.params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Argon2id {
        Argon2id::new(64, 1, 1).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::chosen(text).unwrap()
    }

    #[test]
    fn a_hash_verifies_its_password_alone() {
        let hash = cheap().hash(&password("correct horse")).unwrap();
        assert!(cheap().verify(&password("correct horse"), &hash));
        assert!(!cheap().verify(&password("correct horsf"), &hash));
        assert_eq!(PasswordHash::parse(hash.as_str()), Ok(hash.clone()));
        assert_eq!(format!("{hash:?}"), "[hash]");
    }

    #[test]
    fn a_hash_of_other_cost_still_verifies_but_is_not_current() {
        let costlier = Argon2id::new(128, 2, 1).unwrap();
        let hash = cheap().hash(&password("correct horse")).unwrap();
        assert!(cheap().is_current(&hash));
        assert!(!costlier.is_current(&hash));
        assert!(costlier.verify(&password("correct horse"), &hash));
    }

    #[test]
    fn the_dummy_costs_what_a_hash_made_now_costs_and_fits_no_password() {
        let dummy = cheap().dummy().unwrap();
        assert!(cheap().is_current(&dummy));
        assert!(!cheap().verify(&password("correct horse"), &dummy));
    }

    #[test]
    fn only_argon2id_of_bearable_cost_is_imported() {
        let good = cheap().hash(&password("correct horse")).unwrap();
        let cases = [
            ("", "malformed"),
            ("$2b$12$abcdefghijklmnopqrstuv", "malformed"),
            (&good.as_str().replace("argon2id", "argon2i"), "algorithm"),
            (&good.as_str().replace("m=64", "m=1048577"), "costly"),
            (&good.as_str().replace("t=1", "t=33"), "costly"),
            ("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", "incomplete"),
        ];
        for (text, why) in cases {
            let found = match PasswordHash::parse(text).unwrap_err() {
                InvalidHash::Malformed(_) => "malformed",
                InvalidHash::Algorithm(_) => "algorithm",
                InvalidHash::Incomplete => "incomplete",
                InvalidHash::TooCostly => "costly",
            };
            assert_eq!(found, why, "{text}");
        }
    }
}
