//! Names people choose, and what is allowed in them.

use std::borrow::Cow;
use std::fmt;

/// Why a name was refused: the rule, for a developer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(Cow<'static, str>);

/// Whether `text` has control characters besides line feed and tab.
#[must_use]
pub fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// A user name: 3 to 32 of `a-z`, `0-9`, `_`, `.`, with a letter or digit at both ends; kept in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// Validates; upper case is taken as lower case.
    ///
    /// # Errors
    /// [`InvalidName`] with the rule.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        const RULE: &str =
            "must be 3 to 32 of a-z, 0-9, \"_\" and \".\", beginning and ending with a letter or digit";
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let fits = (3..=32).contains(&text.len())
            && text.chars().all(inner)
            && end(text.chars().next())
            && end(text.chars().next_back());
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidName(RULE.into())) }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name for showing, of a person or a group: not only white space, no control characters, trimmed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayName(String);

impl DisplayName {
    /// Validates; `max` counts characters.
    ///
    /// # Errors
    /// [`InvalidName`] with the rule.
    pub fn new(text: &str, max: usize) -> Result<Self, InvalidName> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(InvalidName("must not be empty".into()));
        }
        if trimmed.chars().any(char::is_control) {
            return Err(InvalidName("must not have control characters".into()));
        }
        if trimmed.chars().count() > max {
            return Err(InvalidName(format!("must have at most {max} characters").into()));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Names are personal: a log line that prints a value of these types by accident says nothing.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[username]")
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[name]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["ada", "a.b", "Ada_99", "0x0", "abcdefghijabcdefghijabcdefghij12"] {
            assert_eq!(Username::new(good).unwrap().as_str(), good.to_ascii_lowercase());
        }
        for bad in ["", "ab", ".ada", "ada_", "a da", "adä", "a\nb", "abcdefghijabcdefghijabcdefghij123"] {
            assert!(Username::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn display_names() {
        assert_eq!(DisplayName::new("  Ada L. ", 64).unwrap().as_str(), "Ada L.");
        assert!(DisplayName::new(" \u{3000} ", 64).is_err());
        assert!(DisplayName::new("a\u{7}b", 64).is_err());
        assert!(DisplayName::new("äöü", 3).is_ok());
        assert!(DisplayName::new("äöüß", 3).is_err());
    }
}
