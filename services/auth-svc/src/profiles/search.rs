//! Finding people by the beginning of a name: folding of letters, pages, page tokens.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_types::Username;
use parlor_types::limits::MAX_DISPLAY_NAME;
use unicode_normalization::UnicodeNormalization as _;

use super::Profile;
use crate::refusal::Refusal;

/// Profiles in a page, unless asked otherwise.
const DEFAULT_PAGE: usize = 20;
/// Profiles in a page at most.
const MAX_PAGE: usize = 50;
/// Bytes of a page token that name its search.
const SEARCH_BYTES: usize = 8;

/// The form in which names are compared: compatibility forms made equal, upper and lower case made equal. Letters are
/// folded one by one, so that the folded beginning of a name is the beginning of the folded name.
#[must_use]
pub fn fold(text: &str) -> String {
    // By way of upper case: it makes "ß" equal to "ss", and a final sigma equal to any other.
    text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// The beginning of a name, folded. Never printed.
#[derive(Clone)]
pub struct Prefix(String);

/// Why a text is no [`Prefix`]: the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_DISPLAY_NAME} characters")]
pub struct InvalidPrefix;

impl Prefix {
    /// Validates and folds.
    ///
    /// # Errors
    /// It is empty, white space, or longer than any name.
    pub fn new(text: &str) -> Result<Self, InvalidPrefix> {
        let text = text.trim_start();
        let fits = (1..=MAX_DISPLAY_NAME).contains(&text.chars().count());
        fits.then(|| Self(fold(text))).ok_or(InvalidPrefix)
    }

    /// As names are kept for comparing.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0
    }

    /// The token for what comes after `last`.
    #[must_use]
    pub fn token_after(&self, last: &Username) -> String {
        URL_SAFE_NO_PAD.encode([&self.search_id(), last.as_str().as_bytes()].concat())
    }

    /// Where the page begins that `token` stands for: after this user name. An empty token is the beginning.
    ///
    /// # Errors
    /// `PageTokenInvalid`, if it is not of a search for this prefix.
    pub fn read_token(&self, token: &str) -> Result<Option<Username>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::PageTokenInvalid)?;
        let (search, name) = bytes.split_at_checked(SEARCH_BYTES).ok_or(Refusal::PageTokenInvalid)?;
        let name = std::str::from_utf8(name).ok().and_then(|name| Username::new(name).ok());
        name.filter(|_| search == self.search_id()).map(Some).ok_or(Refusal::PageTokenInvalid)
    }

    fn search_id(&self) -> [u8; SEARCH_BYTES] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"parlor.search-users.v1");
        context.update(self.0.as_bytes());
        let mut id = [0; SEARCH_BYTES];
        id.copy_from_slice(&context.finish().as_ref()[..SEARCH_BYTES]);
        id
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[prefix]")
    }
}

/// How many profiles a page has at most: 1 to 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(usize);

impl PageSize {
    /// 0 means 20, more than 50 is cut to 50.
    #[must_use]
    pub fn new(asked: u32) -> Self {
        match asked {
            0 => Self(DEFAULT_PAGE),
            asked => Self(usize::try_from(asked).unwrap_or(MAX_PAGE).min(MAX_PAGE)),
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }
}

/// A page of a search.
#[derive(Debug)]
pub struct Found {
    /// The profiles, by user name.
    pub profiles: Vec<Profile>,
    /// The token of the next page; empty at the end.
    pub next: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upper_and_lower_case_are_the_same_in_any_script() {
        for (one, other) in [
            ("ADA", "ada"),
            ("ÄRMEL", "ärmel"),
            ("Straße", "STRASSE"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("Жанна", "ЖАННА"),
            ("A\u{308}rmel", "\u{e4}rmel"),
            ("\u{ff21}da", "ada"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        assert_ne!(fold("ada"), fold("àda"));
    }

    #[test]
    fn the_beginning_of_a_name_stays_one_when_folded() {
        assert!(fold("ΟΔΥΣΣΕΥΣ").starts_with(&fold("ΟΔΥΣ")));
        assert!(fold("Straßenbahn").starts_with(&fold("stras")));
    }

    #[test]
    fn a_token_belongs_to_its_search() {
        let (ada, last) = (Prefix::new("Ada").unwrap(), Username::new("ada_99").unwrap());
        let token = ada.token_after(&last);
        assert_eq!(Prefix::new("aDA").unwrap().read_token(&token).unwrap(), Some(last));
        assert_eq!(ada.read_token("").unwrap(), None);
        let ben = Prefix::new("ben").unwrap();
        for (prefix, token) in [(&ben, token.as_str()), (&ada, "AAAA"), (&ada, "!"), (&ada, &token[..11])] {
            assert!(matches!(prefix.read_token(token), Err(Refusal::PageTokenInvalid)), "{token}");
        }
    }

    #[test]
    fn sizes_of_prefixes_and_pages() {
        assert!(Prefix::new(" ").is_err());
        assert!(Prefix::new(&"ä".repeat(64)).is_ok());
        assert!(Prefix::new(&"ä".repeat(65)).is_err());
        assert_eq!([0, 1, 50, 51, u32::MAX].map(|asked| PageSize::new(asked).get()), [20, 1, 50, 50, 50]);
    }
}
