//! What somebody has chosen to show of themselves.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use parlor_types::limits::MAX_STATUS_TEXT;

/// How somebody wants to appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Appearance {
    /// As they are.
    #[default]
    Online,
    /// As if none of their apps were ever in front.
    Away,
    /// As they are, but not to be disturbed.
    DoNotDisturb,
    /// As if they were not there.
    Invisible,
}

/// A few words; empty for none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StatusText(Arc<str>);

/// Why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// Too long.
    #[error("must have at most {MAX_STATUS_TEXT} characters")]
    TooLong,
    /// Cannot be shown in one line.
    #[error("must not have control characters")]
    Control,
}

impl StatusText {
    /// A text within the limits.
    ///
    /// # Errors
    /// It is too long, or has control characters.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        if text.chars().count() > MAX_STATUS_TEXT {
            return Err(InvalidText::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidText::Control);
        }
        Ok(Self(text.into()))
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// What people say of themselves stands in no log.
impl fmt::Debug for StatusText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "[no text]" } else { "[text]" })
    }
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How to appear.
    pub appearance: Appearance,
    /// What to say.
    pub text: StatusText,
    /// When both end, in whole milliseconds. Never, if there is none.
    pub until: Option<SystemTime>,
}

impl Status {
    /// What there is of it at `wall`: itself, or the default once it has ended.
    #[must_use]
    pub fn at(&self, wall: SystemTime) -> Self {
        if self.until.is_some_and(|until| until <= wall) { Self::default() } else { self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_text_has_a_hundred_characters_and_one_line() {
        assert_eq!(StatusText::new("").unwrap(), StatusText::default());
        assert!(StatusText::new(&"ä".repeat(100)).is_ok());
        assert_eq!(StatusText::new(&"a".repeat(101)), Err(InvalidText::TooLong));
        assert_eq!(StatusText::new("a\nb"), Err(InvalidText::Control));
        assert!(!format!("{:?}", StatusText::new("at lunch").unwrap()).contains("lunch"));
    }

    #[test]
    fn a_status_ends_when_it_says() {
        let until = UNIX_EPOCH + Duration::from_secs(100);
        let status = Status { appearance: Appearance::Invisible, until: Some(until), ..Status::default() };
        assert_eq!(status.at(until - Duration::from_millis(1)), status);
        assert_eq!(status.at(until), Status::default());
    }
}
