//! Passwords as people choose them: what is allowed, and what is too easy to guess.

use std::fmt;

use parlor_types::limits::PASSWORD_LENGTH;
use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::Score;

/// Guesses an attacker needs: 3 of 4 means more than 10^8.
const MIN_SCORE: Score = Score::Three;

/// A password in Unicode normal form C, so that it matches however a keyboard composes it. Never printed.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// Why a text cannot be a password: the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {} to {} characters", PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end())]
pub struct InvalidPassword;

/// Why a password is too easy to guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Weakness(String);

impl Password {
    /// A password somebody chooses now: 8 to 128 characters.
    ///
    /// # Errors
    /// Its length is out of range.
    pub fn chosen(text: &str) -> Result<Self, InvalidPassword> {
        let password = Self::presented(text)?;
        if password.expose().chars().count() < *PASSWORD_LENGTH.start() {
            return Err(InvalidPassword);
        }
        Ok(password)
    }

    /// A password somebody logs in with: not empty, up to 128 characters. The lower limit is for choosing alone, as
    /// accounts may have been imported with shorter ones.
    ///
    /// # Errors
    /// Its length is out of range.
    pub fn presented(text: &str) -> Result<Self, InvalidPassword> {
        let normal: String = text.nfc().collect();
        let length = normal.chars().count();
        if length == 0 || length > *PASSWORD_LENGTH.end() {
            return Err(InvalidPassword);
        }
        Ok(Self(SecretString::from(normal)))
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What makes the password too easy to guess, if anything does. `known` are words an attacker tries first: user
    /// name and display name. Takes milliseconds: not for an async worker.
    #[must_use]
    pub fn weakness(&self, known: &[&str]) -> Option<Weakness> {
        let estimate = zxcvbn::zxcvbn(self.expose(), known);
        if estimate.score() >= MIN_SCORE {
            return None;
        }
        let warning = estimate.feedback().and_then(|feedback| feedback.warning());
        let reason = warning.map_or_else(
            || format!("score {} of 4, wanted {MIN_SCORE}", estimate.score()),
            |w| w.to_string(),
        );
        Some(Weakness(reason))
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_counts_characters_of_the_normal_form() {
        assert!(Password::chosen("1234567").is_err());
        assert!(Password::chosen("12345678").is_ok());
        assert!(Password::chosen(&"ä".repeat(128)).is_ok());
        assert!(Password::chosen(&"ä".repeat(129)).is_err());
        // Eight code points that compose to four characters.
        assert!(Password::chosen("a\u{308}o\u{308}u\u{308}e\u{301}").is_err());
        assert!(Password::presented("").is_err());
        assert!(Password::presented("a").is_ok());
    }

    #[test]
    fn composed_and_decomposed_are_the_same_password() {
        let composed = Password::chosen("gr\u{fc}n-und-blau").unwrap();
        let decomposed = Password::chosen("gru\u{308}n-und-blau").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn what_others_know_makes_a_password_weak() {
        let password = Password::chosen("wolkenkratzer-adalovelace").unwrap();
        assert_eq!(password.weakness(&[]), None);
        let known = Password::chosen("adalovelace1815").unwrap();
        assert!(known.weakness(&["adalovelace", "Ada Lovelace"]).is_some());
        assert!(Password::chosen("password1").unwrap().weakness(&[]).is_some());
    }

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::chosen("correct horse battery").unwrap();
        assert!(!format!("{password} {password:?}").contains("horse"));
    }
}
