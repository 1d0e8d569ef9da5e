//! Texts that an uploader chooses: checked once, here.

use parlor_types::limits::MAX_FILE_NAME_BYTES;

/// Bytes of a media type.
const MAX_TYPE: usize = 127;

/// The name a file was given, without any folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

/// It is none; the rule that it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

impl FileName {
    /// Takes it as it is.
    ///
    /// # Errors
    /// It is empty or too long, or holds control characters, '/' or '\'.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.len() > MAX_FILE_NAME_BYTES {
            return Err(Invalid("must be 1 to 255 bytes"));
        }
        if text.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
            return Err(Invalid("must have no control characters, no '/' and no '\\'"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a file is taken for, such as "image/jpeg"; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaType(String);

impl MediaType {
    /// Takes it as it is.
    ///
    /// # Errors
    /// It is too long or not of visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        // Parameters ("; charset=utf-8") have spaces in them.
        if text.len() > MAX_TYPE || !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            return Err(Invalid("must be at most 127 visible ASCII characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["a", "Ünder wäy.jpg", "..", &"a".repeat(255)] {
            assert_eq!(FileName::new(good).map(|name| name.as_str().to_owned()), Ok(good.to_owned()));
        }
        for bad in ["", "a/b", "a\\b", "a\0", "a\nb", "\u{85}", &"ä".repeat(128)] {
            assert!(FileName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_type_is_short_and_visible() {
        for good in ["", "image/jpeg", "text/plain; charset=utf-8"] {
            assert!(MediaType::new(good).is_ok(), "{good:?}");
        }
        for bad in ["ä/b", "a\r\nb", &"a".repeat(128)] {
            assert!(MediaType::new(bad).is_err(), "{bad:?}");
        }
    }
}
